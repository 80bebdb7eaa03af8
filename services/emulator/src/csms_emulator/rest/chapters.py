"""The words that describe each operation in OpenAPI."""

import inspect
from typing import Any, NamedTuple

from csms_emulator import deeds
from csms_emulator.deeds import Deed
from csms_emulator.faults.troubles import Storm
from csms_emulator.rest import shapes
from csms_emulator.rest.openapi import json, operation, reference, request, trouble, untagged
from csms_emulator.rest.reading import MOST, USUAL
from csms_emulator.rest.register import MOST_KEPT
from csms_emulator.rest.resource import Document

_LOOK, _DO, _NETWORK, _FAULTS = "Stations", "Deeds", "Network and messages", "Faults"

_SEEN = {
    "identity": "EMU-00001",
    "version": "ocpp1.6",
    "transport": "json",
    "view": {
        "connected": True,
        "registration": "Accepted",
        "waiting": 0,
        "clock": "2026-01-01T12:00:00.000Z",
        "connectors": [
            {
                "number": 1,
                "status": "Charging",
                "state": "",
                "parked": True,
                "plugged": True,
                "transaction": "42",
                "id_tag": "04A1B2C3",
                "meter": 1250,
                "power": 11000.0,
                "soc": 34.5,
                "error": "",
            }
        ],
    },
}
_SAID = {
    "time": "2026-01-01T12:00:00.000Z",
    "sender": "station",
    "kind": "call",
    "action": "Authorize",
    "payload": {"idTag": "04A1B2C3"},
}
_WRONG = {400: "A field or parameter is wrong; the message says which."}
_TOO_LARGE = {413: "The body is too large."}
_NOBODY = {404: "There is no such station."}
_ABOUT_ONE = _NOBODY | _WRONG | _TOO_LARGE
_DONE = {204: ("It is done.", None)}


def _parameter(name: str, description: str, schema: Document) -> Document:
    return {"name": name, "in": "query", "description": description, "schema": schema}


def _limit(most: int, usual: int) -> Document:
    schema = {"type": "integer", "minimum": 1, "maximum": most, "default": usual}
    return _parameter("limit", "At most so many.", schema)


# --- what there is ----------------------------------------------------------------------------------------------------

PAGE = operation(
    "listStations",
    "The stations that run here",
    {200: ("Stations.", json(reference(shapes.StationPage), {"stations": [_SEEN], "next": None}))},
    tag=_LOOK,
    query=[_parameter("after", "The `next` of the page before.", {"type": "string"}), _limit(MOST, USUAL)],
    refusals=_WRONG,
)
SHOW = operation(
    "getStation",
    "A station, as it can be seen from outside",
    {200: ("The station.", json(reference(shapes.Station), _SEEN))},
    tag=_LOOK,
    refusals=_NOBODY,
)
MESSAGES = operation(
    "listMessages",
    "What a station and its central system said last",
    {200: ("Messages, oldest first.", json(reference(shapes.Conversation), {"messages": [_SAID]}))},
    tag=_LOOK,
    description=f"The last {MOST_KEPT} are kept.",
    query=[_limit(MOST_KEPT, MOST_KEPT)],
    refusals=_NOBODY | _WRONG,
)
EVENTS = operation(
    "followMessages",
    "What they say from now on",
    {200: ("Server-Sent Events; the data of each is a `Said`.", {"text/event-stream": {"schema": {"type": "string"}}})},
    tag=_LOOK,
    description="An event's name is the message's kind. The stream ends for a client that does not keep up.",
    refusals=_NOBODY,
)


# --- deeds ------------------------------------------------------------------------------------------------------------


class Deeds(NamedTuple):
    """A kind of deed, the last segment of its path, and its description."""

    kind: type[Deed]
    path: str
    described: Document


def _deed(kind: type[Deed], path: str, id: str, summary: str, example: dict[str, Any], *, bare: bool = True) -> Deeds:
    described = operation(
        id,
        summary,
        {200: ("The station, right after it.", json(reference(shapes.Station), _SEEN))},
        tag=_DO,
        description=inspect.cleandoc(kind.__doc__ or ""),
        body=request(untagged(kind), example, required=not bare),
        refusals=_ABOUT_ONE | {409: "It is impossible now, and nothing has changed; the message says why."},
    )
    return Deeds(kind, path, described)


_FIRST = {"connector": 1}
DEEDS = (
    _deed(deeds.Park, "park", "park", "A car drives into the bay", _FIRST),
    _deed(deeds.Depart, "depart", "depart", "The car leaves", _FIRST),
    _deed(deeds.Plug, "plug", "plug", "A car comes and plugs in", _FIRST),
    _deed(deeds.Unplug, "unplug", "unplug", "The cable is pulled", _FIRST),
    _deed(deeds.Swipe, "swipe", "swipe", "A card is presented", {**_FIRST, "id_tag": "04A1B2C3"}, bare=False),
    _deed(deeds.Fault, "fault", "fault", "Something breaks", {**_FIRST, "error": "GroundFailure"}),
    _deed(deeds.Clear, "clear", "clearFault", "It is mended", _FIRST),
    _deed(deeds.PowerCycle, "power-cycle", "powerCycle", "The power fails, and comes back", {}),
    _deed(deeds.Skew, "skew", "skewClock", "The clock goes wrong", {"seconds": -90.0}, bare=False),
)

# --- the network ------------------------------------------------------------------------------------------------------

OFFLINE = operation(
    "goOffline",
    "The network is gone",
    _DONE,
    tag=_NETWORK,
    description="The station lives on, and tells later what was to be told.",
    body=request(reference(shapes.Away), {"seconds": 30}, required=False),
    refusals=_ABOUT_ONE,
)
ONLINE = operation(
    "goOnline",
    "The network is there again",
    _DONE,
    tag=_NETWORK,
    description="The station connects at once.",
    refusals=_NOBODY,
)
SEND = operation(
    "send",
    "Send any message, and wait for its answer",
    {
        200: ("The payload of the CALLRESULT.", json({"type": "object"}, {"status": "Accepted"})),
        204: ("It was a SEND, which nobody answers.", None),
    },
    tag=_NETWORK,
    description="It goes out beside what the station says by itself; the station does not hear of the answer.",
    body=request(
        reference(shapes.Call), {"action": "DataTransfer", "payload": {"vendorId": "com.example"}}, required=True
    ),
    refusals=_ABOUT_ONE
    | {
        409: "The station is not connected, or is not any more.",
        429: "Too many messages wait for their turn.",
        502: "The central system answered a CALLERROR.",
        504: "It did not answer in time.",
    },
)

# --- what goes wrong --------------------------------------------------------------------------------------------------

TROUBLE = operation(
    "beginTrouble",
    "Something goes wrong at the connection",
    _DONE,
    tag=_FAULTS,
    description="Each kind is there once: beginning it again replaces it. Different kinds add up, until `heal`.",
    body=request(trouble(), {"trouble": "slowanswers", "seconds": 5.0}, required=True),
    refusals=_ABOUT_ONE | {409: "It needs a connection, and there is none."},
)
HEAL = operation("heal", "Nothing goes wrong there any more", _DONE, tag=_FAULTS, refusals=_NOBODY)
STORM = operation(
    "storm",
    "All stations lose their connections at once, and come back at once",
    {200: ("It has begun.", json(reference(shapes.Struck), {"stations": 100}))},
    tag=_FAULTS,
    description=inspect.cleandoc(Storm.__doc__ or ""),
    body=request(untagged(Storm), {"times": 3, "every": 10.0, "gap": 0.5}, required=False),
    refusals=_WRONG | _TOO_LARGE,
)
