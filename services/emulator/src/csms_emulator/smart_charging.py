"""Smart charging: the three commands of OCPP 1.6's profile, and the cars that obey."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from csms_emulator import schedule
from csms_emulator.actions import Payload
from csms_emulator.profiles import MOST_PERIODS, STATION_MAX, TRANSACTION, Profile, read
from csms_emulator.schedule import Limit

if TYPE_CHECKING:
    from csms_emulator.connector import Connector
    from csms_emulator.station import Station

SCHEDULE = "schedule"
ALL_PHASES = 3
LONGEST = 366 * 86_400  # seconds that a composite schedule covers
RATE_UNITS = {"A": "Current", "W": "Power"}


def set_charging_profile(station: Station, request: Payload, now: float) -> Payload:
    """SetChargingProfile (OCPP 1.6 §5.16)."""
    number, profile = request["connectorId"], understood(station, request["csChargingProfiles"])
    known = number == 0 or number in station.connectors
    if profile is None or not known or not _belongs(station, number, profile):
        return {"status": "Rejected"}
    installed = station.board.profiles.install(number, profile)
    return {"status": "Accepted" if installed else "Rejected"}


def clear_charging_profile(station: Station, request: Payload, now: float) -> Payload:
    """ClearChargingProfile (OCPP 1.6 §5.4): the one with this id, or all that meet every criterion."""

    def matches(connector: int, profile: Profile) -> bool:
        if "id" in request:
            return bool(profile.id == request["id"])
        found = {
            "connectorId": connector,
            "chargingProfilePurpose": profile.purpose,
            "stackLevel": profile.stack_level,
        }
        return all(found[name] == request[name] for name in found if name in request)

    return {"status": "Accepted" if station.board.profiles.clear(matches) else "Unknown"}


def get_composite_schedule(station: Station, request: Payload, now: float) -> Payload:
    """GetCompositeSchedule (OCPP 1.6 §5.7); 0 is what all connectors together may take from the grid."""
    number, duration = request["connectorId"], min(max(1, request["duration"]), LONGEST)
    if number != 0 and number not in station.connectors:
        return {"status": "Rejected"}
    unit = request.get("chargingRateUnit") or _usual_unit(station, number)
    steps, covered = _composed(station, number, duration, now)
    planned = {
        "duration": covered,
        "startSchedule": station.board.timestamp(now),
        "chargingRateUnit": unit,
        "chargingSchedulePeriod": [_period(at, limit, unit) for at, limit in steps.items()],
    }
    told = {"connectorId": number, "scheduleStart": station.board.timestamp(now)}
    return {"status": "Accepted", **told, "chargingSchedule": planned}


def _composed(station: Station, number: int, duration: int, now: float) -> tuple[dict[int, Limit], int]:
    """The limits by the second at which they begin; and for how many seconds they are told."""
    steps, covered = schedule.compose(
        lambda at: _allowed(station, number, at, now),
        lambda at: min((_next_change(station, c, at, now) for c in _meant(station, number)), default=inf),
        now,
        duration,
        MOST_PERIODS,
    )
    # Of two that begin within a second the later one counts.
    return {round(at): limit for at, limit in steps}, round(covered)


def understood(station: Station, payload: Payload) -> Profile | None:
    """The profile, if it makes sense and its unit is one of those that this station takes."""
    units = station.configuration.names("ChargingScheduleAllowedChargingRateUnit")
    taken = RATE_UNITS[payload["chargingSchedule"]["chargingRateUnit"]] in units
    return read(payload, station.board.instant) if taken else None


def obey(station: Station, now: float) -> None:
    """Let the cars take what they may, and enter the next change into the agenda; at the end of every input."""
    board = station.board
    charging = [connector for connector in station.connectors.values() if connector.transaction]
    limited = [connector for connector in charging if connector.limited]
    board.agenda.cancel(SCHEDULE)
    if not board.profiles and not limited:
        return
    hungry = sum(1 for connector in charging if connector.hungry)
    for connector in charging:
        connector.offer(_share(connector, hungry, now), now)
    following = min((_next_change(station, connector, now, now) for connector in charging), default=inf)
    if following < inf:
        board.agenda.set(following, SCHEDULE)


def _share(connector: Connector, hungry: int, now: float) -> float:
    """What the connector may take, in W: the station's limit in equal parts, and no more than its own."""
    profiles, began, phases = connector.board.profiles, connector.began(now), connector.phases
    own = schedule.transaction_limit(profiles, connector.number, now, began, phases)
    whole = schedule.station_limit(profiles, now, began, ALL_PHASES)
    part = whole.watts / max(1, hungry) if whole else inf
    return min(own.watts if own else inf, part)


def _belongs(station: Station, number: int, profile: Profile) -> bool:
    if profile.purpose == STATION_MAX:
        return number == 0
    if profile.purpose != TRANSACTION:
        return True
    # OCPP 1.6 §3.13.1: without a transaction on the connector a TxProfile is discarded.
    running = [connector.transaction for connector in station.at(number)]
    return any(t is not None and profile.transaction in (None, t.id) for t in running)


def _meant(station: Station, number: int) -> list[Connector]:
    return [*station.connectors.values()] if number == 0 else station.at(number)


def _allowed(station: Station, number: int, at: float, now: float) -> Limit:
    """What one connector, or all, may take at an instant: by the profiles, and by how they are made."""
    profiles = station.board.profiles
    owns = [_own(connector, at, now) for connector in _meant(station, number)]
    own = owns[0] if len(owns) == 1 else Limit(sum(one.watts for one in owns), ALL_PHASES)
    whole = schedule.station_limit(profiles, at, now, own.phases)
    return min((own, whole), key=lambda limit: limit.watts) if whole else own


def _own(connector: Connector, at: float, now: float) -> Limit:
    outlet = connector.outlet
    made = Limit(outlet.power, outlet.phases)
    profiles, began = connector.board.profiles, connector.began(now)
    limit = schedule.transaction_limit(profiles, connector.number, at, began, outlet.phases)
    return min((made, limit), key=lambda one: one.watts) if limit else made


def _next_change(station: Station, connector: Connector, at: float, now: float) -> float:
    return schedule.next_change(station.board.profiles, at, connector.began(now))


def _usual_unit(station: Station, number: int) -> str:
    return "W" if any(connector.outlet.kind == "DC" for connector in _meant(station, number)) else "A"


def _period(at: int, limit: Limit, unit: str) -> Payload:
    return {"startPeriod": at, "limit": limit.rate(unit), "numberPhases": limit.phases}
