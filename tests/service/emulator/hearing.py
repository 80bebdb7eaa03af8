"""What a central system of the tests has heard, and waiting for more of it."""

import asyncio
from collections.abc import Callable
from typing import Any

Heard = tuple[str, str, dict[str, Any]]


class Hearing:
    """`heard` is (identity, action, fields); set `news` with every change of what `until` looks at."""

    def __init__(self) -> None:
        self.heard: list[Heard] = []
        self.news = asyncio.Event()

    async def hears(self, *wanted: str, peer: str | None = None, times: int = 1, within: float = 20.0) -> list[Heard]:
        """Wait until each of the `wanted` actions was heard `times` times; answers all that were."""
        async with asyncio.timeout(within):
            while True:
                found = [h for h in self.heard if h[1] in wanted and peer in (None, h[0])]
                if all(sum(h[1] == action for h in found) >= times for action in wanted):
                    return found
                self.news.clear()
                await self.news.wait()

    async def until(self, holds: Callable[[], bool], within: float = 20.0) -> None:
        """Wait until a condition holds that changes with what is heard, or with who is connected."""
        async with asyncio.timeout(within):
            while not holds():
                self.news.clear()
                await self.news.wait()
