"""The spool inside one process: letters in order on a shelf for each endpoint, and who delivers them.

`Shelves` is the broker's half, with or without a file beneath it (`spool_file`); bytes are kept, as in a broker.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Protocol

from csms_platform.bus.borders import encode_letter, letters_stored, read_letter
from csms_platform.bus.hand import Hand
from csms_platform.ports import Letter, Unavailable

LetterHandler = Callable[[Letter], Awaitable[None]]

_MOST_IN_HAND = 512  # letters given to a deliverer whose window is smaller: those put aside leave room for others


class Disk(Protocol):
    """Where letters are written down. Keys grow."""

    def write(self, endpoint: str, key: int, body: bytes) -> asyncio.Future[None]:
        """Done when the letter is safe; fails with `OSError` when it is not, and then never will be."""
        ...

    def erase(self, endpoint: str, key: int) -> None:
        """The letter is not needed any more; never waits."""
        ...


class NoDisk:
    """Letters live as long as the process."""

    def write(self, endpoint: str, key: int, body: bytes) -> asyncio.Future[None]:
        """Done at once."""
        done = asyncio.get_running_loop().create_future()
        done.set_result(None)
        return done

    def erase(self, endpoint: str, key: int) -> None:
        """Nothing was written."""


class Shelf:
    """The letters for one endpoint. The first deliverer is active; the others wait for their turn."""

    def __init__(self) -> None:
        self.letters: dict[int, bytes] = {}
        self.fresh: deque[int] = deque()
        self.deliverers: deque[Deliverer] = deque()

    def put(self, key: int, body: bytes) -> None:
        """A letter was stored."""
        self.letters[key] = body
        self.fresh.append(key)
        self.wake()

    def join(self, deliverer: "Deliverer") -> None:
        """Add a deliverer."""
        self.deliverers.append(deliverer)
        self.wake()

    def leave(self, deliverer: "Deliverer") -> None:
        """Remove a deliverer; if it was the active one, the next begins with the first letter that is still there."""
        active = self.deliverers[0] is deliverer
        self.deliverers.remove(deliverer)
        if active:
            self.fresh = deque(self.letters)
            self.wake()

    def wake(self) -> None:
        """Give the active deliverer what it has room for."""
        while self.fresh and self.deliverers and self.deliverers[0].has_room:
            self.deliverers[0].take(self.fresh.popleft())


class Shelves:
    """The shelves by endpoint, and the one sequence that numbers all letters. `letters` were there before, in order."""

    def __init__(self, disk: Disk | None = None, letters: dict[tuple[str, int], bytes] | None = None) -> None:
        self._disk = disk or NoDisk()
        self._shelves: dict[str, Shelf] = {}
        self._key = 0
        for (endpoint, key), body in (letters or {}).items():
            self._key = max(self._key, key)
            self.of(endpoint).put(key, body)

    def of(self, endpoint: str) -> Shelf:
        """The endpoint's shelf."""
        return self._shelves.setdefault(endpoint, Shelf())

    def store(self, endpoint: str, body: bytes) -> asyncio.Future[None]:
        """Done when the letter is stored, and on its shelf."""
        self._key += 1
        key = self._key
        written = self._disk.write(endpoint, key, body)
        # Whoever waits for it may have given up; what was written is a letter all the same.
        written.add_done_callback(lambda done: None if done.exception() else self.of(endpoint).put(key, body))
        return written

    def remove(self, endpoint: str, key: int) -> None:
        """The letter was delivered."""
        del self.of(endpoint).letters[key]
        self._disk.erase(endpoint, key)


class Deliverer:
    """One process that delivers to one endpoint; what it has been given is in its hand."""

    def __init__(self, shelves: Shelves, endpoint: str, handler: LetterHandler, window: int) -> None:
        self._shelves = shelves
        self._endpoint = endpoint
        self._most = max(window, _MOST_IN_HAND)
        self._hand = Hand(handler, window, self._delivered)
        shelves.of(endpoint).join(self)

    @property
    def has_room(self) -> bool:
        """Whether it takes another letter."""
        return len(self._hand) < self._most and not self._hand.dropped

    def take(self, key: int) -> None:
        """Deliver this letter when its turn comes."""
        if letter := read_letter(self._shelves.of(self._endpoint).letters[key]):
            self._hand.take(key, letter)
        else:
            self._shelves.remove(self._endpoint, key)

    def _delivered(self, key: int) -> None:
        self._shelves.remove(self._endpoint, key)
        self._shelves.of(self._endpoint).wake()

    async def stop(self) -> None:
        """Cancel the handlers, wait until they have ended, and let another one deliver."""
        await self._hand.drop()
        self._shelves.of(self._endpoint).leave(self)


class MemorySpool:
    """`ports.Spool` on `Shelves`."""

    def __init__(self, shelves: Shelves) -> None:
        self._shelves = shelves
        self._deliverers: dict[str, Deliverer] = {}

    async def __aenter__(self) -> "MemorySpool":
        return self

    async def __aexit__(self, *_: object) -> None:
        for endpoint in list(self._deliverers):
            await self.stop(endpoint)

    async def store(self, letter: Letter, seconds: float = 10.0) -> None:
        """See `ports.Spool.store`."""
        stored = self._shelves.store(letter.endpoint, encode_letter(letter))
        await asyncio.wait([stored], timeout=seconds)
        if not stored.done():
            raise Unavailable(f"The letter was not on the disk within {seconds:g} s.")
        if error := stored.exception():
            raise Unavailable(f"The letter could not be written: {error}.") from error
        letters_stored.inc()

    async def deliver(self, endpoint: str, handler: LetterHandler, window: int) -> None:
        """See `ports.Spool.deliver`. Raises `ValueError` when this process delivers to the endpoint already."""
        if endpoint in self._deliverers:
            raise ValueError(f"letters for {endpoint} are delivered already")
        self._deliverers[endpoint] = Deliverer(self._shelves, endpoint, handler, window)

    async def stop(self, endpoint: str) -> None:
        """See `ports.Spool.stop`."""
        if deliverer := self._deliverers.pop(endpoint, None):
            await deliverer.stop()

    async def waiting(self, endpoint: str) -> int:
        """See `ports.Spool.waiting`."""
        return len(self._shelves.of(endpoint).letters)
