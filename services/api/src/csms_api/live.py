"""The live log of this process: it follows every event while anybody listens, and keeps the last ones for whoever
comes back.

    events ──► ring ──► listeners, each with its own place in the ring

The ring is bounded in events and bytes, and listeners keep nothing but their place: memory does not grow with them. One
whose place has left the ring, or for whom too much waits, has overrun. After the last listener left the ring is kept
for a while; then it is forgotten, and the events are not followed any more.
"""

import asyncio
import contextlib
from collections.abc import Callable, Collection
from typing import Any

import msgspec

from csms_api import metrics
from csms_api.errors import unavailable
from csms_ocpp.errors import UNREADABLE
from csms_platform.ports import Events, Following, event_key
from csms_platform.topics import matches

MOST_WAITING = 1000
_MOST_AT_ONCE = 64 * 1024
_NAMED_BY_ACTION = frozenset({"call", "send"})
_BREAKS = bytes.maketrans(b"\r\n", b"  ")


class _Header(msgspec.Struct, gc=False):
    """What of an event decides who gets it."""

    id: str
    type: str
    identity: str
    version: str = ""
    action: str = ""


_read = msgspec.json.Decoder(_Header).decode


class Entry(msgspec.Struct, frozen=True, gc=False):
    """One event: `frame` is what is sent, `key` its routing key."""

    id: str
    key: str
    identity: str
    frame: bytes


def entry(event: bytes) -> Entry | None:
    """The entry of an event's JSON; None when it is none."""
    try:
        header = _read(event)
    except UNREADABLE:
        return None
    if not (header.id.isprintable() and header.type.isprintable()):
        return None
    named = header.action if header.type in _NAMED_BY_ACTION else header.type
    # Line breaks in JSON are only ever white space; in a stream they would end the field.
    data = event.translate(_BREAKS)
    frame = b"id: %b\nevent: %b\ndata: %b\n\n" % (header.id.encode(), header.type.encode(), data)
    return Entry(header.id, event_key(header.version, named), header.identity, frame)


class Ring:
    """The last entries by number; numbers grow by one, from `first` to before `next`."""

    def __init__(self, most: int = 10_000, most_bytes: int = 16 * 1024 * 1024) -> None:
        self._most = most
        self._most_bytes = most_bytes
        self._entries: dict[int, Entry] = {}
        self._numbers: dict[str, int] = {}
        self._bytes = 0
        self.first = self.next = 0

    def __getitem__(self, number: int) -> Entry:
        return self._entries[number]

    def add(self, entry: Entry) -> None:
        """Put it at the end; the oldest ones make room."""
        self._entries[self.next] = entry
        self._numbers[entry.id] = self.next
        self._bytes += len(entry.frame)
        self.next += 1
        while len(self._entries) > self._most or self._bytes > self._most_bytes:
            self._drop()

    def after(self, id: str) -> int | None:
        """The number that follows the entry with this id; None when it is not here."""
        number = self._numbers.get(id)
        return None if number is None else number + 1

    def clear(self) -> None:
        """Forget all of them."""
        while self._entries:
            self._drop()

    def _drop(self) -> None:
        entry = self._entries.pop(self.first)
        self._bytes -= len(entry.frame)
        if self._numbers.get(entry.id) == self.first:
            del self._numbers[entry.id]
        self.first += 1


class Listener:
    """Somebody who listens from `place` on, to events under these topic patterns and (if any) of these stations.

    `gap`: events between those it knows and `place` may have been missed. `over`: nothing more comes.
    """

    def __init__(self, ring: Ring, keys: Collection[str], identities: Collection[str], last: str) -> None:
        self._ring = ring
        self._keys = keys
        self._identities = frozenset(identities)
        self._joined = ring.next
        self._waiting = 0
        self._news = asyncio.Event()
        self._ending = asyncio.Event()
        found = ring.after(last) if last else self._joined
        self.gap = found is None
        self._place = self._joined if found is None else found
        self.overrun = False
        self.over = False

    def takes(self, entry: Entry) -> bool:
        """Whether this is one of its events."""
        if self._identities and entry.identity not in self._identities:
            return False
        return any(matches(pattern, entry.key) for pattern in self._keys)

    def told(self, entry: Entry, number: int) -> None:
        """An event was added to the ring."""
        if self.takes(entry):
            self._waiting += 1
            if self._waiting > MOST_WAITING:
                self._overran()
            self._news.set()
        elif self._place == number:
            self._place += 1

    def take(self) -> bytes:
        """Frames of events that it has not got yet, about 64 KiB at most; b"" when there are none."""
        frames, size = [], 0
        if self._place < self._ring.first:
            self._overran()
        while not self.overrun and size < _MOST_AT_ONCE and self._place < self._ring.next:
            entry = self._ring[self._place]
            if self.takes(entry):
                frames.append(entry.frame)
                size += len(entry.frame)
                self._waiting -= self._place >= self._joined
            self._place += 1
        return b"".join(frames)

    async def wait(self, seconds: float) -> bool:
        """Wait for something to take, or the end; False when nothing came in `seconds`."""
        self._news.clear()
        if self._place < self._ring.next or self.over or self.overrun:
            return True
        try:
            await asyncio.wait_for(self._news.wait(), seconds)
        except TimeoutError:
            return False
        return True

    async def ending(self) -> None:
        """Returns when it has overrun, or nothing more comes."""
        await self._ending.wait()

    def end(self) -> None:
        """Nothing more comes."""
        self.over = True
        self._ending.set()
        self._news.set()

    def _overran(self) -> None:
        self.overrun = True
        self._ending.set()


class Live:
    """The ring and its listeners, `most` at once. `linger`: how long events are followed without any, in seconds.

    `later(seconds, call)` arms a timer and answers what can be cancelled; the event loop's by default.
    """

    def __init__(
        self,
        events: Events,
        most: int = 200,
        linger: float = 300.0,
        later: Callable[[float, Callable[[], None]], Any] | None = None,
    ) -> None:
        self._events = events
        self._most = most
        self._linger = linger
        self._later = later
        self._ring = Ring()
        self._listeners: set[Listener] = set()
        self._following: Following | None = None
        self._beginning = asyncio.Lock()
        self._forgetting: Any = None
        self._stopping: set[asyncio.Task[None]] = set()
        self._empty = asyncio.Event()
        self._left = False

    async def join(self, keys: Collection[str], identities: Collection[str], last: str) -> Listener:
        """A new listener, after the event with the id `last` (""; from now on). Raises `ApiError` 503."""
        await self._follow()
        if self._left:
            raise unavailable("This process is leaving; ask again.")
        if len(self._listeners) >= self._most:
            raise unavailable(f"{self._most} clients listen already; try again later.")
        if self._forgetting:
            self._forgetting.cancel()
        listener = Listener(self._ring, keys, identities, last)
        self._listeners.add(listener)
        metrics.LISTENERS.set(len(self._listeners))
        return listener

    def leave(self, listener: Listener) -> None:
        """It listens no more."""
        self._listeners.discard(listener)
        metrics.LISTENERS.set(len(self._listeners))
        if not self._listeners:
            self._empty.set()
            self._arm()

    def hear(self, batch: list[bytes]) -> None:
        """Takes events; never waits."""
        for event in batch:
            made = entry(event)
            if made is None:
                metrics.UNREADABLE.inc()
                continue
            number = self._ring.next
            self._ring.add(made)
            for listener in self._listeners:
                listener.told(made, number)

    async def close(self, seconds: float = 5.0) -> None:
        """End every stream, waiting up to `seconds` for them, and follow nothing any more."""
        self._left = True
        self._empty.clear()
        for listener in self._listeners:
            listener.end()
        if self._listeners:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._empty.wait(), seconds)
        if self._forgetting:
            self._forgetting.cancel()
        self._forget()
        await asyncio.gather(*self._stopping)

    # --- following ----------------------------------------------------------------------------------------------------

    async def _follow(self) -> None:
        async with self._beginning:
            if self._following is None and not self._left:
                self._following = await self._events.follow(self.hear)
                # Whoever is refused after all must not leave it on for ever.
                self._arm()

    def _arm(self) -> None:
        if self._forgetting:
            self._forgetting.cancel()
        later = self._later or asyncio.get_running_loop().call_later
        self._forgetting = later(self._linger, self._forget)

    def _forget(self) -> None:
        # What happens from now on is missed, so that nobody may resume from what was before.
        self._ring.clear()
        following, self._following = self._following, None
        if following:
            task = asyncio.get_running_loop().create_task(following.stop())
            self._stopping.add(task)
            task.add_done_callback(self._stopping.discard)
