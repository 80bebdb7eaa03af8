"""The stations that can be asked about: their links, and the last that each has said and heard."""

import asyncio
import bisect
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

from csms_emulator.link import Link
from csms_emulator.messages import Message

MOST_KEPT = 200  # messages of one station
MOST_WAITING = 1000  # messages for one listener

Queue = asyncio.Queue[Message | None]  # None: that was all


class Watched:
    """A station's link, its last messages, and who listens to the next ones."""

    def __init__(self, identity: str, link: Link) -> None:
        self.identity = identity
        self.link = link
        self.messages: deque[Message] = deque(maxlen=MOST_KEPT)
        self._listeners: set[Queue] = set()
        self._back: asyncio.TimerHandle | None = None
        self._unwatch = link.watch(self._hear)

    def go_offline(self, seconds: float | None) -> None:
        """The network is gone, for so long or (None) until `go_online`."""
        self._stay()
        self.link.go_offline()
        if seconds is not None:
            self._back = asyncio.get_running_loop().call_later(seconds, self.link.go_online)

    def go_online(self) -> None:
        """It is there again."""
        self._stay()
        self.link.go_online()

    @contextmanager
    def listening(self) -> Iterator[Queue]:
        """What is said from now on; ends with None, for one who does not keep up, too."""
        queue: Queue = asyncio.Queue()
        self._listeners.add(queue)
        try:
            yield queue
        finally:
            self._listeners.discard(queue)

    def close(self) -> None:
        """Nobody is told any more."""
        self._stay()
        self._unwatch()
        for queue in [*self._listeners]:
            self._dismiss(queue)

    def _hear(self, message: Message | None) -> None:
        if message is None:
            return
        self.messages.append(message)
        for queue in [*self._listeners]:
            if queue.qsize() < MOST_WAITING:
                queue.put_nowait(message)
            else:
                self._dismiss(queue)

    def _dismiss(self, queue: Queue) -> None:
        self._listeners.discard(queue)
        queue.put_nowait(None)

    def _stay(self) -> None:
        if self._back:
            self._back.cancel()
        self._back = None


class Register:
    """Every station by its identity, from its first word on."""

    def __init__(self) -> None:
        self._stations: dict[str, Watched] = {}
        self._identities: list[str] = []

    def started(self, identity: str, link: Link) -> None:
        """A station starts: this is what fleets are given. One that has the name of another one takes its place."""
        if identity in self._stations:
            self._stations[identity].close()
        else:
            bisect.insort(self._identities, identity)
        self._stations[identity] = Watched(identity, link)

    def __getitem__(self, identity: str) -> Watched:
        """The station of this identity. Raises `KeyError`."""
        return self._stations[identity]

    def page(self, after: str, limit: int) -> tuple[list[Watched], str | None]:
        """Up to `limit` stations after this identity, and what the next page comes after (None: there is none)."""
        first = bisect.bisect_right(self._identities, after) if after else 0
        found = self._identities[first : first + limit]
        more = first + limit < len(self._identities)
        return [self._stations[identity] for identity in found], found[-1] if more else None

    def all(self) -> list[Watched]:
        """Every one of them."""
        return [*self._stations.values()]

    def close(self) -> None:
        """Forget all stations, which live on; who listens is told that this was all."""
        self._identities.clear()
        while self._stations:
            self._stations.popitem()[1].close()


async def until_over(queue: Queue, silence: float) -> AsyncIterator[Message | None]:
    """The messages of a `listening`, and None after so many seconds without one; until it ends."""
    while True:
        try:
            async with asyncio.timeout(silence):
                message = await queue.get()
        except TimeoutError:
            yield None
            continue
        if message is None:
            return
        yield message
