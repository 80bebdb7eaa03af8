"""A running router for each test."""

from collections.abc import AsyncIterator

import pytest

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
