"""What 2.1 adds to smart charging: schedules whose limit is told again and again, and drivers with priority."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from csms_emulator.actions import Payload
from csms_emulator.profiles import Period, finite
from csms_emulator.v2.profiles import BEYOND, DYNAMIC, PRIORITY, Entry

if TYPE_CHECKING:
    from csms_emulator.v2.station import Station

PULL = "pull"
ACCEPTED = {"status": "Accepted"}


def rejected(reason: str) -> Payload:
    """A refusal with this reasonCode."""
    return {"status": "Rejected", "statusInfo": {"reasonCode": reason}}


def update_dynamic_schedule(station: Station, request: Payload, now: float) -> Payload:
    """UpdateDynamicSchedule (2.1): from now on this limit."""
    entry = _entry(station, request["chargingProfileId"])
    if entry is None:
        return rejected("InvalidProfileId")
    update = request["scheduleUpdate"]
    if any(name in update for name in BEYOND):
        return rejected("UnsupportedParam")
    # An update without a limit, or with one below nothing, says nothing that could be done.
    if update.get("limit", -1) < 0:
        return rejected("InvalidSchedule")
    _updated(station, entry, update["limit"], now)
    return ACCEPTED


def use_priority_charging(station: Station, request: Payload, now: float) -> Payload:
    """UsePriorityCharging (2.1): the transaction is limited by PriorityCharging profiles, or no longer so."""
    uuid, prior = request["transactionId"], station.board.profiles.prior
    at = next((e.number for e in station.evses.values() if e.transaction and e.transaction.uuid == uuid), None)
    if at is None:
        return rejected("TxNotFound")
    if not any(station.board.profiles.ranked(number, PRIORITY) for number in (0, at)):
        return {"status": "NoProfile"}
    (prior.add if request["activate"] else prior.discard)(uuid)
    return ACCEPTED


def await_pull(station: Station, now: float) -> None:
    """Enter into the agenda when the next limit is to be asked for."""
    asked, entries = station.board.profiles.asked, station.board.profiles.entries()
    due = [asked.setdefault(entry.profile.id, now) + _interval(entry) for entry in entries if _interval(entry)]
    station.board.agenda.cancel(PULL)
    if due:
        station.board.agenda.set(min(due), PULL)


def pull(station: Station, now: float) -> None:
    """Ask for the limits that are as old as their dynUpdateInterval; while nobody can be asked the old ones hold."""
    board = station.board
    for entry in board.profiles.entries():
        number, interval = entry.profile.id, _interval(entry)
        if interval and board.profiles.asked[number] + interval <= now:
            board.profiles.asked[number] = now
            if board.online:
                board.outbox.post("PullDynamicScheduleUpdate", {"chargingProfileId": number})


def pulled(station: Station, number: int, reply: Payload, now: float) -> None:
    """PullDynamicScheduleUpdate for this profile was answered."""
    if reply["status"] == "Accepted" and "scheduleUpdate" in reply:
        request = {"chargingProfileId": number, "scheduleUpdate": reply["scheduleUpdate"]}
        answer = update_dynamic_schedule(station, request, now)
        if answer != ACCEPTED:
            reason = answer["statusInfo"]["reasonCode"]
            station.board.log("schedule update refused", "warning", profile=number, reason=reason)


def _entry(station: Station, number: int) -> Entry | None:
    found = (entry for entry in station.board.profiles.entries() if entry.profile.id == number)
    return next((entry for entry in found if entry.payload["chargingProfileKind"] == DYNAMIC), None)


def _interval(entry: Entry) -> int:
    """Seconds between two updates; 0 when none are asked for."""
    dynamic = entry.payload["chargingProfileKind"] == DYNAMIC
    return max(0, int(finite(entry.payload.get("dynUpdateInterval", 0)))) if dynamic else 0


def _updated(station: Station, entry: Entry, limit: float, now: float) -> None:
    period = entry.profile.periods[0]
    profile = msgspec.structs.replace(entry.profile, periods=(Period(period.start, finite(limit), period.phases),))
    told, *others = entry.payload["chargingSchedule"]
    told = {**told, "chargingSchedulePeriod": [{**told["chargingSchedulePeriod"][0], "limit": limit}]}
    since = station.board.timestamp(now)
    payload = {**entry.payload, "chargingSchedule": [told, *others], "dynUpdateTime": since}
    station.board.profiles.keep(entry.evse, profile, payload)
