"""The adapters that the store contracts run on.

`backend` can be opened again, as after a restart; `stores` is one that is open. Redis is the one at `redis_url`, each
test under a prefix of its own.
"""

import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from secrets import token_hex

import pytest
import redis

from csms_platform.state import Stores, open_stores

MS = 0.001


class Clock:
    """The time of day, and `advance` on top of it."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead

    def advance(self, seconds: float) -> None:
        self.ahead += seconds


@dataclass(frozen=True)
class Backend:
    """A place where stores are kept, which can be opened again, as after a restart.

    `twice` opens two adapters on it at once, as two routers would; where a place is not `shared` between processes,
    both are the same one.
    """

    open: Callable[[], AbstractAsyncContextManager[Stores]]
    shared: bool

    @asynccontextmanager
    async def twice(self) -> AsyncIterator[tuple[Stores, Stores]]:
        async with self.open() as one:
            if not self.shared:
                yield one, one
                return
            async with self.open() as other:
                yield one, other


@pytest.fixture
def redis_prefix(redis_url: str) -> Iterator[str]:
    prefix = f"csms:test-{token_hex(6)}:"
    yield prefix
    with redis.Redis.from_url(redis_url) as client:
        for key in client.scan_iter(f"{prefix}*", count=1000):
            client.delete(key)


def make(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Backend:
    if kind == "redis":
        url, prefix = request.getfixturevalue("redis_url"), request.getfixturevalue("redis_prefix")
        return Backend(partial(open_stores, url, prefix=prefix), shared=True)
    data = tmp_path / "data" if kind == "memory with a data directory" else None
    return Backend(partial(open_stores, "memory://", data=data), shared=False)


@pytest.fixture(params=["memory", "memory with a data directory", "redis"])
def backend(request: pytest.FixtureRequest, tmp_path: Path) -> Backend:
    """Every adapter."""
    return make(request.param, request, tmp_path)


@pytest.fixture(params=["memory with a data directory", "redis"])
def durable(request: pytest.FixtureRequest, tmp_path: Path) -> Backend:
    """The adapters that still have tomorrow what was stored today."""
    return make(request.param, request, tmp_path)


@pytest.fixture
async def stores(backend: Backend) -> AsyncIterator[Stores]:
    async with backend.open() as opened:
        yield opened
