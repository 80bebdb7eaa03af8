"""Who calls, and what it calls its message: from the request and its connection to what the router decides on; pure."""

import uuid
from itertools import count
from typing import Any

import msgspec
from msgspec import Raw

from csms_ocpp.frames import MAX_MESSAGE_ID
from csms_ocpp.soap import Request
from csms_ocpp.version import Version
from csms_platform.credentials import read_basic
from csms_platform.envelope import ConnectRequest
from csms_soap_gateway.capsules import seal_of

MAX_IDENTITY = 255

_PREFIXES = ("urn:uuid:", "uuid:")


class Call(msgspec.Struct, frozen=True):
    """A station's CALL. `seal` stands for `arrival` and `version`."""

    identity: str
    version: Version
    unique_id: str
    action: str
    payload: Raw
    arrival: ConnectRequest
    seal: bytes

    @property
    def who(self) -> str:
        """Whose failures are counted together."""
        # Not the address alone: behind a proxy all stations share one, and a misconfigured one would lock out the rest.
        return f"{self.arrival.peer} {self.identity}"


def peer_of(scope: Any) -> str:
    """The caller's address without its port, "" when it is not known."""
    client = scope.get("client")
    return str(client[0]) if client else ""


def read_arrival(scope: Any, authorization: list[str], callback: str) -> ConnectRequest:
    """Everything the router decides on, from an ASGI scope. Never fails."""
    basic, state = read_basic(authorization), scope.get("state") or {}
    return ConnectRequest(
        peer=peer_of(scope),
        user=basic.user,
        password=basic.password,
        authorization=basic.came,
        tls=bool(state.get("tls", False)),
        subject=state.get("subject", ""),
        callback=callback,
    )


def read_call(request: Request, unique_id: str, arrival: ConnectRequest) -> Call:
    """The CALL that a request of a station is."""
    seal = seal_of(arrival, request.version)
    return Call(request.identity, request.version, unique_id, request.action, request.payload, arrival, seal)


def wrong_identity(identity: str) -> str:
    """What is wrong with a chargeBoxIdentity, "" for nothing."""
    if not identity:
        return "The header chargeBoxIdentity is missing."
    if len(identity) > MAX_IDENTITY or not identity.isprintable():
        return f"The header chargeBoxIdentity has unprintable characters or more than {MAX_IDENTITY}."
    return ""


class MessageIds:
    """Names for messages: the station's own where it has one that fits, or new ones that begin with `prefix`."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._count = count(1)
        self._start = str(uuid.uuid4())[:23]

    def of_call(self, message_id: str) -> str:
        """The unique id of a CALL with this MessageID. A repeated message keeps its id."""
        lower = message_id.lower()
        prefix = next((prefix for prefix in _PREFIXES if lower.startswith(prefix)), "")
        plain = message_id[len(prefix) :]
        if not plain:
            return f"{self._prefix}-{next(self._count)}"
        if len(plain) <= MAX_MESSAGE_ID and plain.isprintable():
            return plain
        return str(uuid.uuid5(uuid.NAMESPACE_URL, message_id))

    def new(self) -> str:
        """The MessageID of a message of ours."""
        return f"urn:uuid:{self._start}-{next(self._count):012x}"
