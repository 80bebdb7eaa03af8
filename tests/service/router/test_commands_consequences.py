"""What follows from accepted commands: the password on record, reservations noted; and that nobody reads passwords."""

import json
from typing import Any

import pytest
from msgspec.structs import replace

from csms_ocpp.version import StationId
from csms_platform.passwords import digest, matches
from csms_platform.ports import Note, Station
from csms_router.consequences import MOST_RESERVATIONS
from tests.service.router.commanding import SETTINGS, Scene, ends, silent

CS = StationId("CS-1")
OLD = digest("the old password")
KEY = "00112233445566778899aabbccddeeff00112233"
NAMES: dict[str, Any] = {"component": {"name": "SecurityCtrlr"}, "variable": {"name": "BasicAuthPassword"}}
SET_KEY = ("ocpp1.6", "ChangeConfiguration", {"key": "AuthorizationKey", "value": KEY})
SET_PASSWORD = ("ocpp2.0.1", "SetVariables", {"setVariableData": [NAMES | {"attributeValue": "a new password, long"}]})


def answer(action: str, status: str) -> dict[str, Any]:
    if action == "SetVariables":
        return {"setVariableResult": [NAMES | {"attributeStatus": status}]}
    return {"status": status}


async def ask(scene: Scene, version: str, action: str, payload: Any, status: str = "Accepted") -> None:
    """The station is asked, and answers with this status."""
    gateway = await scene.gateway(answer=lambda call: ends(call, "result", answer(call.action, status)))
    await gateway.connects("CS-1", version)
    await scene.order("CS-1", action, payload, id="r-1")
    await scene.replies(1)


@pytest.mark.parametrize(
    ("command", "password"),
    [(SET_KEY, bytes.fromhex(KEY)), (SET_PASSWORD, b"a new password, long")],
    ids=["AuthorizationKey", "BasicAuthPassword"],
)
async def test_an_accepted_password_is_the_one_on_record_from_now_on(
    scene: Scene, command: tuple[str, str, Any], password: bytes
) -> None:
    await scene.router()
    await scene.stores.stations.put(Station(CS, account="acme", password=OLD, quirks="lenient"))
    await ask_with_the_old_password(scene, *command)

    station = await scene.stores.stations.get(CS)
    assert station is not None
    assert matches(station.password, password)
    assert (station.account, station.quirks) == ("acme", "lenient")


async def ask_with_the_old_password(scene: Scene, version: str, action: str, payload: Any, **more: Any) -> None:
    """The same for a station on record, whose session is there without its password being asked for."""
    gateway = await scene.gateway(answer=lambda call: ends(call, "result", answer(call.action, "Accepted")))
    await scene.online(gateway, "CS-1", version)
    await scene.order("CS-1", action, payload, id="r-1")
    await scene.replies(1)


@pytest.mark.parametrize("command", [SET_KEY, SET_PASSWORD], ids=["AuthorizationKey", "BasicAuthPassword"])
async def test_no_password_is_told_in_the_event(scene: Scene, command: tuple[str, str, Any]) -> None:
    await scene.router()

    await ask(scene, *command)

    await scene.happened(1)
    assert b"***" in bytes(scene.events[0].request)
    assert KEY.encode() not in bytes(scene.events[0].request)
    assert b"a new password" not in bytes(scene.events[0].request)


@pytest.mark.parametrize("status", ["Accepted", "Rejected"])
@pytest.mark.parametrize("command", [SET_KEY, SET_PASSWORD], ids=["AuthorizationKey", "BasicAuthPassword"])
async def test_no_password_is_kept_when_its_command_has_ended(
    scene: Scene, command: tuple[str, str, Any], status: str
) -> None:
    await scene.router()

    await ask(scene, *command, status=status)

    assert await kept(scene) == ("result", "***")


async def test_no_password_is_kept_of_a_command_that_timed_out(scene: Scene) -> None:
    await scene.router(replace(SETTINGS, command_grace=0.1))
    gateway = await scene.gateway(answer=silent)
    await gateway.connects("CS-1")

    await scene.order("CS-1", *SET_KEY[1:], id="r-1", timeout=0.1)
    await scene.replies(1)

    assert await kept(scene) == ("Timeout", "***")


async def test_no_password_is_kept_of_a_command_for_a_station_that_is_not_there(scene: Scene) -> None:
    await scene.router()

    await scene.order("CS-1", *SET_KEY[1:], id="r-1")
    await scene.replies(1)

    assert await kept(scene) == ("NotConnected", "***")


async def kept(scene: Scene) -> tuple[str, str]:
    """Outcome and password of the command's record."""
    stored = await scene.stores.commands.get(CS, "r-1")
    assert stored is not None
    payload = json.loads(bytes(stored.payload))
    return stored.outcome, payload["value"] if "value" in payload else payload["setVariableData"][0]["attributeValue"]


async def test_the_payload_of_any_other_command_is_kept_as_it_was(scene: Scene) -> None:
    await scene.router()

    await ask(scene, "ocpp1.6", "ReserveNow", {"reservationId": 7})
    await scene.order("CS-1", "Reset", {"type": "Soft"}, id="r-2")
    await scene.replies(2)

    stored = [await scene.stores.commands.get(CS, each) for each in ("r-1", "r-2")]
    payloads = [command and bytes(command.payload) for command in stored]
    assert payloads == [b'{"reservationId": 7}', b'{"type": "Soft"}']


async def test_a_rejected_password_leaves_the_old_one(scene: Scene) -> None:
    await scene.router()
    gateway = await scene.gateway(answer=lambda call: ends(call, "result", {"status": "Rejected"}))
    await scene.stores.stations.put(Station(CS, password=OLD))
    await scene.online(gateway, "CS-1", "ocpp1.6")

    await scene.order("CS-1", *SET_KEY[1:], id="r-1")
    await scene.replies(1)

    assert await scene.stores.stations.get(CS) == Station(CS, password=OLD)


async def test_a_station_without_a_record_gets_none_with_its_password(scene: Scene) -> None:
    await scene.router()

    await ask(scene, *SET_KEY)

    assert await scene.stores.stations.get(CS) is None


@pytest.mark.parametrize(
    ("version", "payload", "noted"),
    [
        (
            "ocpp1.6",
            {"connectorId": 1, "expiryDate": "2026-01-01T13:00:00Z", "idTag": "A1", "reservationId": 7},
            {"id": 7, "idTag": "A1", "connectorId": 1, "expiryDate": "2026-01-01T13:00:00Z"},
        ),
        (
            "ocpp2.0.1",
            {
                "id": 7,
                "expiryDateTime": "2026-01-01T13:00:00Z",
                "idToken": {"idToken": "A1", "type": "Central"},
                "evseId": 2,
            },
            {"id": 7, "idTag": "A1", "evseId": 2, "expiryDate": "2026-01-01T13:00:00Z"},
        ),
    ],
)
async def test_a_reservation_is_noted_and_its_cancellation_beside_it(
    scene: Scene, version: str, payload: Any, noted: Any
) -> None:
    await scene.router()
    gateway = await scene.gateway()
    await gateway.connects("CS-1", version)

    await scene.order("CS-1", "ReserveNow", payload, id="r-1")
    await scene.replies(1)
    began = await reservation(scene, 7)
    await scene.order("CS-1", "CancelReservation", {"reservationId": 7}, id="r-2")
    await scene.order("CS-1", "CancelReservation", {"reservationId": 8}, id="r-3")
    await scene.replies(3)
    ended = await reservation(scene, 7)

    assert began == noted | {"dateStart": began["dateStart"]}
    assert ended == began | {"dateStop": ended["dateStop"]}
    assert ended["dateStop"] >= began["dateStart"] > "2026"
    assert await reservation(scene, 8) is None


async def reservation(scene: Scene, id: int) -> Any:
    notes = await scene.stores.stations.recall(CS)
    value = notes.get(f"reservation/{id}")
    return None if value is None else json.loads(value)


async def test_a_reservation_that_was_not_accepted_is_not_noted(scene: Scene) -> None:
    await scene.router()

    await ask(scene, "ocpp1.6", "ReserveNow", {"reservationId": 7}, status="Occupied")

    assert await reservation(scene, 7) is None


async def test_only_the_last_reservations_of_a_station_are_kept(scene: Scene) -> None:
    await scene.router()
    await scene.stores.stations.note(
        [
            Note(
                CS,
                f"reservation/{n}",
                json.dumps({"id": n, "dateStart": f"2025-01-01T00:{n // 60:02}:{n % 60:02}Z"}).encode(),
            )
            for n in range(1000, 1000 + MOST_RESERVATIONS)
        ]
    )

    await ask(scene, "ocpp1.6", "ReserveNow", {"reservationId": 7})

    noted = [field for field in await scene.stores.stations.recall(CS) if field.startswith("reservation/")]
    assert len(noted) == MOST_RESERVATIONS
    assert "reservation/7" in noted
    assert "reservation/1000" not in noted
