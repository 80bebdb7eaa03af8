"""`/api/v1`: ping, time, and the commands, as operators of the reference system know them.

Plain routes: bytes in, bytes out. Nothing here goes through models, because this is what many requests a second do.
"""

from uuid import uuid4

import msgspec
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from csms_api import payloads
from csms_api.auth import COMMAND, permit
from csms_api.context import Context
from csms_api.operations import (
    refuse_foreign,
    refuse_invalid,
    refuse_unknown,
    schema_of,
    session_of,
    speech_of,
)
from csms_api.outcomes import answered
from csms_api.routes.plain import Plain

PONG = b'{"error":{"code":200,"message":"OK"}}'


def router(context: Context) -> APIRouter:
    """The routes; what they are is in `openapi.py`."""
    routes = APIRouter()

    async def ping(request: Request) -> Response:
        return Response(PONG, media_type="application/json")

    async def time(request: Request) -> Response:
        body = msgspec.json.encode({"serverTime": int(context.now() * 1000)})
        return Response(body, media_type="application/json")

    async def command(request: Request) -> Response:
        client = permit(request, COMMAND)
        identity, operation = request.path_params["identity"], request.path_params["operation"]
        refuse_unknown(operation)
        speech = speech_of(await session_of(context.ports, identity))
        refuse_foreign(operation, speech)
        payload = await payloads.read(request, schema_of(operation, speech.version))
        refuse_invalid(payload, operation, speech.version)
        wait = context.settings.command_wait
        return answered(
            await context.asking.ask(identity, operation, payload, id=uuid4().hex, wait=wait, who=client.name)
        )

    routes.routes += [
        Plain("/api/v1/ping", ping, "GET"),
        Plain("/api/v1/time", time, "GET"),
        # An identity may contain a slash, which arrives decoded.
        Plain("/api/v1/ChargePoint/{identity:path}/{operation}", command, "GET", "POST"),
    ]
    return routes
