"""RabbitMQ and Redis as tests see them: an address, clean corners of it, and ways to break it.

Nothing here knows whether a broker is a process, a container or somebody else's.
"""

import base64
import hashlib
import json
import os
from typing import Protocol
from urllib.parse import urlsplit

from tests.support.choice import RABBITMQ, REDIS, Choice, Elsewhere, Image, Kind, Program, choose, find_program
from tests.support.containers import Container, image_usable
from tests.support.ports import answers, wait_until
from tests.support.programs import RabbitMQProgram, RedisProgram

_DATABASES = 1024


class BrokerError(Exception):
    """A broker of ours did not start; the message ends with what it said."""


class Run(Protocol):
    """Something that runs a broker on `port` of `host`: a program's process or a container."""

    host: str
    port: int

    @property
    def running(self) -> bool: ...
    @property
    def log(self) -> str: ...
    def start(self) -> None: ...
    def stop(self) -> None: ...
    def kill(self) -> None: ...
    def close(self) -> None: ...


class Broker:
    """A broker that tests may use and, when it is private, break. Data outlives `stop`, `kill` and `restart`.

    All methods block, `start` and `restart` of RabbitMQ for several seconds: in async tests call them with
    `asyncio.to_thread`. `run` is None for a broker that somebody else runs: only its address can be used then.
    """

    name: str
    greeting: bytes
    reply: bytes

    def __init__(self, url: str, run: Run | None) -> None:
        self.url = url
        self._run = run

    @property
    def healthy(self) -> bool:
        """Whether it answers its protocol's first word."""
        if self._run is None:
            parts = urlsplit(self.url)
            default = 5672 if parts.scheme.startswith("amqp") else 6379
            return answers(parts.port or default, b"", b"", parts.hostname or "127.0.0.1")
        return self._run.running and answers(self._run.port, self.greeting, self.reply, self._run.host)

    def start(self, seconds: float = 60) -> None:
        """Return when it answers; immediately when it already does. Raises `BrokerError`."""
        if self.healthy:
            return
        if self._run is None:
            raise BrokerError(f"{self.name} does not answer at the address that the environment names.")
        run = self._run
        run.kill()
        run.start()
        wait_until(lambda: self.healthy or not run.running, seconds)
        if not self.healthy:
            raise BrokerError(f"{self.name} did not start within {seconds:.0f} s.\n{run.log}")

    def stop(self) -> None:
        """Shut down in order; returns when it is down."""
        self._own.stop()

    def kill(self) -> None:
        """SIGKILL: no farewell to clients, nothing flushed."""
        self._own.kill()

    def restart(self) -> None:
        """`stop`, then `start` at the same address."""
        self.stop()
        self.start()

    def close(self) -> None:
        """Take it away with its data; afterwards it cannot be started again."""
        if self._run is not None:
            self._run.close()

    @property
    def _own(self) -> Run:
        if self._run is None:
            raise BrokerError(f"This {self.name} is not ours to stop; use a private one.")
        return self._run


class RabbitMQ(Broker):
    """`url` leads to the vhost `/`."""

    name = RABBITMQ.name
    greeting = b"AMQP\x00\x00\x09\x01"
    reply = b"\x01\x00\x00"  # a method frame on channel 0: Connection.Start

    def __init__(self, url: str, run: "Container | RabbitMQProgram | None", vhosts: int) -> None:
        super().__init__(url, run)
        self._node = run
        self._unused = iter(range(vhosts))

    def control(self, *arguments: str) -> None:
        """`rabbitmqctl <arguments>` on this broker, which must be ours. Takes a second. Raises RuntimeError."""
        if self._node is None:
            raise BrokerError("This RabbitMQ is not ours to control; use a private one.")
        self._node.control("rabbitmqctl", *arguments)

    def fresh_vhost(self) -> str:
        """The URL of a vhost that nobody used before; costs nothing. `url` itself on a broker that is not ours."""
        if self._run is None:
            return self.url
        number = next(self._unused, None)
        if number is None:
            raise BrokerError("All prepared vhosts are used; raise VHOSTS in tests/conftest.py.")
        return self.url.rstrip("/") + f"/test-{number}"


class Redis(Broker):
    """`url` leads to database 0."""

    name = REDIS.name
    greeting = b"PING\r\n"
    reply = b"+PONG"

    def __init__(self, url: str, run: Run | None) -> None:
        super().__init__(url, run)
        self._unused = iter(range(1, _DATABASES))

    def fresh_database(self) -> str:
        """The URL of a database that nobody used before; costs nothing. `url` itself on a Redis that is not ours."""
        if self._run is None:
            return self.url
        number = next(self._unused, None)
        if number is None:
            raise BrokerError(f"All {_DATABASES} databases are used.")
        return self.url.rstrip("/") + f"/{number}"


def rabbitmq(*, private: bool, vhosts: int) -> RabbitMQ:
    """A RabbitMQ, not started yet; `private`: never somebody else's. Raises `BrokerMissingError`."""
    match _choice(RABBITMQ, private):
        case Elsewhere(url):
            return RabbitMQ(url, None, 0)
        case Image(name):
            conf = "load_definitions = /etc/rabbitmq/definitions.json\nloopback_users = none\n"
            files = {"/etc/rabbitmq/conf.d/90-test.conf": conf, "/etc/rabbitmq/definitions.json": definitions(vhosts)}
            run: Container | RabbitMQProgram = Container(name, 5672, [], files)
        case Program(path):
            run = RabbitMQProgram(path, definitions(vhosts))
    return RabbitMQ(f"amqp://guest:guest@{run.host}:{run.port}/", run, vhosts)


def redis(*, private: bool) -> Redis:
    """A Redis, not started yet; `private`: never somebody else's. Raises `BrokerMissingError`."""
    match _choice(REDIS, private):
        case Elsewhere(url):
            return Redis(url, None)
        case Image(name):
            run: Run = Container(
                name, 6379, ["redis-server", "--appendonly", "yes", "--databases", str(_DATABASES)], {}
            )
        case Program(path):
            run = RedisProgram(path, _DATABASES)
    return Redis(f"redis://{run.host}:{run.port}", run)


def _choice(kind: Kind, private: bool) -> Choice:
    return choose(kind, {} if private else os.environ, image_usable, find_program)


def definitions(vhosts: int) -> str:
    """RabbitMQ's definitions file: user guest, vhost `/` and `vhosts` empty ones called `test-0`, `test-1`, …"""
    names = ["/", *(f"test-{number}" for number in range(vhosts))]
    salt = b"salt"
    digest = base64.b64encode(salt + hashlib.sha256(salt + b"guest").digest()).decode()
    everything = {"configure": ".*", "write": ".*", "read": ".*"}
    user = {"name": "guest", "password_hash": digest, "tags": ["administrator"]}
    return json.dumps(
        {
            "users": [user | {"hashing_algorithm": "rabbit_password_hashing_sha256"}],
            "vhosts": [{"name": name} for name in names],
            "permissions": [{"user": "guest", "vhost": name} | everything for name in names],
        }
    )
