"""What goes back over HTTP from a SOAP station while something is wrong with its answers. Pure."""

import re

from msgspec.structs import replace

from csms_emulator.conversation import Reply
from csms_emulator.faults.answers import Fate

_RELATES_TO = re.compile(rb"(<[^<>/]*RelatesTo\b[^<>]*>)[^<]*")
_NOBODY = rb"\1urn:uuid:00000000-0000-0000-0000-000000000000"


def spoilt(reply: Reply, fate: Fate) -> Reply:
    """The answer that goes out instead of this one."""
    if not fate.delays:
        return replace(reply, lost=True)
    body = _RELATES_TO.sub(_NOBODY, reply.body, count=1) if fate.wrong_id else reply.body
    if fate.garbled:
        body = body[: len(body) // 2]
    return replace(reply, body=body, after=fate.delays[0])
