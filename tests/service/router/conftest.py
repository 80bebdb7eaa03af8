"""A running router for each test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from csms_platform.state import open_stores
from tests.contract.doors import AMQP, MEMORY, make
from tests.service.router.commanding import Scene
from tests.service.router.world import ChargingStation, World, open_world


@pytest.fixture
async def world() -> AsyncIterator[World]:
    """A router with default settings, on memory."""
    async with open_world() as world:
        yield world


@pytest.fixture(params=["memory", "redis"])
async def any_world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    """The same on each adapter of the stores."""
    url = "memory://" if request.param == "memory" else request.getfixturevalue("fresh_redis_url")
    async with open_world(url=url) as world:
        yield world


@pytest.fixture
def station(world: World) -> ChargingStation:
    """A 1.6 station that was accepted before."""
    return ChargingStation(world)


@pytest.fixture
def station_v2(world: World) -> ChargingStation:
    """A 2.0.1 station that was accepted before."""
    return ChargingStation(world, version="ocpp2.0.1")


@pytest.fixture(params=["memory", "RabbitMQ and Redis"])
async def scene(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Scene]:
    """A broker and stores for commands, in memory and real; no router yet."""
    memory = request.param == "memory"
    url = "memory://" if memory else request.getfixturevalue("fresh_redis_url")
    async for broker in make(MEMORY if memory else AMQP, request, tmp_path):
        async with open_stores(url) as stores:
            scene = Scene(broker, stores)
            await scene.open()
            yield scene
            await scene.close()
