"""What may be asked of a charging station: which operations its version has, and which payloads they take."""

from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple

from csms_api.errors import ApiError
from csms_ocpp import schemas
from csms_ocpp.catalog import Action, Role, asked_by
from csms_ocpp.soap.tables import Service, tables
from csms_ocpp.version import DIALECTS, StationId, Version
from csms_platform.ports import Ports, SessionRecord

VERSIONS = tuple(Version)
SOAP = "soap"


class Speech(NamedTuple):
    """What a station speaks: a version, over a transport ("json" or "soap")."""

    version: Version
    transport: str = "json"

    def __str__(self) -> str:
        return f"OCPP {DIALECTS[self.version].number}{' over SOAP' if self.transport == SOAP else ''}"


@cache
def operations(version: Version) -> dict[str, Action]:
    """What the central system asks in `version`, by name; only what is answered."""
    return {name: action for name, action in sorted(asked_by(Role.CSMS, version).items()) if not action.send}


@cache
def spoken(speech: Speech) -> frozenset[str]:
    """The operations that a station can be asked. Over SOAP there are fewer: the security extension is JSON's alone."""
    known = frozenset(operations(speech.version))
    if speech.transport != SOAP:
        return known
    return known.intersection(tables(speech.version, Service.CHARGE_POINT).operations)


@cache
def names() -> frozenset[str]:
    """The operations of all versions."""
    return frozenset(name for version in VERSIONS for name in operations(version))


def refuse_unknown(operation: str) -> None:
    """Raises `ApiError` 404 for what no version has, before any station is looked up."""
    if operation not in names():
        raise ApiError(404, f"There is no operation {operation[:50]}.")


async def session_of(ports: Ports, identity: str) -> SessionRecord:
    """The station's session. Raises `ApiError`: 503 when it is offline, 404 when nobody knows it."""
    session = await session_if_online(ports, identity)
    if session is None:
        raise offline(identity)
    return session


async def session_if_online(ports: Ports, identity: str) -> SessionRecord | None:
    """The station's session, None: offline. Raises `ApiError` 404 when nobody knows it."""
    station = StationId(identity)
    session = await ports.sessions.get(station)
    if session is None and not await is_known(ports, station):
        raise ApiError(404, f"There is no charging station {identity[:50]}.")
    return session


async def is_known(ports: Ports, station: StationId) -> bool:
    """Whether the station is registered, or has ever told anything about itself."""
    return bool(await ports.stations.get(station) or await ports.stations.recall(station))


def offline(identity: str) -> ApiError:
    """503: the station is not connected."""
    return ApiError(503, f"The charging station {identity} is offline.")


def speech_of(session: SessionRecord) -> Speech:
    """What the station speaks. Raises `ApiError` 503 for a session without a version that we know."""
    try:
        return Speech(Version(session.version), session.transport)
    except ValueError:
        raise ApiError(503, f"The version that {session.identity} speaks is not known yet.") from None


def refuse_foreign(operation: str, speech: Speech) -> None:
    """Raises `ApiError` 404 for an operation that what the station speaks does not have."""
    if operation not in spoken(speech):
        raise ApiError(404, f"There is no operation {operation[:50]} in {speech}.")


def refuse_invalid(payload: bytes, operation: str, version: Version) -> None:
    """Raises `ApiError` 400 with the field and what is wrong with it."""
    violation = schemas.table(version)[operation, schemas.REQUEST].check(payload)
    if violation:
        where: dict[str, Any] = {"field": violation.where} if violation.where else {}
        raise ApiError(400, f"Invalid payload of {operation}: {violation.description}", **where)


@cache
def schema_of(operation: str, version: Version) -> Mapping[str, Any]:
    """The request's schema as a document. Not to be changed."""
    return schemas.document(version, operation, schemas.REQUEST)
