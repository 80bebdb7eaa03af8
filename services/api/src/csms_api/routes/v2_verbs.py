"""`/api/v2/stations/{identity}/start`, `stop`, `reset`, `unlock`, `availability`: the same for every version."""

import random
from collections.abc import Callable
from typing import Any

import msgspec
from fastapi import APIRouter
from msgspec import UNSET
from starlette.requests import Request
from starlette.responses import Response

from csms_api.auth import COMMAND, permit
from csms_api.context import Context
from csms_api.errors import ApiError
from csms_api.operations import offline, session_if_online, speech_of
from csms_api.routes.v2_commands import ANSWERS, REFUSALS
from csms_api.v2 import commanding, reading
from csms_api.v2.describing import operation, wait
from csms_api.v2.neutral import Untranslatable, is_at, translate
from csms_api.v2.resource import Operation, Resource
from csms_api.v2.verbs import Availability, Reset, Start, Stop, Unlock, Verb
from csms_api.v2.views import is_active
from csms_api.v2.walking import transactions
from csms_ocpp.version import StationId, Version
from csms_platform.ports import Transaction

_TAG = "Commands"
_USUAL = 30.0
_PAGE = 100


def router(context: Context) -> APIRouter:
    """The routes, with their descriptions."""
    routes = APIRouter()

    async def ask(request: Request, decode: Callable[[bytes], Verb]) -> Response:
        identity, client = request.path_params["identity"], permit(request, COMMAND)
        waits = reading.seconds(request, "wait", _USUAL, commanding.LONGEST_WAIT)
        verb = await reading.body(request, decode)
        session = await session_if_online(context.ports, identity)
        if session is None:
            raise offline(identity)
        speech = speech_of(session)
        version = speech.version
        if isinstance(verb, Stop):
            verb = await _named(context, StationId(identity), verb, version)
        try:
            action, payload = translate(verb, version, random.getrandbits(31))
        except Untranslatable as error:
            raise ApiError(400, f"Invalid request: {error}") from None
        encoded = msgspec.json.encode(payload)
        commanding.refuse(action, encoded, speech)
        timeout = waits or context.settings.command_wait
        return await commanding.send(
            context, commanding.Wish(identity, action, encoded, waits, timeout, who=client.name)
        )

    def resource(name: str, body: type[Any], summary: str, **refusals: str) -> Resource:
        decode = msgspec.json.Decoder(body).decode

        async def handle(request: Request) -> Response:
            return await ask(request, decode)

        described = operation(
            name,
            summary,
            ANSWERS,
            tag=_TAG,
            query=[wait(_USUAL)],
            body=body,
            refusals=REFUSALS | {int(status.lstrip("_")): text for status, text in refusals.items()},
            description=_WORDS,
        )
        return Resource(f"/stations/{{identity}}/{name}", POST=Operation(handle, COMMAND, described))

    routes.routes += [
        resource("start", Start, "Start a transaction"),
        resource("stop", Stop, "Stop a transaction", _409="No transaction is under way there."),
        resource("reset", Reset, "Restart a station"),
        resource("unlock", Unlock, "Unlock a connector"),
        resource("availability", Availability, "Put a station, an EVSE or a connector into operation, or out of it"),
    ]
    return routes


async def _named(context: Context, identity: StationId, verb: Stop, version: Version) -> Stop:
    """The stop of the transaction that is under way where `verb` says, if it does not name one."""
    if verb.transaction_id is not UNSET or (verb.connector_id is UNSET and verb.evse_id is UNSET):
        return verb

    async def page(after: str, _: int) -> tuple[list[Transaction], str]:
        return await context.ports.transactions.page(identity=identity, after=after, limit=_PAGE)

    found, _ = await transactions(page, lambda one: is_active(one) and is_at(one, verb, version), "", 1)
    if not found:
        raise ApiError(409, f"No transaction of {identity[:50]} is under way there.")
    return Stop(transaction_id=found[0].id)


_WORDS = """\
The action and the payload are those of the station's version; the outcome names the action. Where only one number is
given it is the number of the connector in OCPP 1.x, and of the EVSE in 2.x, whichever of the two names it has.
"""
