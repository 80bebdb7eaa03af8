"""Where a test's broker comes from: an address, a container, or a program that is installed.

Decides only: what is there is asked through the functions passed in, nothing is started.
"""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass

# Often outside PATH. Debian's launcher in PATH insists on the user `rabbitmq`; the one in the first place does not.
_FURTHER_PLACES = (
    "/usr/lib/rabbitmq/bin",
    "/usr/local/sbin",
    "/usr/sbin",
    "/opt/homebrew/sbin",
    "/opt/homebrew/opt/rabbitmq/sbin",
    "/usr/local/opt/rabbitmq/sbin",
)


@dataclass(frozen=True, slots=True)
class Kind:
    """A broker that tests need. `program` is also the name of its package in Debian and Ubuntu."""

    name: str
    variable: str
    image: str
    program: str
    brew: str


RABBITMQ = Kind("RabbitMQ", "CSMS_TEST_AMQP_URL", "rabbitmq:4-alpine", "rabbitmq-server", "rabbitmq")
REDIS = Kind("Redis", "CSMS_TEST_REDIS_URL", "redis:7-alpine", "redis-server", "redis")


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A broker that somebody else runs at `url`; tests may use it, not stop it."""

    url: str


@dataclass(frozen=True, slots=True)
class Image:
    """A container of our own."""

    name: str


@dataclass(frozen=True, slots=True)
class Program:
    """A process of our own; `path` is absolute."""

    path: str


Choice = Elsewhere | Image | Program


class BrokerMissingError(Exception):
    """No way to a broker; the message is one sentence that says what to install."""

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        super().__init__(
            f"This test needs {kind.name}: set {kind.variable}, or start Docker with the image {kind.image}, "
            f"or install the program {kind.program} "
            f"(Debian and Ubuntu: apt-get install --no-install-recommends {kind.program}; "
            f"macOS: brew install {kind.brew})."
        )


def choose(
    kind: Kind,
    environ: Mapping[str, str],
    image_usable: Callable[[str], bool],
    find_program: Callable[[str], str | None],
) -> Choice:
    """The first that exists of: the address in `environ`, a container, a program. Raises `BrokerMissingError`.

    `image_usable(name)` may be slow; it is asked only when no address is set.
    """
    if url := environ.get(kind.variable):
        return Elsewhere(url)
    if image_usable(kind.image):
        return Image(kind.image)
    if path := find_program(kind.program):
        return Program(path)
    raise BrokerMissingError(kind)


def find_program(name: str) -> str | None:
    """The absolute path of a server program, looked for also where the PATH of ordinary users does not lead."""
    if name == RABBITMQ.program and (launcher := shutil.which(name, path=_FURTHER_PLACES[0])):
        return launcher
    return shutil.which(name) or shutil.which(name, path=":".join(_FURTHER_PLACES))
