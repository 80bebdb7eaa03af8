"""`python -m tests.support.missing` prints the Debian packages without which tests would fail: brokers, and others."""

import os

from tests.support.browser import PACKAGE, BrowserMissingError, find_browser
from tests.support.choice import RABBITMQ, REDIS, BrokerMissingError, choose, find_program
from tests.support.containers import image_usable
from tests.support.reverse_proxies import HAPROXY, NGINX


def missing_packages() -> list[str]:
    """Names of packages, in the order in which tests would miss them; empty when everything can be had."""
    packages = []
    for kind in (RABBITMQ, REDIS):
        try:
            choose(kind, os.environ, image_usable, find_program)
        except BrokerMissingError:
            packages.append(kind.program)
    try:
        find_browser()
    except BrowserMissingError:
        packages.append(PACKAGE)
    packages += [program for program in (NGINX, HAPROXY, REDIS.program) if not find_program(program)]
    if not find_program("promtool"):
        packages.append("prometheus")
    return list(dict.fromkeys(packages))


if __name__ == "__main__":
    print(" ".join(missing_packages()))
