"""`/api/v2/dead-letters`: messages that the operator's endpoint never took; to look at, deliver again, or discard."""

from fastapi import APIRouter
from msgspec.structs import replace
from starlette.requests import Request
from starlette.responses import Response

from csms_api.auth import ADMIN, READ
from csms_api.context import Context
from csms_api.errors import ApiError
from csms_api.v2 import reading, shapes, views
from csms_api.v2.describing import PAGE, Answer, operation
from csms_api.v2.resource import Operation, Resource, answer, nothing, unknown
from csms_platform.logging import get_logger
from csms_platform.ports import DeadLetter, lane

_log = get_logger("api")
_TAG = "Dead letters"


def router(context: Context) -> APIRouter:
    """The routes, with their descriptions."""
    routes, ports, deliveries = APIRouter(), context.ports, context.ports.deliveries

    async def named(request: Request) -> DeadLetter:
        found = await deliveries.dead_letter(request.path_params["id"])
        if found is None:
            raise unknown("dead letter", request.path_params["id"])
        return found

    async def page(request: Request) -> Response:
        limit = reading.limit(request)
        try:
            found, following = await deliveries.dead(after=reading.after(request), limit=limit)
        except ValueError as error:
            raise ApiError(400, f"Invalid request: after: {error}", field="after") from None
        return answer(shapes.DeadLetterPage([views.dead_letter(one) for one in found], following))

    async def show(request: Request) -> Response:
        return answer(views.dead_letter(await named(request), opened=True))

    async def replay(request: Request) -> Response:
        dead = await named(request)
        now = int(context.now() * 1000)
        # A new time, or it would be too old again at once.
        letter = replace(views.letter_in(dead), stored=now)
        # In the index before it is in the spool, and a dead letter until it is there: nothing is lost in between.
        await deliveries.waits(lane(letter.endpoint, dead.identity), letter.id, now)
        await ports.spool.store(letter)
        # The endpoint may have refused it again by now: that is another death, and stays.
        await deliveries.discard(dead.id, dead.died)
        _log.info("dead letter replayed", delivery=dead.id, station=dead.identity, endpoint=dead.endpoint)
        return answer(shapes.Replay(dead.id), 202)

    async def discard(request: Request) -> Response:
        dead = await named(request)
        if not await deliveries.discard(dead.id):
            raise unknown("dead letter", dead.id)
        _log.info("dead letter discarded", delivery=dead.id, station=dead.identity, endpoint=dead.endpoint)
        return nothing()

    routes.routes += [
        Resource("/dead-letters", GET=Operation(page, READ, _PAGE)),
        Resource("/dead-letters/{id}", GET=Operation(show, READ, _SHOW), DELETE=Operation(discard, ADMIN, _DISCARD)),
        Resource("/dead-letters/{id}/replay", POST=Operation(replay, ADMIN, _REPLAY)),
    ]
    return routes


_MISSING = {404: "There is no such dead letter."}
_PAGE = operation(
    "listDeadLetters",
    "Messages that the operator's endpoint never took",
    {200: Answer("Dead letters.", shapes.DeadLetterPage)},
    tag=_TAG,
    query=PAGE,
    refusals={400: "A parameter is wrong; the message says which."},
)
_SHOW = operation(
    "getDeadLetter",
    "A dead letter, opened",
    {200: Answer("It, with the message.", shapes.DeadLetter)},
    tag=_TAG,
    refusals=_MISSING,
)
_REPLAY = operation(
    "replayDeadLetter",
    "Deliver a dead letter again",
    {202: Answer("It waits for the endpoint again, under the same delivery id.", shapes.Replay)},
    tag=_TAG,
    refusals=_MISSING,
)
_DISCARD = operation(
    "discardDeadLetter", "Discard a dead letter", {204: Answer("It is gone.")}, tag=_TAG, refusals=_MISSING
)
