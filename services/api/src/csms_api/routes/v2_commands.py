"""`/api/v2/stations/{identity}/commands`: any command that the station's version has, and the record of each."""

import asyncio

import msgspec
from fastapi import APIRouter
from msgspec import UNSET
from starlette.requests import Request
from starlette.responses import Response

from csms_api.auth import COMMAND, READ, permit
from csms_api.context import Context
from csms_api.operations import Speech, session_if_online, speech_of
from csms_api.v2 import commanding, orders, reading, views
from csms_api.v2.describing import Answer, operation, wait
from csms_api.v2.reading import invalid
from csms_api.v2.resource import Operation, Resource, answer, unknown
from csms_ocpp.version import DIALECTS, StationId
from csms_platform.ports import SessionRecord

_TAG = "Commands"
_LOOKS = (0.02, 0.08, 0.2, 0.3, 0.4, 0.5, 0.5)  # seconds between looks for a record that the router has yet to make
_decode = msgspec.json.Decoder(orders.Ask).decode
_EMPTY = msgspec.Raw(b"{}")

ANSWERS = {
    200: Answer("It ended: the station's answer, its CALLERROR, or why it was not asked.", orders.Outcome),
    202: Answer("It is under way; its record tells how it ends.", orders.Accepted, {"Location": "Of its record."}),
    504: Answer(
        "It was sent, and no answer came in time: whether the station acted is not known.", orders.FailedOutcome
    ),
}
REFUSALS = {
    400: "The action or its payload is not one of the station's version; the message says which field, and why.",
    404: "There is no such station.",
    429: "Too many requests, or too many commands wait for the station; see Retry-After.",
    503: "The station is offline, or the central system's bus or store is away.",
}


def router(context: Context) -> APIRouter:
    """The routes, with their descriptions."""
    routes = APIRouter()

    async def give(request: Request) -> Response:
        identity, client = request.path_params["identity"], permit(request, COMMAND)
        waits = reading.seconds(request, "wait", 0.0, commanding.LONGEST_WAIT)
        asked = await reading.body(request, _decode)
        payload = _payload(asked)
        session = await session_if_online(context.ports, identity)
        commanding.refuse(asked.action, payload, _speech(session))
        usual = waits or context.settings.command_wait
        wish = commanding.Wish(
            identity,
            asked.action,
            payload,
            waits,
            usual if asked.timeout is UNSET else asked.timeout,
            asked.offline,
            "" if asked.unique_id is UNSET else asked.unique_id,
            client.name,
        )
        return await commanding.send(context, wish)

    async def record(request: Request) -> Response:
        identity, command = StationId(request.path_params["identity"]), request.path_params["id"]
        store = context.ports.commands
        found = await store.get(identity, command)
        if found is None:
            await session_if_online(context.ports, identity)
        for seconds in _LOOKS if found is None else ():
            await asyncio.sleep(seconds)
            if found := await store.get(identity, command):
                break
        if found is None:
            raise unknown("command", command)
        return answer(views.command(found))

    routes.routes += [
        Resource("/stations/{identity}/commands", POST=Operation(give, COMMAND, _GIVE)),
        Resource("/stations/{identity}/commands/{id}", GET=Operation(record, READ, _RECORD)),
    ]
    return routes


def _speech(session: SessionRecord | None) -> Speech | None:
    """What the station speaks, None: not known (yet)."""
    return speech_of(session) if session and session.version in DIALECTS else None


def _payload(asked: orders.Ask) -> bytes:
    payload = bytes(_EMPTY if asked.payload is UNSET else asked.payload)
    if not payload.startswith(b"{"):
        raise invalid("payload", "must be a JSON object.")
    return payload


_GIVE = operation(
    "giveCommand",
    "Ask a station",
    ANSWERS,
    tag=_TAG,
    query=[wait(0)],
    body=orders.Ask,
    refusals=REFUSALS,
    description="A command with the same `uniqueId` is executed once; its outcome is told again.",
)
_RECORD = operation(
    "getCommand",
    "A command, and how it ended",
    {200: Answer("The command.", orders.CommandRecord)},
    tag=_TAG,
    refusals={404: "There is no such station or command; records are kept for a day."},
    description="Asked right after the command was given it waits up to two seconds for the record.",
)
