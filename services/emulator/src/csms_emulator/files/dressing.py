"""A plain station becomes the one that a file describes: one wrapper for each thing the file says."""

from random import Random
from typing import Any

import msgspec

from csms_emulator.behaviour import Behaviour
from csms_emulator.charging import CONNECTOR_CURRENT, NOMINAL_VOLTAGE, Kind, Outlet
from csms_emulator.files import canned, driverless, keys, nameplate, numbering
from csms_emulator.files.specification import Connector, Specification
from csms_emulator.files.variables import set_variables
from csms_emulator.station import Station
from csms_emulator.v2 import station as v2

_AC1 = NOMINAL_VOLTAGE * CONNECTOR_CURRENT
_USUAL_POWER: dict[Kind, float] = {"AC1": _AC1, "AC3": 3 * _AC1, "DC": 50_000.0}  # W


def dressed(station: Behaviour, specification: Specification, n: int, now: float) -> Behaviour:
    """The fleet's station `n`, not connected yet, as `specification` wants it."""
    made = _configured(_equipped(station, specification), specification, now)
    if any(msgspec.structs.astuple(specification.nameplate)):
        made = nameplate.Station(made, specification.nameplate.numbered(n))
    return canned.Station(made, specification.answers) if specification.answers else made


def options(specification: Specification) -> dict[str, Any]:
    """What a station is made with because of its connectors; those of 2.x are all alike so far."""
    if specification.settings.version not in ("1.5", "1.6"):
        return {}
    return {"outlets": [_outlet(connector) for connector in specification.connectors]}


def _outlet(connector: Connector) -> Outlet:
    """One with the file's power, or with what is usual for its kind."""
    kind: Kind = "DC" if connector.is_direct else "AC1" if connector.phases == 1 else "AC3"
    return Outlet(kind, _USUAL_POWER[kind] if connector.power_kw is None else connector.power_kw * 1000)


def _equipped(station: Behaviour, specification: Specification) -> Behaviour:
    """With the file's connectors, and without drivers where it wants none."""
    if isinstance(station, Station):
        _set_meters(station, specification)
    if isinstance(station, Station | v2.Station) and not specification.drivers:
        station = driverless.Station(station)
    if not any(connector.number for connector in specification.connectors):
        return station
    numbers = [connector.number or place for place, connector in enumerate(specification.connectors, 1)]
    return numbering.Station(station, numbers)


def _configured(station: Behaviour, specification: Specification, now: float) -> Behaviour:
    if specification.settings.version in ("1.5", "1.6"):
        return keys.Station(station, specification.keys, now) if specification.keys else station
    set_variables(station, specification.keys, now)
    return station


def not_taken(specification: Specification) -> list[str]:
    """The names of the keys that a station of this kind would not obey, as a station of its own shows."""
    settings, wanted = specification.settings, specification.keys
    if settings.version in ("1.5", "1.6"):
        plain = Station("", random=Random(0), epoch=0.0, connectors=settings.connectors)
        return [key.name for key in keys.Station(plain, wanted, 0.0).told.values()]
    newer = v2.Station("", random=Random(0), epoch=0.0, connectors=settings.connectors)
    return set_variables(newer, wanted, 0.0)


def _set_meters(station: Station, specification: Specification) -> None:
    for connector, described in zip(station.connectors.values(), specification.connectors, strict=False):
        if described.meter is not None:
            connector.register = described.meter
