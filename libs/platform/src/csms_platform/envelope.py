"""The one thing that crosses the bus. docs/bus.md is this file in words.

Encoded as JSON, keys in camelCase, defaults left out; the OCPP payload is embedded as the bytes it came as. On the wire
a batch is a JSON array of envelopes, and a single object is understood too.
"""

from collections.abc import Sequence
from enum import StrEnum

import msgspec
from msgspec import Raw

__all__ = [
    "EMPTY", "Capsule", "ConnectRequest", "Envelope", "Kind", "Lease", "Raw", "Refusal", "decode", "encode",
    "spent",
]  # fmt: skip

EMPTY = Raw(b"{}")


class Kind(StrEnum):
    """What an envelope says. `SEND` is 2.1's unanswered message; from `CONNECT` on they are about connections.

    `LEASE`: the gateway at `reply_to` lives (payload `Lease`); from the router back to it: its lease had ended, tell
    your connections again. It does so with `RESUME`, one for each, which the router answers only if it refuses (EVICT).
    `COMMAND`: ask this station, wherever it is; the router finds its gateway, and sends a CALL there.
    """

    CALL = "call"
    RESULT = "result"
    ERROR = "error"
    SEND = "send"
    CONNECT = "connect"
    DISCONNECT = "disconnect"
    ACCEPT = "accept"
    REFUSE = "refuse"
    EVICT = "evict"
    LEASE = "lease"
    RESUME = "resume"
    COMMAND = "command"


class Capsule(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel", gc=False):
    """What the router wants to know again about a connection, carried by the gateway on every envelope.

    `epoch` counts the station's connections; a higher one is newer. `registration` is the last BootNotification's
    status ("" before the first one). `quirks` are the per-station deviations of the station's record. `backlog`: some
    of the station's messages wait in the spool of the operator's endpoint, and later ones may not overtake them.
    `fresh_until`: for stations without a connection, until when (milliseconds since 1970) a gateway may send this
    capsule instead of the `arrival` that it was given for.
    """

    epoch: int = 0
    account: str = ""
    registration: str = ""
    policy: str = "open"
    quirks: str = ""
    backlog: bool = False
    fresh_until: int = 0

    def has(self, quirk: str) -> bool:
        """Whether the station has this quirk (`quirks` is a space-separated list)."""
        return bool(self.quirks) and quirk in self.quirks.split()


class Envelope(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel", gc=False):
    """One message between services.

    `deadline` is in milliseconds since 1970, 0: none; expired envelopes are dropped and counted. `reply_to` names the
    address that waits for the answer. For ERROR `payload` holds the details, for CONNECT it is a `ConnectRequest`, for
    REFUSE a `Refusal`. `outcome` tells how a command ended (`csms_ocpp.session.Outcome`); `triggered` marks a station's
    CALL that a command of ours asked for.

    `backend` overrules the configuration about who answers a CALL: "builtin" (the router), "accept" or "reject" (the
    router, whatever the tag says). `settle`: the answer passes the router, which keeps what it says (a registration, a
    transaction); `request` is then the CALL's payload, beside the answer's. `offline_until`: until when a COMMAND may
    wait for a station that is offline, in milliseconds since 1970; 0: not at all.

    A station without a connection (SOAP) asks with `arrival`: the router admits it, or answers REFUSE, before it
    answers the CALL; the answer's `session` is what the gateway may send instead for a while. Such a station is asked
    at `callback`, its own URL.

    `hops`, on an answer, tells for the log where its time went: milliseconds by "store" and "endpoint", as far as there
    were any. Use `spent`.
    """

    kind: Kind = msgspec.field(name="type")
    identity: str
    account: str = ""
    version: str = ""
    transport: str = "json"
    unique_id: str = ""
    action: str = ""
    payload: Raw = EMPTY
    error_code: str = ""
    error_description: str = ""
    outcome: str = ""
    reply_to: str = ""
    session: Capsule | None = None
    deadline: int = 0
    attempt: int = 0
    triggered: bool = False
    traceparent: str = ""
    backend: str = ""
    settle: bool = False
    request: Raw = EMPTY
    offline_until: int = 0
    arrival: "ConnectRequest | None" = None
    callback: str = ""
    hops: dict[str, float] | None = None


def spent(answer: Envelope, hop: str, seconds: float) -> Envelope:
    """`answer`, which took so long at `hop`; less than a millisecond is not told."""
    if seconds < 0.001:
        return answer
    return msgspec.structs.replace(answer, hops={**(answer.hops or {}), hop: round(seconds * 1000, 1)})


class ConnectRequest(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """Payload of CONNECT, and the `arrival` of a CALL: everything the router decides on.

    `password` is base64 of the raw bytes, None when no readable Basic credentials came; `user` likewise. `subject` is
    the common name of the verified TLS client certificate. `subprotocol` is the one the gateway would select, "" when
    there is none in common. `callback` is where a station without a connection says that it can be called, "" when it
    does not.
    """

    peer: str
    offered: tuple[str, ...] = ()
    subprotocol: str = ""
    user: str | None = None
    password: str | None = None
    authorization: bool = False
    tls: bool = False
    subject: str = ""
    callback: str = ""


class Refusal(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """Payload of REFUSE: the HTTP status of the response, and why, in a sentence for body and log."""

    status: int
    reason: str
    retry_after: int = 0


class Lease(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """Payload of LEASE: how long from now the gateway counts as alive; 0: it leaves."""

    seconds: float


_encoder = msgspec.json.Encoder()
_decode_many = msgspec.json.Decoder(list[Envelope]).decode
_decode_one = msgspec.json.Decoder(Envelope).decode


def encode(batch: Sequence[Envelope]) -> bytes:
    """The batch as one JSON array."""
    return _encoder.encode(batch)


def decode(body: bytes) -> list[Envelope]:
    """The envelopes in `body`: an array of them, or one by itself. Raises `ValueError` for anything else."""
    try:
        return [_decode_one(body)] if body.lstrip()[:1] == b"{" else _decode_many(body)
    except RecursionError as error:
        raise ValueError(str(error)) from error
