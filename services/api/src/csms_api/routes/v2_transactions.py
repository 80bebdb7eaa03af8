"""`/api/v2/transactions`: what was charged, and what is being charged."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from csms_api.auth import READ
from csms_api.context import Context
from csms_api.errors import ApiError
from csms_api.v2 import reading, shapes, views, walking
from csms_api.v2.describing import BOOLEAN, PAGE, TIME, Answer, operation, parameter
from csms_api.v2.resource import Operation, Resource, answer, unknown
from csms_ocpp.version import StationId
from csms_platform.ports import Transaction

_TAG = "Transactions"


def router(context: Context) -> APIRouter:
    """The routes, with their descriptions."""
    routes, store = APIRouter(), context.ports.transactions

    async def page(request: Request) -> Response:
        identity = request.query_params.get("identity")
        since, until = reading.moment(request, "from"), reading.moment(request, "to")
        active = reading.boolean(request, "active")

        async def stored(after: str, limit: int) -> tuple[list[Transaction], str]:
            return await store.page(
                identity=StationId(identity) if identity else None,
                since=max(since or 0, 0),
                until=until,
                after=after,
                limit=limit,
            )

        def takes(record: Transaction) -> bool:
            return active is None or active is views.is_active(record)

        try:
            found, following = await walking.transactions(stored, takes, reading.after(request), reading.limit(request))
        except ValueError as error:
            raise ApiError(400, f"Invalid request: after: {error}", field="after") from None
        return answer(shapes.TransactionPage([views.transaction(record) for record in found], following))

    async def show(request: Request) -> Response:
        found = await store.get(StationId(request.path_params["identity"]), request.path_params["id"])
        if found is None:
            raise unknown("transaction", request.path_params["id"])
        return answer(views.transaction(found))

    routes.routes += [
        Resource("/transactions", GET=Operation(page, READ, _PAGE)),
        Resource("/stations/{identity}/transactions/{id}", GET=Operation(show, READ, _SHOW)),
    ]
    return routes


_PAGE = operation(
    "listTransactions",
    "Transactions, the newest first",
    {200: Answer("Transactions.", shapes.TransactionPage)},
    tag=_TAG,
    query=[
        parameter("identity", "Only those of this station.", example="CS-1"),
        parameter("from", "Only those that began then or later, ISO 8601.", TIME),
        parameter("to", "Only those that began before, ISO 8601.", TIME),
        parameter("active", "Only those that are under way, or only those that are not.", BOOLEAN),
        *PAGE,
    ],
    refusals={400: "A parameter is wrong; the message says which."},
)
_SHOW = operation(
    "getTransaction",
    "A transaction",
    {200: Answer("The transaction.", shapes.Transaction)},
    tag=_TAG,
    refusals={404: "There is no such transaction of this station."},
)
