"""Fixtures that any test may ask for: brokers, ports, our own processes. Nothing starts that no test asked for."""

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import TypeVar

import pytest
import uvloop

from tests.support import brokers
from tests.support.brokers import RabbitMQ, Redis
from tests.support.choice import BrokerMissingError
from tests.support.ports import free_port as find_free_port
from tests.support.processes import Csms

VHOSTS = 80
PRIVATE_VHOSTS = 24

AnyBroker = TypeVar("AnyBroker", RabbitMQ, Redis)


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], uvloop.Loop]]:
    """Async tests run on the loop that production runs on."""
    return {"uvloop": uvloop.new_event_loop}


def _had(make: Callable[[], AnyBroker]) -> AnyBroker:
    """A missing broker fails the test, with the sentence; it never skips it."""
    try:
        return make()
    except BrokerMissingError as error:
        sentence = str(error)
    pytest.fail(sentence, pytrace=False)


@pytest.fixture(scope="session")
def rabbitmq() -> Iterator[RabbitMQ]:
    """The RabbitMQ that all tests share: not to be stopped, its vhost `/` not to be believed empty."""
    with closing(_had(lambda: brokers.rabbitmq(private=False, vhosts=VHOSTS))) as broker:
        broker.start()
        yield broker


@pytest.fixture(scope="session")
def redis_server() -> Iterator[Redis]:
    """The Redis that all tests share: not to be stopped, its database 0 not to be believed empty."""
    with closing(_had(lambda: brokers.redis(private=False))) as broker:
        broker.start()
        yield broker


@pytest.fixture(scope="session")
def amqp_url(rabbitmq: RabbitMQ) -> str:
    """The shared RabbitMQ's vhost `/`."""
    return rabbitmq.url


@pytest.fixture(scope="session")
def redis_url(redis_server: Redis) -> str:
    """The shared Redis' database 0."""
    return redis_server.url


@pytest.fixture
def fresh_amqp_url(rabbitmq: RabbitMQ) -> str:
    """A vhost of the shared RabbitMQ for this test alone (`/` when CSMS_TEST_AMQP_URL names the broker)."""
    return rabbitmq.fresh_vhost()


@pytest.fixture
def fresh_redis_url(redis_server: Redis) -> str:
    """A database of the shared Redis for this test alone (number 0 when CSMS_TEST_REDIS_URL names the broker)."""
    return redis_server.fresh_database()


@pytest.fixture(scope="session")
def _breakable_rabbitmq() -> Iterator[RabbitMQ]:
    with closing(_had(lambda: brokers.rabbitmq(private=True, vhosts=PRIVATE_VHOSTS))) as broker:
        yield broker


@pytest.fixture(scope="session")
def _breakable_redis() -> Iterator[Redis]:
    with closing(_had(lambda: brokers.redis(private=True))) as broker:
        yield broker


@pytest.fixture
def private_rabbitmq(_breakable_rabbitmq: RabbitMQ) -> RabbitMQ:
    """A healthy RabbitMQ for this test to stop, kill and restart; the next test gets it in health again.

    What earlier tests stored is still there: use `fresh_vhost()` or names of your own.
    """
    _breakable_rabbitmq.start()
    return _breakable_rabbitmq


@pytest.fixture
def private_redis(_breakable_redis: Redis) -> Redis:
    """A healthy Redis for this test to stop, kill and restart; use `fresh_database()` for an empty one."""
    _breakable_redis.start()
    return _breakable_redis


@pytest.fixture
def free_port() -> int:
    """A loopback port that nobody listens on."""
    return find_free_port()


@pytest.fixture
def csms() -> Iterator[Callable[..., Csms]]:
    """Start the command as a process: `csms("up", "--port", str(free_port), env={…})`; see `Csms`.

    What still runs at the end is killed. Its output is shown when the test fails.
    """
    started: list[Csms] = []

    def start(*arguments: str, env: dict[str, str] | None = None) -> Csms:
        started.append(Csms(*arguments, env=env))
        return started[-1]

    yield start
    for process in started:
        process.close()
        print(process)
