"""Commands of operators and of our own services: sent at most once, in order, told once how they ended."""

import asyncio
import json

from msgspec import Raw
from msgspec.structs import replace

from csms_ocpp.version import StationId
from csms_platform.envelope import Envelope, Kind
from csms_platform.ports import ROUTER, Event, api_address
from csms_router.settings import Settings
from tests.service.router.commanding import SETTINGS, Scene, accepted, begins_to_wait, ends, eventually, silent

SOFT = {"type": "Soft"}
QUICK = Settings(boot_required=False, sweep_interval=0.05, command_grace=0.2)


async def test_the_operator_reads_the_stations_answer_and_everybody_reads_the_event(scene: Scene) -> None:
    await scene.router()
    gateway = await scene.gateway()
    await gateway.connects("CS-1")

    await scene.order("CS-1", "Reset", SOFT, id="r-1")

    assert await scene.replies(1) == [
        {
            "identity": "CS-1",
            "uniqueId": "r-1",
            "action": "Reset",
            "outcome": "result",
            "payload": {"status": "Accepted"},
        }
    ]
    assert scene.told[0][0] == "c-r-1"
    await eventually(lambda: len(scene.events) == 1)
    assert replace(scene.events[0], id="", time="", milliseconds=0.0) == Event(
        id="",
        time="",
        type="command",
        identity="CS-1",
        version="ocpp1.6",
        gateway="east",
        unique_id="r-1",
        action="Reset",
        request=Raw(b'{"type": "Soft"}'),
        outcome="result",
        response=Raw(b'{"status": "Accepted"}'),
    )


async def test_the_gateway_gets_the_call_with_its_deadline_and_the_router_as_who_asks(scene: Scene) -> None:
    await scene.router()
    gateway = await scene.gateway()
    await gateway.connects("CS-1", "ocpp2.0.1")

    await scene.order("CS-1", "ClearCache", id="r-1", timeout=5)
    await scene.replies(1)

    (call,) = gateway.calls
    stored = await scene.stores.commands.get(StationId("CS-1"), "r-1")
    assert stored is not None
    assert stored.deadline == stored.created + 5000
    assert call == Envelope(
        Kind.CALL,
        "CS-1",
        version="ocpp2.0.1",
        unique_id="r-1",
        action="ClearCache",
        reply_to="ocpp.router",
        deadline=stored.deadline,
        attempt=1,
    )


async def test_a_stations_error_comes_with_code_description_and_details(scene: Scene) -> None:
    await scene.router()
    gateway = await scene.gateway(
        answer=lambda call: ends(call, "error", {"at": "type"}, "NotSupported", "Not this one.")
    )
    await gateway.connects("CS-1")

    await scene.order("CS-1", "Reset", SOFT, id="r-1")

    assert await scene.replies(1) == [
        {
            "identity": "CS-1",
            "uniqueId": "r-1",
            "action": "Reset",
            "outcome": "error",
            "errorCode": "NotSupported",
            "errorDescription": "Not this one.",
            "errorDetails": {"at": "type"},
        }
    ]


async def test_an_invalid_order_is_told_why_and_goes_nowhere(scene: Scene) -> None:
    await scene.router()

    await scene.order("CS-1", "Heartbeat", id="r-1")

    assert await scene.replies(1) == [
        {
            "identity": "CS-1",
            "uniqueId": "r-1",
            "action": "Heartbeat",
            "outcome": "Invalid",
            "errorDescription": "`action` must be one that a central system asks, not 'Heartbeat'.",
            "errorDetails": {},
        }
    ]
    assert await scene.stores.commands.get(StationId("CS-1"), "r-1") is None
    assert scene.events == []


async def test_a_station_that_is_not_there_is_said_so_at_once(scene: Scene) -> None:
    await scene.router()

    await scene.order("CS-1", "Reset", SOFT, id="r-1")

    assert await scene.outcomes(1) == [("r-1", "NotConnected")]
    await eventually(lambda: [event.outcome for event in scene.events] == ["NotConnected"])


async def test_a_command_published_twice_reaches_the_gateway_once_and_both_are_told(scene: Scene) -> None:
    await scene.router()
    gateway = await scene.gateway()
    await gateway.connects("CS-1")

    for number in range(2):
        await scene.order("CS-1", "Reset", SOFT, id="r-1", correlation_id=f"c-{number}")
    await scene.replies(2)
    await scene.order("CS-1", "Reset", SOFT, id="r-1", correlation_id="c-2")
    replies = await scene.replies(3)

    assert gateway.ids == ["r-1"]
    assert sorted(correlation for correlation, _ in scene.told) == ["c-0", "c-1", "c-2"]
    assert [reply["payload"] for reply in replies] == [{"status": "Accepted"}] * 3
    assert len(scene.events) == 1


async def test_the_id_of_another_command_is_refused(scene: Scene) -> None:
    await scene.router()
    gateway = await scene.gateway()
    await gateway.connects("CS-1")
    await scene.order("CS-1", "Reset", SOFT, id="r-1")
    await scene.replies(1)

    await scene.order("CS-1", "Reset", {"type": "Hard"}, id="r-1")
    await scene.order("CS-1", "ClearCache", id="r-1")

    assert (await scene.replies(3))[1:] == [
        {
            "identity": "CS-1",
            "uniqueId": "r-1",
            "action": action,
            "outcome": "Refused",
            "errorDescription": "The uniqueId was used for another command.",
            "errorDetails": {},
        }
        for action in ("Reset", "ClearCache")
    ]
    assert gateway.ids == ["r-1"]


async def test_whoever_is_refused_an_id_is_not_told_how_the_other_command_ends(scene: Scene) -> None:
    await scene.router()
    gateway = await scene.gateway(answer=silent)
    await gateway.connects("CS-1")
    await scene.order("CS-1", "Reset", SOFT, id="r-1", correlation_id="first")
    await eventually(lambda: gateway.ids == ["r-1"])

    await scene.order("CS-1", "Reset", {"type": "Hard"}, id="r-1", correlation_id="second")
    await scene.replies(1)
    gateway.send(ends(gateway.calls[0], "result", {"status": "Accepted"}))
    await scene.replies(2)
    await asyncio.sleep(0.1)

    assert [(to, body["outcome"]) for to, body in scene.told] == [("second", "Refused"), ("first", "result")]


async def test_two_hundred_commands_come_in_the_order_in_which_they_were_published(scene: Scene) -> None:
    for _ in range(2):
        await scene.router()
    gateway = await scene.gateway()
    await gateway.connects("CS-1")

    for number in range(200):
        await scene.order("CS-1", "ClearCache", id=f"r-{number}")
        await asyncio.sleep(0.001)
    await scene.replies(200)

    assert gateway.ids == [f"r-{number}" for number in range(200)]


async def test_an_array_of_commands_is_sent_in_its_order(scene: Scene) -> None:
    await scene.router()
    gateway = await scene.gateway()
    await gateway.connects("CS-1")
    body = [{"action": "ClearCache", "uniqueId": "a"}, {"action": "ClearCache"}, {"action": "ClearCache"}]

    await scene.broker.order("CS-1", json.dumps(body).encode())
    await eventually(lambda: len(gateway.calls) == 3)

    assert gateway.ids[0] == "a"
    assert len(set(gateway.ids)) == 3
    assert all(len(one) <= 36 for one in gateway.ids)


async def test_what_waits_for_an_offline_station_is_sent_in_order_when_it_comes(scene: Scene) -> None:
    for _ in range(2):
        await scene.router()
    gateway = await scene.gateway()
    for number in range(32):
        await scene.order("CS-1", "ClearCache", id=f"r-{number}", expiration=60_000)
    await scene.order("CS-1", "ClearCache", id="one too many", expiration=60_000)
    refused = list(await scene.replies(1))

    await gateway.connects("CS-1")
    await scene.replies(33)

    assert refused == [
        {
            "identity": "CS-1",
            "uniqueId": "one too many",
            "action": "ClearCache",
            "outcome": "Refused",
            "errorCode": "QueueFull",
            "errorDescription": "32 commands wait for the station already.",
            "errorDetails": {},
        }
    ]
    assert gateway.ids == [f"r-{number}" for number in range(32)]


async def test_a_station_that_must_boot_is_asked_when_its_boot_was_accepted(scene: Scene) -> None:
    await scene.router(replace(SETTINGS, boot_required=True))
    gateway = await scene.gateway()
    await scene.order("CS-1", "ClearCache", id="r-1", expiration=60_000)
    await begins_to_wait(scene)

    accept = await gateway.connects("CS-1")
    await asyncio.sleep(0.1)
    before = gateway.ids
    gateway.says(
        Kind.CALL,
        "CS-1",
        {"chargePointVendor": "ACME", "chargePointModel": "One"},
        version="ocpp1.6",
        unique_id="boot",
        action="BootNotification",
        session=accept.session,
    )
    await scene.replies(1)

    assert (before, gateway.ids) == ([], ["r-1"])


async def test_what_waited_too_long_for_its_station_expires_once(scene: Scene) -> None:
    for _ in range(2):
        await scene.router()
    gateway = await scene.gateway()
    await scene.order("CS-1", "Reset", SOFT, id="r-1", expiration=100)
    replies = await scene.outcomes(1)

    await gateway.connects("CS-1")
    await asyncio.sleep(0.2)

    assert (replies, gateway.ids, len(scene.told)) == ([("r-1", "Expired")], [], 1)


async def test_what_waited_too_long_for_a_router_expires_and_is_not_sent(scene: Scene) -> None:
    await scene.router()
    gateway = await scene.gateway()
    await gateway.connects("CS-1")
    await scene.leave()

    await scene.order("CS-1", "Reset", SOFT, id="r-1", expiration=30)
    await asyncio.sleep(0.3)
    await scene.router()

    assert await scene.outcomes(1) == [("r-1", "Expired")]
    assert gateway.ids == []


async def test_a_silent_station_times_out_once_and_its_late_answer_changes_nothing(scene: Scene) -> None:
    for _ in range(2):
        await scene.router(QUICK)
    gateway = await scene.gateway(answer=silent)
    await gateway.connects("CS-1")

    await scene.order("CS-1", "Reset", SOFT, id="r-1", timeout=0.1)
    replies = await scene.outcomes(1)
    late = accepted(gateway.calls[0])
    assert late is not None
    gateway.send(late)
    await asyncio.sleep(0.3)

    assert (replies, len(scene.told)) == ([("r-1", "Timeout")], 1)
    assert [event.outcome for event in scene.events] == ["Timeout"]
    stored = await scene.stores.commands.get(StationId("CS-1"), "r-1")
    assert stored is not None
    assert stored.outcome == "Timeout"


async def test_a_command_that_missed_its_station_waits_again_in_its_place(scene: Scene) -> None:
    """The station went while the commands were on their way to its gateway."""
    await scene.router()
    east = await scene.gateway("east", answer=lambda call: ends(call, "NotConnected"))
    west = await scene.gateway("west")
    await east.connects("CS-1")
    for number in range(3):
        await scene.order("CS-1", "ClearCache", id=f"r-{number}", expiration=60_000)
    await eventually(lambda: len(east.calls) == 3)
    await scene.order("CS-1", "ClearCache", id="r-now")
    missed = await scene.outcomes(1)

    await west.connects("CS-1")
    await scene.replies(4)

    assert missed == [("r-now", "NotConnected")]
    assert west.ids == ["r-0", "r-1", "r-2"]


async def test_what_an_earlier_gateway_says_again_does_not_make_a_sent_command_wait(scene: Scene) -> None:
    await scene.router()
    east = await scene.gateway("east", answer=lambda call: ends(call, "NotConnected"))
    west = await scene.gateway("west", answer=silent)
    await east.connects("CS-1")
    await scene.order("CS-1", "ClearCache", id="r-1", expiration=60_000)
    await begins_to_wait(scene)
    await west.connects("CS-1")
    await eventually(lambda: west.ids == ["r-1"])

    east.send(ends(east.calls[0], "NotConnected"))
    await west.connects("CS-1")
    await asyncio.sleep(0.1)
    again = list(west.ids)
    west.send(ends(west.calls[0], "result"))

    assert ([call.attempt for call in east.calls + west.calls], again) == ([1, 2], ["r-1"])
    assert await scene.outcomes(1) == [("r-1", "result")]


async def test_a_command_for_a_gateway_that_is_gone_is_not_connected_or_waits(scene: Scene) -> None:
    await scene.router()
    east, west = await scene.gateway("east"), await scene.gateway("west")
    await east.connects("CS-1")
    await east.close()

    await scene.order("CS-1", "ClearCache", id="waits", expiration=60_000)
    await scene.order("CS-1", "ClearCache", id="does not")
    missed = await scene.outcomes(1)
    await begins_to_wait(scene)
    await west.connects("CS-1")
    outcomes = await scene.outcomes(2)

    assert missed == [("does not", "NotConnected")]
    assert outcomes == [("does not", "NotConnected"), ("waits", "result")]
    assert west.ids == ["waits"]


async def test_a_service_of_ours_asks_and_is_told_in_envelopes(scene: Scene) -> None:
    for _ in range(2):
        await scene.router()
    gateway = await scene.gateway()
    await gateway.connects("CS-1")
    api, told = await scene.broker.connect(), []

    async def hear(batch: list[Envelope]) -> None:
        told.extend(batch)

    await api.bus.subscribe(api_address("a1"), hear)
    asked = Envelope(Kind.COMMAND, "CS-1", unique_id="r-1", action="ClearCache", reply_to=api_address("a1").name)
    wrong = replace(asked, unique_id="r-2", payload=Raw(b"[]"))
    for envelope in (asked, asked, wrong):
        api.bus.send(ROUTER, envelope)
    await eventually(lambda: len(told) >= 2)

    answers = {one.unique_id: one for one in told}
    assert answers == {
        "r-1": Envelope(
            Kind.RESULT,
            "CS-1",
            version="ocpp1.6",
            unique_id="r-1",
            action="ClearCache",
            payload=Raw(b'{"status": "Accepted"}'),
            outcome="result",
        ),
        "r-2": Envelope(
            Kind.ERROR,
            "CS-1",
            unique_id="r-2",
            action="ClearCache",
            error_description="`payload` must be a JSON object.",
            outcome="Invalid",
        ),
    }
    assert gateway.ids == ["r-1"]
