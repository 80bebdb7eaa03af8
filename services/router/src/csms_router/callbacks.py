"""Where stations without a connection can be called: what they say themselves, kept for when they do not. Pure.

Whether such a URL may be called at all is for the gateway to decide, when it does.
"""

from collections.abc import Mapping

import msgspec

from csms_ocpp.errors import UNREADABLE
from csms_platform.callbacks import LONGEST
from csms_platform.envelope import ConnectRequest
from csms_platform.ports import Note, SessionRecord, Station

CALLBACK = "callback"

_text = msgspec.json.Decoder(str).decode
_encode = msgspec.json.Encoder().encode


def callback(
    request: ConnectRequest, notes: Mapping[str, bytes], station: Station | None, live: SessionRecord | None
) -> str:
    """What the station says, or said last, or what its record says; "" when nobody knows.

    The live session comes last: it may be from before the record was changed.
    """
    return _told(request) or _noted(notes) or (station.callback if station else "") or (live.callback if live else "")


def news(identity: str, request: ConnectRequest, notes: Mapping[str, bytes]) -> list[Note]:
    """What is to be noted so that it survives times when the station is offline."""
    told = _told(request)
    return [Note(identity, CALLBACK, _encode(told))] if told and told != _noted(notes) else []


def _told(request: ConnectRequest) -> str:
    return request.callback if len(request.callback) <= LONGEST else ""


def _noted(notes: Mapping[str, bytes]) -> str:
    try:
        return _text(notes.get(CALLBACK, b'""'))
    except UNREADABLE:
        return ""
