"""What of the bus the operator's side sees: events, commands, letters to its endpoint (docs/commands.md, webhook.md).

Unlike envelopes these are public and durable: their form is a contract, and what is stored survives the broker.
Services import the names from `ports`. Every promise is tried by `tests/contract` on memory and on RabbitMQ.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

import msgspec
from msgspec import Raw

from csms_platform.envelope import Envelope

NOTHING = Raw(b"")


class Event(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel", gc=False):
    """One thing that happened, as JSON on the topic exchange `ocpp.events`; the routing key is `key`.

    `id` is unique. `time` is ISO 8601 UTC with milliseconds. `type` is one of

        connected      `epoch`, `peer`
        disconnected   `epoch`, `reason`
        call           a station's CALL: `uniqueId`, `action`, `request`, and its answer: `response`, or `errorCode`,
                       `errorDescription` and `errorDetails`; with neither it was not answered. `milliseconds` it took
        send           a station's SEND (2.1): `uniqueId`, `action`, `request`
        command        how a command ended: `uniqueId`, `action`, `request`, `outcome`, `response` or the error's fields
        deadLetter     the operator's endpoint never took a message: `deliveryId`, `endpoint`, `action`, `reason`

    JSON values are the bytes that were sent.
    """

    id: str
    time: str
    type: str
    identity: str
    account: str = ""
    version: str = ""
    transport: str = ""
    gateway: str = ""
    epoch: int = 0
    peer: str = ""
    reason: str = ""
    unique_id: str = ""
    action: str = ""
    request: Raw | msgspec.UnsetType = msgspec.UNSET
    response: Raw | msgspec.UnsetType = msgspec.UNSET
    outcome: str = ""
    error_code: str = ""
    error_description: str = ""
    error_details: Raw | msgspec.UnsetType = msgspec.UNSET
    milliseconds: float = 0.0
    delivery_id: str = ""
    endpoint: str = ""


def event_key(version: str, name: str) -> str:
    """The routing key of an event: version and the station's action (call, send), or the event's own type.

    `ocpp1.6.MeterValues`, `ocpp2.0.1.connected`; `unknown.command` for a station whose version nobody knows.
    """
    return f"{version or 'unknown'}.{name}"


class Following(Protocol):
    """A subscription to events."""

    async def stop(self) -> None:
        """No more calls after this returns."""
        ...


class Events(Protocol):
    """Tells the outside what happened: at least once while the process lives, in order per sender.

    By `[bus] events`: "wanted" (the default) publishes only what somebody is bound to; a new kind of binding is
    noticed within a second. "always" publishes everything, "never" nothing.
    """

    def wanted(self, key: str) -> bool:
        """Whether an event under this key would be published now: ask before building one. Cheap."""
        ...

    def emit(self, key: str, event: Event) -> None:
        """Publish, persistent. Never waits and never fails: events gather while the broker is away, up to a limit,
        and past it the oldest are dropped and counted."""
        ...

    async def follow(self, handler: Callable[[list[bytes]], None], keys: Sequence[str] = ("#",)) -> Following:
        """Call `handler` with the events (JSON as published) under these topic patterns, from now on.

        For the lifetime of this process only: what happens while the broker is away is missed by it, and events
        published while nobody follows are not kept.
        """
        ...


class Order(msgspec.Struct, frozen=True):
    """A message from the public exchange `ocpp.commands`, as it came; nothing about it has been checked.

    `expiration` is its property in milliseconds, None: none. `expired`: it waited longer than that in the queue.
    """

    body: bytes
    key: str = ""
    reply_to: str = ""
    correlation_id: str = ""
    message_id: str = ""
    expiration: int | None = None
    redelivered: bool = False
    expired: bool = False


class Orders(Protocol):
    """The public door for commands: durable queue `ocpp.commands` behind the topic exchange of the same name."""

    async def subscribe(self, handler: Callable[[list[Order]], Awaitable[None]]) -> None:
        """Call `handler` with what arrived, in the order of arrival, one call at a time.

        Of all processes that subscribe only one is called; when it goes another one takes its place and gets again
        what was not acknowledged, `redelivered`. Orders are acknowledged when the handler returns; when it raises
        they are dropped, logged and counted.
        """
        ...

    async def unsubscribe(self) -> None:
        """Take no more, and wait until the handler under way has returned."""
        ...

    def reply(self, reply_to: str, correlation_id: str, body: bytes) -> None:
        """Send an outcome to a queue of the operator's. Never waits. A queue that is not there is counted only."""
        ...


class Letter(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """A station's message for an endpoint, to be delivered later. `id` is the delivery id, `stored` in milliseconds
    since 1970. `answered` is what the station was answered, if the endpoint is to know."""

    id: str
    endpoint: str
    stored: int
    envelope: Envelope
    answered: Raw | msgspec.UnsetType = msgspec.UNSET


class Spool(Protocol):
    """Letters in durable queues, one for each endpoint: stored means confirmed by the broker (or on disk)."""

    async def store(self, letter: Letter, seconds: float = 10.0) -> None:
        """Return when the letter is stored durably. Raises `Unavailable` after `seconds`; it may be stored then."""
        ...

    async def deliver(self, endpoint: str, handler: Callable[[Letter], Awaitable[None]], window: int) -> None:
        """Call `handler` for the endpoint's letters, beginning in the order in which they were stored, up to `window`
        calls at once, until `stop`.

        A letter is removed when its handler returns. While another process delivers to this endpoint nothing happens
        here; when it goes, this one takes over, beginning with the first letter that is still there. A handler may take
        as long as it likes, and must survive being cancelled: when the broker goes, all handlers are cancelled, and
        called again in order when it is back. One that raises leaves its letter for later: logged and counted.
        """
        ...

    async def stop(self, endpoint: str) -> None:
        """Cancel the handlers under way; their letters stay, in order. Returns when they have ended."""
        ...

    async def waiting(self, endpoint: str) -> int:
        """How many letters are stored for the endpoint, about; raises `Unavailable`."""
        ...
