"""What the charging profiles of a 2.x station allow, and the cars that obey.

OCPP 2.0.1 K08: of each purpose the highest valid stack level leads, a TxProfile overrules TxDefaultProfiles, and the
lowest of the station's and of the transaction's limit holds. In 2.1 PriorityCharging, while it is on, overrules both;
LocalGeneration is power that comes on top of what the ChargingStationMaxProfile leaves to take from the grid.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from csms_emulator import schedule
from csms_emulator.profiles import DEFAULT, TRANSACTION
from csms_emulator.schedule import Limit
from csms_emulator.v2 import dynamic
from csms_emulator.v2.profiles import GENERATION, MOST_PERIODS, PRIORITY, STATION_MAX, Profiles

if TYPE_CHECKING:
    from csms_emulator.v2.evse import Evse
    from csms_emulator.v2.station import Station

SCHEDULE = "schedule"
ALL_PHASES = 3


def obey(station: Station, now: float) -> None:
    """Let the cars take what they may, and enter the next change into the agenda; at the end of every input."""
    board = station.board
    charging = [evse for evse in station.evses.values() if evse.transaction]
    board.profiles.remain({evse.transaction.uuid for evse in charging if evse.transaction})
    count(station)
    board.agenda.cancel(SCHEDULE)
    dynamic.await_pull(station, now)
    if not board.profiles and not any(evse.limited for evse in charging):
        return
    hungry = sum(1 for evse in charging if evse.hungry)
    for evse in charging:
        evse.offer(_share(evse, hungry, now), now)
    following = min((_next_change(evse, now, now) for evse in charging), default=inf)
    if following < inf:
        board.agenda.set(following, SCHEDULE)


def count(station: Station) -> None:
    """Tell the device model how many profiles are installed."""
    device, entries = station.device, str(len(station.board.profiles))
    if device.get("SmartChargingCtrlr", "Entries", instance="ChargingProfiles") != entries:
        device.set("SmartChargingCtrlr", "Entries", entries, instance="ChargingProfiles")


def composed(station: Station, evses: list[Evse], duration: int, now: float) -> tuple[dict[int, Limit], int]:
    """What these EVSEs may take together: by the second at which it begins; and for how many seconds that is told."""
    steps, covered = schedule.compose(
        lambda at: _allowed(station.board.profiles, evses, at, now),
        lambda at: min(_next_change(evse, at, now) for evse in evses),
        now,
        duration,
        MOST_PERIODS,
    )
    # Of two that begin within a second the later one counts.
    return {round(at): limit for at, limit in steps}, round(covered)


def _share(evse: Evse, hungry: int, now: float) -> float:
    """What the EVSE may take, in W: the station's limit in equal parts, and no more than its own."""
    profiles, began = evse.board.profiles, evse.began(now)
    own = _transaction_limit(evse, now, began, evse.phases)
    whole = _station_limit(profiles, now, began, ALL_PHASES)
    part = whole.watts / max(1, hungry) if whole else inf
    return min(own.watts if own else inf, part)


def _transaction_limit(evse: Evse, at: float, began: float, phases: int) -> Limit | None:
    profiles, number = evse.board.profiles, evse.number
    prior = evse.transaction is not None and evse.transaction.uuid in profiles.prior
    first = [*profiles.ranked(number, PRIORITY), *profiles.ranked(0, PRIORITY)] if prior else []
    ranked = [*first, *profiles.ranked(number, TRANSACTION)]
    defaults = sorted([*profiles.ranked(number, DEFAULT), *profiles.ranked(0, DEFAULT)], key=lambda p: -p.stack_level)
    return schedule.prevailing([*ranked, *defaults], at, began, phases)


def _station_limit(profiles: Profiles, at: float, began: float, phases: int) -> Limit | None:
    grid = schedule.prevailing(profiles.ranked(0, STATION_MAX), at, began, phases)
    own = schedule.prevailing(profiles.ranked(0, GENERATION), at, began, phases)
    return Limit(grid.watts + own.watts, grid.phases) if grid and own else grid


def _allowed(profiles: Profiles, evses: list[Evse], at: float, now: float) -> Limit:
    """What they may take at an instant: by the profiles, and by how they are made."""
    owns = [_own(evse, at, now) for evse in evses]
    own = owns[0] if len(owns) == 1 else Limit(sum(one.watts for one in owns), ALL_PHASES)
    whole = _station_limit(profiles, at, now, own.phases)
    return min((own, whole), key=lambda limit: limit.watts) if whole else own


def _own(evse: Evse, at: float, now: float) -> Limit:
    made = Limit(evse.outlet.power, evse.outlet.phases)
    limit = _transaction_limit(evse, at, evse.began(now), evse.outlet.phases)
    return min((made, limit), key=lambda one: one.watts) if limit else made


def _next_change(evse: Evse, at: float, now: float) -> float:
    return schedule.next_change(evse.board.profiles, at, evse.began(now))
