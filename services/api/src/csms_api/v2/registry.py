"""Changes to the records of stations, and what follows from them for their connections."""

import asyncio

import msgspec
from msgspec import UNSET

from csms_api.errors import ApiError
from csms_api.operations import SOAP, is_known
from csms_api.v2 import reading, shapes
from csms_api.v2.quirks import QUIRKS
from csms_api.v2.resource import unknown
from csms_ocpp.version import StationId
from csms_platform.callbacks import has_user, is_callback
from csms_platform.envelope import Capsule, Envelope, Kind
from csms_platform.passwords import digest
from csms_platform.ports import Ports, Station, gateway_address

LONGEST_PASSWORD = 128


class Registry:
    """The records. Two changes of one record at the same moment are not told apart: the later one stays."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self._store = ports.stations

    async def put(
        self, identity: str, fields: shapes.StationRecord | shapes.NewStation, *, only_new: bool = False
    ) -> bool:
        """Register the station, or replace its record but for the password (not with `only_new`); answers whether it
        is new. Raises `ApiError` 400."""
        known = await self._store.get(StationId(identity))
        changes = _checked(fields)
        if known is None or not only_new:
            await self._keep(msgspec.structs.replace(known or Station(StationId(identity)), **changes), known)
        return known is None

    async def change(self, identity: str, changes: shapes.StationChanges) -> None:
        """Change what is given. Raises `ApiError` 400 or 404."""
        known = await self._registered(identity)
        await self._keep(msgspec.structs.replace(known, **_checked(changes)), known)

    async def set_password(self, identity: str, password: str) -> None:
        """From now on the station shows this one, "": none. Raises `ApiError` 400 or 404."""
        if len(password.encode()) > LONGEST_PASSWORD:
            raise reading.invalid("password", f"must have at most {LONGEST_PASSWORD} bytes in UTF-8.")
        await self._registered(identity)
        made = await asyncio.to_thread(digest, password) if password else ""
        # Looked up again: making a digest takes a while.
        await self._store.put(msgspec.structs.replace(await self._registered(identity), password=made))

    async def delete(self, identity: str, *, disconnect: bool) -> None:
        """Forget the station; raises `ApiError` 404 when nobody knows it."""
        station = StationId(identity)
        session = await self._ports.sessions.get(station)
        if session is None and not await is_known(self._ports, station):
            raise unknown("charging station", identity)
        await self._store.delete(station)
        if disconnect:
            await self._disconnect(station)

    async def _registered(self, identity: str) -> Station:
        known = await self._store.get(StationId(identity))
        if known is None:
            raise ApiError(404, f"The charging station {identity[:50]} is not registered.")
        return known

    async def _keep(self, station: Station, before: Station | None) -> None:
        await self._store.put(station)
        if station.disabled and not (before and before.disabled):
            await self._disconnect(station.identity)

    async def _disconnect(self, identity: StationId) -> None:
        session = await self._ports.sessions.get(identity)
        if session is None:
            return
        if session.transport == SOAP:
            # Nobody holds a connection: it counts as gone when its own lease ends.
            return await self._ports.sessions.retire(session.gateway)
        eviction = Envelope(
            Kind.EVICT,
            identity,
            account=session.account,
            version=session.version,
            session=Capsule(epoch=session.epoch, account=session.account),
        )
        self._ports.bus.send(gateway_address(session.gateway), eviction)


def _checked(fields: shapes.StationRecord | shapes.NewStation | shapes.StationChanges) -> dict[str, object]:
    """The fields of `Station` that are given. Raises `ApiError` 400."""
    given = {name: value for name, value in msgspec.structs.asdict(fields).items() if value is not UNSET}
    given.pop("identity", None)
    if account := given.get("account"):
        reading.name("account", account)
    if url := given.get("callback"):
        _check_callback(url)
    if "quirks" in given:
        given["quirks"] = " ".join(_known(given["quirks"]))
    return given


def _check_callback(url: str) -> None:
    if not is_callback(url):
        raise reading.invalid("callback", "must be an http or https URL.")
    if has_user(url):
        raise reading.invalid("callback", "must not hold a user name or password.")


def _known(quirks: tuple[str, ...]) -> tuple[str, ...]:
    for quirk in quirks:
        if quirk not in QUIRKS:
            raise reading.invalid("quirks", f"{quirk[:50]!r} is not known; known are {', '.join(QUIRKS)}.")
    return quirks
