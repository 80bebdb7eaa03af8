"""`python -m tests.support.missing` prints the Debian packages without which tests would fail: brokers, a browser."""

import os

from tests.support.browser import PACKAGE, BrowserMissingError, find_browser
from tests.support.choice import RABBITMQ, REDIS, BrokerMissingError, choose, find_program
from tests.support.containers import image_usable


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
    return packages


if __name__ == "__main__":
    print(" ".join(missing_packages()))
