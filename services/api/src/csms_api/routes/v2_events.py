"""`/api/v2/events`: what happens, as it happens, as Server-Sent Events."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from csms_api.auth import READ
from csms_api.context import Context
from csms_api.streaming import EventStream
from csms_api.v2.describing import REPEATED, Answer, operation, parameter
from csms_api.v2.reading import invalid
from csms_api.v2.resource import Operation, Resource

_MOST = 100
_LONGEST = 255


def router(context: Context) -> APIRouter:
    """The route, with its description."""
    routes, live = APIRouter(), context.live

    async def listen(request: Request) -> Response:
        keys = _texts(request, "key") or ["#"]
        identities = _texts(request, "identity")
        last = request.headers.get("last-event-id") or request.query_params.get("lastEventId", "")
        return EventStream(await live.join(keys, identities, last), live.leave)

    routes.routes += [Resource("/events", GET=Operation(listen, READ, _EVENTS))]
    return routes


def _texts(request: Request, name: str) -> list[str]:
    found = [text for text in request.query_params.getlist(name) if text]
    if len(found) > _MOST or any(len(text) > _LONGEST for text in found):
        raise invalid(name, f"at most {_MOST} of at most {_LONGEST} characters each.")
    return found


_EVENTS = operation(
    "events",
    "What happens, as it happens",
    {200: Answer("Server-Sent Events, until either side ends them.")},
    tag="Events",
    query=[
        parameter("key", "Topic pattern: `*` is one word, `#` any number; may be repeated. All: `#`.", REPEATED),
        parameter("identity", "Only events of this station; may be repeated.", REPEATED),
        parameter("lastEventId", "As the header Last-Event-ID: go on after this event."),
    ],
    refusals={400: "A parameter is wrong; the message says which."},
    description="""\
`id` is the event's id, `event` its type, and `data` the event in JSON as it is on the exchange `ocpp.events`; its
routing key, to which `key` is compared, is `<version>.<action>` for calls and sends, and `<version>.<type>` otherwise.

Two events are about the stream itself. `gap`: events after your last one may be missing. `overrun`: you read too
slowly, and the stream ends; come again with Last-Event-ID.""",
)
_EVENTS["responses"]["200"]["content"] = {"text/event-stream": {"schema": {"type": "string"}}}
