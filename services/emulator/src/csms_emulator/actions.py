"""What an emulated station wants done: values that its link carries out in order. Nothing here acts."""

from typing import Any, Literal

import msgspec

Payload = dict[str, Any]
IMPOSSIBLE = "impossible"  # the event of the Log that comes of a deed which is not possible now
Failure = Literal["", "failed", "denied", "malformed", "unsupported"]


class Ask(msgspec.Struct, frozen=True):
    """Send a CALL. The `CallEnded` that follows carries `number` as its context."""

    action: str
    payload: Payload
    number: int


class Send(msgspec.Struct, frozen=True):
    """Send a SEND (OCPP 2.1): nothing follows."""

    action: str
    payload: Payload


class Answer(msgspec.Struct, frozen=True):
    """Send the CALLRESULT of the peer's CALL `unique_id`."""

    unique_id: str
    payload: Payload


class Refuse(msgspec.Struct, frozen=True):
    """Send a CALLERROR to the peer's CALL `unique_id`."""

    unique_id: str
    code: str
    description: str


class Disconnect(msgspec.Struct, frozen=True):
    """Transmit what was said so far, and close the connection. `disconnected` follows, whoever closes first."""


class Reconnect(msgspec.Struct, frozen=True):
    """Connect again in `after` seconds; only ever an output of `disconnected`."""

    after: float


class Transfer(msgspec.Struct, frozen=True):
    """Fetch what is at `url`; or, where there is `content`, put it into the directory `url` under this `name`.

    The link does it meanwhile; `transferred` follows with `number`, and with a `Transferred`, whatever happens.
    """

    url: str
    number: int
    content: bytes | None = None
    name: str = ""


class Transferred(msgspec.Struct, frozen=True):
    """How a Transfer ended. `failure` is "" when it worked, `content` is then what was fetched; `reason` a sentence."""

    content: bytes = b""
    failure: Failure = ""
    reason: str = ""


class Log(msgspec.Struct, frozen=True):
    """Something happened that a reader of the log understands without knowing OCPP's small print."""

    event: str
    fields: dict[str, Any] = {}
    level: str = "info"


Action = Ask | Send | Answer | Refuse | Disconnect | Reconnect | Transfer | Log
