"""What an accepted command changes in what is known about a station: password, heartbeat interval, reservations.

Asked before the command's end is stored, so that a router that dies in between leaves it to the next one: everything
here may be done twice.
"""

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import Raw
from msgspec.structs import replace

from csms_ocpp.confidential import new_password
from csms_ocpp.errors import UNREADABLE
from csms_platform.logging import get_logger
from csms_platform.passwords import digest
from csms_platform.ports import Command, Note, Stations
from csms_platform.times import iso_8601
from csms_router import presence

_log = get_logger("router")
ACTIONS = frozenset({"CancelReservation", "ChangeConfiguration", "ReserveNow", "SetNetworkProfile", "SetVariables"})
"""The commands whose payload is needed when they end: for what follows from them, or to take passwords out of it."""
MOST_RESERVATIONS = 100
_HEARTBEAT_INTERVAL = "heartbeatinterval"
_RESERVATION = "reservation/"
_decode = msgspec.json.Decoder(dict[str, Any]).decode
_encode = msgspec.json.Encoder().encode


class Consequences:
    """Draws them. `now` is in seconds since 1970."""

    def __init__(self, stations: Stations, now: Callable[[], float]) -> None:
        self._stations = stations
        self._now = now

    async def draw(self, command: Command, answer: Raw) -> None:
        """The station answered `command` with a CALLRESULT."""
        if password := new_password(command.action, command.payload, answer):
            await self._keep(command, password)
        try:
            asked, answered = _decode(command.payload), _decode(answer)
        except UNREADABLE:
            return
        if answered.get("status") != "Accepted":
            return
        if command.action == "ChangeConfiguration":
            await self._change(command, asked)
        elif command.action == "ReserveNow":
            await self._reserve(command, asked)
        elif command.action == "CancelReservation":
            await self._cancel(command, asked)

    async def _keep(self, command: Command, password: str) -> None:
        station = await self._stations.get(command.identity)
        if station is None:
            _log.info("password changed, and nothing to keep it in: no record", station=command.identity)
            return
        await self._stations.put(replace(station, password=await asyncio.to_thread(digest, password)))
        _log.info("password changed", station=command.identity)

    async def _change(self, command: Command, asked: dict[str, Any]) -> None:
        # 1.6 calls it HeartbeatInterval and 1.5 HeartBeatInterval.
        if str(asked.get("key")).casefold() != _HEARTBEAT_INTERVAL:
            return
        if interval := presence.usable(_number(asked.get("value"))):
            await self._stations.note([Note(command.identity, presence.INTERVAL, b"%d" % interval)])

    async def _reserve(self, command: Command, asked: dict[str, Any]) -> None:
        reservation = _reservation(asked) | {"dateStart": iso_8601(self._now())}
        notes = await self._stations.recall(command.identity)
        await self._stations.note([_note(command, reservation)])
        older = sorted((_started(value), field) for field, value in notes.items() if field.startswith(_RESERVATION))
        if surplus := [field for _, field in older[: max(0, len(older) + 1 - MOST_RESERVATIONS)]]:
            await self._stations.forget(command.identity, surplus)

    async def _cancel(self, command: Command, asked: dict[str, Any]) -> None:
        notes = await self._stations.recall(command.identity)
        noted = notes.get(f"{_RESERVATION}{asked.get('reservationId')}")
        if noted is not None:
            await self._stations.note([_note(command, _decode(noted) | {"dateStop": iso_8601(self._now())})])


def _number(value: object) -> int | None:
    try:
        return int(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _reservation(asked: dict[str, Any]) -> dict[str, Any]:
    """What both families call differently, in the words of 1.6; 2.x has `evseId` for `connectorId`."""
    token = asked.get("idToken")
    found = {
        "id": asked.get("reservationId", asked.get("id")),
        "idTag": asked.get("idTag", token.get("idToken") if isinstance(token, dict) else None),
        "connectorId": asked.get("connectorId"),
        "evseId": asked.get("evseId"),
        "expiryDate": asked.get("expiryDate", asked.get("expiryDateTime")),
    }
    return {key: value for key, value in found.items() if value is not None}


def _note(command: Command, reservation: dict[str, Any]) -> Note:
    return Note(command.identity, f"{_RESERVATION}{reservation.get('id')}", _encode(reservation))


def _started(value: bytes) -> str:
    return str(_decode(value).get("dateStart", ""))
