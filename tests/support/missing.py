"""`python -m tests.support.missing` prints the Debian packages without which tests would fail for want of a broker."""

import os

from tests.support.choice import RABBITMQ, REDIS, BrokerMissingError, choose, find_program
from tests.support.containers import image_usable


def missing_packages() -> list[str]:
    """Names of packages, in the order in which tests would miss them; empty when every broker can be had."""
    packages = []
    for kind in (RABBITMQ, REDIS):
        try:
            choose(kind, os.environ, image_usable, find_program)
        except BrokerMissingError:
            packages.append(kind.program)
    return packages


if __name__ == "__main__":
    print(" ".join(missing_packages()))
