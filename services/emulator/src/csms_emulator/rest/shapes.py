"""What is sent over HTTP, besides the deeds and troubles, which are their own shapes."""

from typing import Annotated, Any, Literal

import msgspec

from csms_emulator.messages import Kind, Message, Sender
from csms_emulator.rest.register import Watched
from csms_emulator.view import View
from csms_platform import times


class Station(msgspec.Struct, frozen=True):
    """A station that runs. `version` is `ocpp1.6`, say, `transport` is `json` or `soap`."""

    identity: str
    version: str
    transport: str
    view: View


class StationPage(msgspec.Struct, frozen=True):
    """Stations in the order of their identities; `next` is where the next page begins, null on the last one."""

    stations: list[Station]
    next: str | None


class Said(msgspec.Struct, frozen=True, omit_defaults=True):
    """A message between a station and its central system. `action` is told for answers, too.

    An "error" has `code` and `description`; so has the end of a CALL that nobody has answered ("Timeout", say).
    """

    time: str
    sender: Sender
    kind: Kind
    action: str
    payload: dict[str, Any] | None = None
    code: str = ""
    description: str = ""


class Conversation(msgspec.Struct, frozen=True):
    """What was said last, oldest first."""

    messages: list[Said]


class Away(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """For how long the network is gone; null: until `online`."""

    seconds: Annotated[float, msgspec.Meta(ge=0, le=86_400)] | None = None


class Call(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A message for the central system. Its payload has to be as the schema of the station's version wants it.

    `kind`: a CALL, or a SEND of OCPP 2.1, which nobody answers.
    """

    action: str
    payload: dict[str, Any] = {}
    kind: Literal["call", "send"] = "call"


class Struck(msgspec.Struct, frozen=True):
    """How many stations it concerns."""

    stations: int


ALL = (Station, StationPage, Said, Conversation, Away, Call, Struck)


def station(watched: Watched) -> Station:
    """It, as it is now."""
    link = watched.link
    return Station(watched.identity, link.version, link.transport, link.view())


def said(message: Message, epoch: float) -> Said:
    """A message; `epoch` is what its clock lacks of the seconds since 1970."""
    payload = None if message.kind == "error" else message.payload
    return Said(
        times.iso_8601(epoch + message.at),
        message.sender,
        message.kind,
        message.action,
        payload,
        message.code,
        message.description,
    )
