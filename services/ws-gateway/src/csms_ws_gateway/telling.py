"""Events of one gateway: builds them from what its connections did, when somebody wants them.

Everything about a station is told in the order in which it happened here; `epoch` tells connections apart.
"""

from itertools import count
from time import time
from typing import TYPE_CHECKING

import msgspec

from csms_ocpp.session import SendReceived
from csms_platform.envelope import Envelope, Kind, Raw
from csms_platform.ports import Event, Events, event_key
from csms_platform.times import iso_8601

if TYPE_CHECKING:
    from csms_ws_gateway.connection import Connection


class Teller:
    """Tells `events` about the connections of gateway `id`."""

    def __init__(self, events: Events, id: str) -> None:
        self._events = events
        self._id = id
        self._count = count(1)

    def connected(self, connection: "Connection", peer: str) -> None:
        """The handshake is complete."""
        self._tell(connection, "connected", "connected", peer=peer)

    def disconnected(self, connection: "Connection", reason: str) -> None:
        """The socket is gone."""
        self._tell(connection, "disconnected", "disconnected", reason=reason)

    def answered(self, connection: "Connection", request: Raw, answer: Envelope, seconds: float) -> None:
        """A station's CALL got `answer` after `seconds`."""
        if not self._events.wanted(key := event_key(connection.version, answer.action)):
            return
        told: dict[str, object] = {"unique_id": answer.unique_id, "action": answer.action, "request": request}
        if answer.kind is Kind.RESULT:
            told["response"] = answer.payload
        else:
            told["error_code"], told["error_description"] = answer.error_code, answer.error_description
            told["error_details"] = answer.payload
        self._emit(key, connection, "call", milliseconds=round(seconds * 1000, 1), **told)

    def unanswered(self, connection: "Connection", unique_id: str, request: Raw, seconds: float) -> None:
        """Nobody answered a station's CALL in time."""
        self._tell(
            connection,
            connection.asked_action,
            "call",
            unique_id=unique_id,
            action=connection.asked_action,
            request=request,
            milliseconds=round(seconds * 1000, 1),
        )

    def sent(self, connection: "Connection", send: SendReceived) -> None:
        """A station told something (2.1)."""
        self._tell(connection, send.action, "send", unique_id=send.unique_id, action=send.action, request=send.payload)

    def _tell(self, connection: "Connection", name: str, type: str, **told: object) -> None:
        if self._events.wanted(key := event_key(connection.version, name)):
            self._emit(key, connection, type, **told)

    def _emit(self, key: str, connection: "Connection", type: str, **told: object) -> None:
        self._events.emit(key, msgspec.structs.replace(self._event(connection, type), **told))

    def _event(self, connection: "Connection", type: str) -> Event:
        return Event(
            f"{self._id}-{next(self._count)}",
            iso_8601(time()),
            type,
            connection.identity,
            connection.capsule.account,
            connection.version,
            "json",
            self._id,
            connection.capsule.epoch,
        )
