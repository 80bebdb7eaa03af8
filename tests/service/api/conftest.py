"""A running API for each test."""

from collections.abc import AsyncIterator

import pytest

from tests.service.api.world import World, open_world


@pytest.fixture
async def world() -> AsyncIterator[World]:
    """Open on loopback, without limits; CS-1 speaks 1.6 and CS-2 2.0.1."""
    async with open_world() as world:
        await world.connects("CS-1")
        await world.connects("CS-2", "ocpp2.0.1")
        yield world
