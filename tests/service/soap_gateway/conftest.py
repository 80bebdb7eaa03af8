"""A running gateway for each test, and one that the test configures itself."""

from collections.abc import AsyncIterator

import pytest

from tests.service.soap_gateway.world import World, open_world


@pytest.fixture
async def world() -> AsyncIterator[World]:
    """A gateway with the default settings."""
    async with open_world() as world:
        yield world
