"""`/api/v2/stations`: who is known, who is registered, and who is online."""

import msgspec
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from csms_api.auth import ADMIN, READ
from csms_api.context import Context
from csms_api.errors import ApiError
from csms_api.v2 import reading, registry, shapes, walking
from csms_api.v2.describing import BOOLEAN, PAGE, Answer, operation, parameter
from csms_api.v2.resource import Operation, Resource, answer, created, location, nothing, unknown
from csms_ocpp.version import StationId

_TAG = "Stations"
_new = msgspec.json.Decoder(shapes.NewStation).decode
_record = msgspec.json.Decoder(shapes.StationRecord).decode
_changes = msgspec.json.Decoder(shapes.StationChanges).decode
_password = msgspec.json.Decoder(shapes.Password).decode


def router(context: Context) -> APIRouter:
    """The routes, with their descriptions."""
    routes, kept = APIRouter(), registry.Registry(context.ports)

    async def shown(identity: str) -> shapes.Station:
        found = await walking.station(context.ports, StationId(identity), context.now())
        if found is None:
            raise unknown("charging station", identity)
        return found

    async def page(request: Request) -> Response:
        text = request.query_params.get
        wanted = walking.StationFilter(reading.boolean(request, "online"), text("account", ""), text("prefix", ""))
        after, limit = reading.after(request), reading.limit(request)
        found, following = await walking.stations(context.ports, wanted, after, limit, context.now())
        return answer(shapes.StationPage(found, following))

    async def show(request: Request) -> Response:
        return answer(await shown(request.path_params["identity"]))

    async def register(request: Request) -> Response:
        fields = await reading.body(request, _new)
        identity = reading.name("identity", fields.identity)
        if not await kept.put(identity, fields, only_new=True):
            raise ApiError(409, f"The charging station {identity[:50]} is registered already.")
        return created(await shown(identity), location("stations", identity))

    async def put(request: Request) -> Response:
        identity = reading.name("identity", request.path_params["identity"])
        new = await kept.put(identity, await reading.body(request, _record))
        return created(await shown(identity), location("stations", identity), new=new)

    async def change(request: Request) -> Response:
        identity = request.path_params["identity"]
        await kept.change(identity, await reading.body(request, _changes))
        return answer(await shown(identity))

    async def delete(request: Request) -> Response:
        await kept.delete(request.path_params["identity"], disconnect=bool(reading.boolean(request, "disconnect")))
        return nothing()

    async def set_password(request: Request) -> Response:
        password = (await reading.body(request, _password)).password
        await kept.set_password(request.path_params["identity"], password)
        return nothing()

    async def drop_password(request: Request) -> Response:
        await kept.set_password(request.path_params["identity"], "")
        return nothing()

    routes.routes += [
        Resource("/stations", GET=Operation(page, READ, _PAGE), POST=Operation(register, ADMIN, _REGISTER)),
        Resource(
            "/stations/{identity}",
            GET=Operation(show, READ, _SHOW),
            PUT=Operation(put, ADMIN, _PUT),
            PATCH=Operation(change, ADMIN, _CHANGE),
            DELETE=Operation(delete, ADMIN, _DELETE),
        ),
        Resource(
            "/stations/{identity}/password",
            PUT=Operation(set_password, ADMIN, _SET_PASSWORD),
            DELETE=Operation(drop_password, ADMIN, _DROP_PASSWORD),
        ),
    ]
    return routes


_WRONG = {400: "A field or parameter is wrong; the message says which."}
_MISSING = {404: "There is no such station."}
_UNREGISTERED = {404: "The station is not registered."}
_ONE = Answer("The station.", shapes.Station)
_NEW = Answer("It is registered now.", shapes.Station, {"Location": "Of the station."})
_PAGE = operation(
    "listStations",
    "The charging stations that are known",
    {200: Answer("Stations.", shapes.StationPage)},
    tag=_TAG,
    query=[
        parameter("online", "Only those that are connected, or only those that are not.", BOOLEAN),
        parameter("account", "Only those of this account.", example="acme"),
        parameter("prefix", "Only those whose identity begins so.", example="CS-"),
        *PAGE,
    ],
    refusals=_WRONG,
)
_SHOW = operation("getStation", "A charging station", {200: _ONE}, tag=_TAG, refusals=_MISSING)
_REGISTER = operation(
    "registerStation",
    "Register a station",
    {201: _NEW},
    tag=_TAG,
    body=shapes.NewStation,
    refusals=_WRONG | {409: "It is registered already."},
)
_PUT = operation(
    "putStation",
    "Register a station, or replace its record",
    {200: Answer("Its record was replaced.", shapes.Station), 201: _NEW},
    tag=_TAG,
    body=shapes.StationRecord,
    refusals=_WRONG,
    description="Its password stays. When it becomes disabled its connection is closed.",
)
_CHANGE = operation(
    "changeStation",
    "Change some of a station's record",
    {200: _ONE},
    tag=_TAG,
    body=shapes.StationChanges,
    refusals=_WRONG | _UNREGISTERED,
    description="When it becomes disabled its connection is closed.",
)
_DELETE = operation(
    "deleteStation",
    "Forget a station",
    {204: Answer("It is gone.")},
    tag=_TAG,
    query=[parameter("disconnect", "Close its connection, too.", BOOLEAN)],
    refusals=_WRONG | _MISSING,
    description="Its record goes, and what it told. A station that stays connected, or may come again, is known again.",
)
_SET_PASSWORD = operation(
    "setPassword",
    "Set a station's password",
    {204: Answer("It is set.")},
    tag=_TAG,
    body=shapes.Password,
    refusals=_WRONG | _UNREGISTERED,
    description="Only a digest of it is kept. 40 hexadecimal digits and the 20 bytes that they stand for are the same.",
)
_DROP_PASSWORD = operation(
    "dropPassword",
    "Take a station's password away",
    {204: Answer("It has none.")},
    tag=_TAG,
    refusals=_UNREGISTERED,
)
