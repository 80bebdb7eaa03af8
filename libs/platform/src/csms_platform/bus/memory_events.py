"""Events inside one process: a topic exchange in memory. Bytes travel, in batches of a loop tick."""

from collections.abc import Callable, Sequence

import msgspec

from csms_platform.bus import BusSettings
from csms_platform.bus.borders import events_published, tell
from csms_platform.coalesce import Coalescer
from csms_platform.ports import Event
from csms_platform.topics import matches

_encode = msgspec.json.Encoder().encode


class Topic:
    """The topic exchange: everybody who follows, whichever process they belong to."""

    def __init__(self) -> None:
        self._followings: set[MemoryFollowing] = set()

    def wanted(self, key: str) -> bool:
        """Whether anybody is bound to this key."""
        return any(following.takes(key) for following in self._followings)

    def publish(self, key: str, body: bytes) -> None:
        """To everybody who is bound to it; nobody else will ever see it."""
        for following in self._followings:
            if following.takes(key):
                following.line.add(body)

    def bind(self, following: "MemoryFollowing") -> None:
        """From now on it gets what it takes."""
        self._followings.add(following)

    def serves(self, following: "MemoryFollowing") -> bool:
        """Whether it is bound."""
        return following in self._followings

    def unbind(self, following: "MemoryFollowing") -> None:
        """Nothing more for it."""
        self._followings.discard(following)


class MemoryFollowing:
    """`ports.Following`: one queue, bound until it stops."""

    def __init__(self, topic: Topic, handler: Callable[[list[bytes]], None], keys: Sequence[str]) -> None:
        self._topic = topic
        self._handler = handler
        self._keys = tuple(keys)
        self.line: Coalescer[bytes] = Coalescer(self._tell)
        topic.bind(self)

    def takes(self, key: str) -> bool:
        """Whether events with this key come here."""
        return any(matches(pattern, key) for pattern in self._keys)

    async def stop(self) -> None:
        """See `ports.Following.stop`."""
        self._topic.unbind(self)
        self.line.cancel()

    async def _tell(self, batch: list[bytes]) -> None:
        tell(batch, self._handler)


class MemoryEvents:
    """`ports.Events` on a `Topic`."""

    def __init__(self, topic: Topic, settings: BusSettings) -> None:
        self._topic = topic
        self._publishes = settings.events
        self._followings: list[MemoryFollowing] = []

    async def __aenter__(self) -> "MemoryEvents":
        return self

    async def __aexit__(self, *_: object) -> None:
        for following in self._followings:
            await following.stop()

    def wanted(self, key: str) -> bool:
        """See `ports.Events.wanted`."""
        return self._publishes == "always" or (self._publishes == "wanted" and self._topic.wanted(key))

    def emit(self, key: str, event: Event) -> None:
        """See `ports.Events.emit`."""
        if self.wanted(key):
            events_published.inc()
            self._topic.publish(key, _encode(event))

    async def follow(self, handler: Callable[[list[bytes]], None], keys: Sequence[str] = ("#",)) -> MemoryFollowing:
        """See `ports.Events.follow`."""
        following = MemoryFollowing(self._topic, handler, keys)
        self._followings = [*filter(self._topic.serves, self._followings), following]
        return following
