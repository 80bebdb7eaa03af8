"""`/api/v1`: the lists of stations, transactions and reservations, as operators of the reference system know them."""

from typing import Any

import msgspec
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from csms_api import listing, paging, payloads
from csms_api.auth import READ, permit
from csms_api.context import Context
from csms_api.errors import ApiError
from csms_api.routes.plain import Plain
from csms_ocpp.version import StationId

_encode = msgspec.json.Encoder().encode


class Wish(msgspec.Struct, frozen=True, rename="camel"):
    """What is to be listed: of one station or of all, and of which time (ISO 8601; `date_to` is not included)."""

    identity: str | None = None
    date_from: str | None = None
    date_to: str | None = None

    @property
    def station(self) -> StationId | None:
        """The station, None for all."""
        return StationId(self.identity) if self.identity else None


_read = msgspec.json.Decoder(Wish).decode


def router(context: Context) -> APIRouter:
    """The routes; what they are is in `openapi.py`."""
    routes = APIRouter()
    ports, most = context.ports, context.settings.list_limit

    async def charge_points(request: Request) -> Response:
        permit(request, READ)
        now = context.now()
        return _list("ChargePointList", [listing.station(*known, now) async for known in paging.stations(ports)])

    async def transactions(request: Request) -> Response:
        permit(request, READ)
        wish = await _wish(request)
        since, until = _moment("dateFrom", wish.date_from), _moment("dateTo", wish.date_to)
        found, more = await paging.transactions(ports, wish.station, since or 0, until, most)
        known = await paging.look_up(ports, sorted({record.identity for record in found}))
        serials = {one.identity: listing.serial_number(one.notes) for one in known}
        rows = [listing.transaction(record, serials[record.identity]) for record in found]
        return _list("TransactionList", rows, **({"more": True} if more else {}))

    async def reservations(request: Request) -> Response:
        permit(request, READ)
        wish = await _wish(request)
        since, until = _moment("dateFrom", wish.date_from), _moment("dateTo", wish.date_to)
        known = paging.stations(ports, wish.station)
        rows = [row async for one in known for row in listing.reservations(one.identity, one.notes)]
        return _list("ReservationList", [row for row in rows if listing.expires_within(row, since, until)])

    routes.routes += [
        Plain("/api/v1/ChargePointList", charge_points, "GET"),
        Plain("/api/v1/CentralSystem/ChargePointList", charge_points, "GET"),
        Plain("/api/v1/CentralSystem/TransactionList", transactions, "POST"),
        Plain("/api/v1/CentralSystem/ReservationList", reservations, "POST"),
    ]
    return routes


def _list(name: str, rows: list[listing.Row], **more: Any) -> Response:
    return Response(_encode({name: rows, **more}), media_type="application/json")


async def _wish(request: Request) -> Wish:
    try:
        return _read(await payloads.read(request, {}))
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise ApiError(400, f"Invalid request: {error}.") from None


def _moment(field: str, text: str | None) -> int | None:
    try:
        return listing.milliseconds(text) if text else None
    except (ValueError, OverflowError):
        raise ApiError(400, f"Invalid request: {field}: {text!r} is no ISO 8601 time.", field=field) from None
