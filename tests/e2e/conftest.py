"""The two deployments of the central system, and the three addresses at which stations may reach it."""

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import NamedTuple

import pytest

from tests.support import system
from tests.support.brokers import RabbitMQ, Redis
from tests.support.system import System


class Place(NamedTuple):
    """A gateway's address in one deployment. `compression` is what stations there offer (None: none)."""

    url: str
    compression: str | None


@pytest.fixture(scope="session")
def all_in_one() -> Iterator[System]:
    """`csms up`, shared: not to be stopped."""
    with closing(system.all_in_one()) as running:
        yield running.wait_ready()


@pytest.fixture(scope="session")
def distributed(rabbitmq: RabbitMQ, redis_server: Redis) -> Iterator[System]:
    """One router and two gateways, shared: not to be stopped."""
    with closing(system.distributed(rabbitmq.fresh_vhost(), redis_server.fresh_database())) as running:
        yield running.wait_ready()


@pytest.fixture(params=["all-in-one", "distributed"])
def shared_system(request: pytest.FixtureRequest) -> System:
    """Both deployments; not to be stopped."""
    running: System = request.getfixturevalue(request.param.replace("-", "_"))
    return running


@pytest.fixture(params=["all-in-one", "gateway 1", "gateway 2"])
def place(request: pytest.FixtureRequest) -> Place:
    """Each gateway of each deployment."""
    if request.param == "all-in-one":
        return Place(request.getfixturevalue("all_in_one").urls[0], "deflate")
    number = int(request.param[-1])
    return Place(request.getfixturevalue("distributed").urls[number - 1], "deflate" if number == 1 else None)


@pytest.fixture(scope="session")
def distributed_soap(rabbitmq: RabbitMQ, redis_server: Redis) -> Iterator[System]:
    """Two routers, two SOAP gateways and an API, shared: not to be stopped."""
    brokers = rabbitmq.fresh_vhost(), redis_server.fresh_database()
    with closing(system.distributed(*brokers, routers=2, gateways=0, soaps=2, apis=1)) as running:
        yield running.wait_ready()


@pytest.fixture(params=["all-in-one", "distributed"])
def soap_system(request: pytest.FixtureRequest) -> System:
    """Both deployments, for stations that speak SOAP; not to be stopped."""
    running: System = request.getfixturevalue("all_in_one" if request.param == "all-in-one" else "distributed_soap")
    return running


@pytest.fixture
def own() -> Iterator[Callable[[System], System]]:
    """`own(system.distributed(…))`: wait until it is ready; it is this test's alone, and closed after it."""
    started: list[System] = []

    def take(running: System) -> System:
        started.append(running)
        return running.wait_ready()

    yield take
    for running in started:
        running.close()


@pytest.fixture
def own_distributed(own: Callable[[System], System], fresh_amqp_url: str, fresh_redis_url: str) -> System:
    """One router and two gateways for this test to kill, on brokers that it may not."""
    return own(system.distributed(fresh_amqp_url, fresh_redis_url))
