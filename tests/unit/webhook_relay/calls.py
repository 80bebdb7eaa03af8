"""CALLs as the router forwards them."""

from typing import Any

import msgspec

from csms_platform.envelope import Capsule, Envelope, Kind, Raw

AUTHORIZE = b'{"idTag":"04E91C5A"}'


def call(action: str = "Authorize", payload: Any = AUTHORIZE, version: str = "ocpp1.6", **fields: Any) -> Envelope:
    """A CALL of station CS-1 in its third connection."""
    raw = payload if isinstance(payload, bytes) else msgspec.json.encode(payload)
    about = {
        "version": version,
        "unique_id": "17",
        "action": action,
        "payload": Raw(raw),
        "reply_to": "ocpp.gateway.east",
        "session": Capsule(epoch=3, registration="Accepted"),
    }
    return Envelope(fields.pop("kind", Kind.CALL), "CS-1", **(about | fields))
