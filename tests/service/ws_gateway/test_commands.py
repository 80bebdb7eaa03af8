"""Commands: one under way for a station, the rest behind it in order, and exactly one outcome for each."""

import time

import pytest

from csms_platform.envelope import Capsule, Envelope, Kind, Raw
from csms_ws_gateway.settings import Settings
from tests.service.ws_gateway.wire import dial, heartbeat, text
from tests.service.ws_gateway.world import World, open_world

CLEARED = {"status": "Accepted"}
START = b'{"idTag":"A"}'


def seen(outcomes: list[Envelope]) -> list[tuple[str, str]]:
    """Which command ended how."""
    return [(envelope.unique_id, envelope.outcome) for envelope in outcomes]


async def test_the_stations_answer_reaches_the_sender(world: World) -> None:
    async with dial(world) as wire:
        await wire.upgraded("/ocpp/CS-1/acme")
        await world.router.command("CS-1", "ClearCache", account="acme", version="ocpp1.6", traceparent="00-1-2-01")
        asked = await wire.message()
        await wire.send(text([3, asked[1], CLEARED]))
        (outcome,) = await world.router.learns()

    assert asked == [2, "command-0", "ClearCache", {}]
    assert outcome == Envelope(
        Kind.RESULT,
        "CS-1",
        account="acme",
        version="ocpp1.6",
        unique_id="command-0",
        action="ClearCache",
        payload=outcome.payload,
        outcome="result",
        traceparent="00-1-2-01",
    )
    assert outcome.payload == Raw(b'{"status": "Accepted"}')


async def test_the_stations_error_is_passed_on(world: World) -> None:
    async with dial(world) as wire:
        await wire.upgraded()
        await world.router.command("CS-1", "ClearCache")
        asked = await wire.message()
        await wire.send(text([4, asked[1], "NotSupported", "Never heard of it.", {"why": 1}]))
        (outcome,) = await world.router.learns()

    assert (outcome.kind, outcome.outcome, outcome.error_code) == (Kind.ERROR, "error", "NotSupported")
    assert (outcome.error_description, bytes(outcome.payload)) == ("Never heard of it.", b'{"why": 1}')


async def test_an_answer_that_its_schema_refuses_is_an_error_with_the_raw_answer(world: World) -> None:
    async with dial(world) as wire:
        await wire.upgraded()
        await world.router.command("CS-1", "ClearCache")
        asked = await wire.message()
        await wire.send(text(b'[3,"%b",{"status":"Maybe"}]' % asked[1].encode()))
        (outcome,) = await world.router.learns()

    assert (outcome.outcome, outcome.error_code) == ("error", "PropertyConstraintViolation")
    assert bytes(outcome.payload) == b'{"status":"Maybe"}'


async def test_the_second_command_leaves_after_the_first_is_answered(world: World) -> None:
    async with dial(world) as wire:
        await wire.upgraded()
        for unique_id in ("a", "b", "c"):
            await world.router.command("CS-1", "ClearCache", unique_id=unique_id)
        order = []
        for _ in range(3):
            asked = await wire.message()
            order.append(asked[1])
            await wire.send(text(heartbeat(f"between {asked[1]}")))
            assert (await wire.message())[:2] == [3, f"between {asked[1]}"]
            await wire.send(text([3, asked[1], CLEARED]))
        outcomes = await world.router.learns(3)

    assert order == ["a", "b", "c"]
    assert seen(outcomes) == [("a", "result"), ("b", "result"), ("c", "result")]


async def test_past_thirty_two_waiting_commands_are_refused(world: World) -> None:
    async with dial(world) as wire:
        await wire.upgraded()
        for number in range(34):
            await world.router.command("CS-1", "ClearCache", unique_id=str(number))
        (outcome,) = await world.router.learns()
        asked = await wire.message()

    assert (outcome.unique_id, outcome.outcome, outcome.error_code) == ("33", "Refused", "QueueFull")
    assert asked[1] == "0"


async def test_a_silent_station_times_out_and_its_late_answer_is_ignored() -> None:
    async with open_world(Settings(command_timeout=0.1)) as world, dial(world) as wire:
        await wire.upgraded()
        await world.router.command("CS-1", "ClearCache", unique_id="a", deadline=int((time.time() + 9) * 1000))
        await world.router.command("CS-1", "ClearCache", unique_id="b", deadline=int((time.time() + 9) * 1000))
        await wire.message()
        await world.router.learns()
        second = await wire.message()
        await wire.send(text([3, "a", CLEARED]), text([3, "b", CLEARED]))
        outcomes = await world.router.learns(2)

        assert second[1] == "b"
        assert seen(outcomes) == [("a", "Timeout"), ("b", "result")]
        assert [line["id"] for line in world.logged("unexpected-answer")] == ["a"]


async def test_a_command_that_waits_too_long_for_its_turn_expires(world: World) -> None:
    async with dial(world) as wire:
        await wire.upgraded()
        await world.router.command("CS-1", "ClearCache", unique_id="a")
        await world.router.command("CS-1", "ClearCache", unique_id="b", deadline=int((time.time() + 0.1) * 1000))
        (outcome,) = await world.router.learns()

    assert (outcome.unique_id, outcome.outcome) == ("b", "Expired")


@pytest.mark.parametrize("how", ["cut", "close"])
async def test_when_the_connection_goes_the_sent_command_is_uncertain_and_the_others_were_never_sent(
    world: World, how: str
) -> None:
    async with dial(world) as wire:
        await wire.upgraded()
        for unique_id in ("a", "b"):
            await world.router.command("CS-1", "ClearCache", unique_id=unique_id)
        await wire.message()
        if how == "cut":
            wire.hang_up()
        else:
            await wire.send(b"\x88\x82\x00\x00\x00\x00\x03\xe8")
        outcomes = await world.router.learns(2)

    assert seen(outcomes) == [("a", "Timeout"), ("b", "NotConnected")]


async def test_a_command_for_a_closing_connection_fails_at_once_and_harms_nobody_else(world: World) -> None:
    async with dial(world) as closing, dial(world) as other:
        await closing.upgraded()
        await other.upgraded("/ocpp/other")
        await world.router.evict("CS-1", 1)
        await closing.closed()
        await world.router.command("CS-1", "ClearCache", unique_id="a")
        await world.router.command("other", "ClearCache", unique_id="b")
        (outcome,) = await world.router.learns()

        assert (outcome.unique_id, outcome.outcome) == ("a", "NotConnected")
        assert (await other.message())[1] == "b"


async def test_a_command_for_a_station_that_is_not_here(world: World) -> None:
    await world.router.command("CS-9", "ClearCache")
    (outcome,) = await world.router.learns()

    assert (outcome.identity, outcome.kind, outcome.outcome) == ("CS-9", Kind.ERROR, "NotConnected")


@pytest.mark.parametrize(
    ("action", "payload", "code"),
    [
        ("Reset", b'{"type":"Sideways"}', "PropertyConstraintViolation"),
        ("Nonsense", b"{}", "NotImplemented"),
        ("Heartbeat", b"{}", "NotImplemented"),
    ],
)
async def test_a_command_that_is_no_valid_message_is_not_sent(
    world: World, action: str, payload: bytes, code: str
) -> None:
    async with dial(world) as wire:
        await wire.upgraded()
        await world.router.command("CS-1", action, payload)
        (outcome,) = await world.router.learns()

    assert (outcome.outcome, outcome.error_code) == ("Invalid", code)


async def test_nothing_is_started_remotely_while_the_station_is_pending(world: World) -> None:
    """OCPP 1.6 §4.2."""
    world.router.decide = lambda _: Capsule(epoch=1, registration="Pending")
    async with dial(world) as wire:
        await wire.upgraded()
        await world.router.command("CS-1", "RemoteStartTransaction", START, unique_id="a")
        await world.router.command("CS-1", "ClearCache", unique_id="b")
        (outcome,) = await world.router.learns()

        assert (outcome.unique_id, outcome.outcome) == ("a", "Refused")
        assert outcome.error_description == "The station's registration is Pending."
        assert (await wire.message())[1] == "b"


async def test_a_call_that_a_trigger_asked_for_is_marked(world: World) -> None:
    async with dial(world) as wire:
        await wire.upgraded()
        await wire.send(text(heartbeat("before")))
        await wire.message()
        await world.router.command("CS-1", "TriggerMessage", b'{"requestedMessage":"Heartbeat"}')
        asked = await wire.message()
        await wire.send(text([3, asked[1], CLEARED]), text(heartbeat("after")))
        calls = await world.router.hears(Kind.CALL, 2)

    assert [(call.unique_id, call.triggered) for call in calls] == [("before", False), ("after", True)]


async def test_a_command_that_wants_no_answer_gets_none(world: World) -> None:
    async with dial(world) as wire:
        await wire.upgraded()
        await world.router.command("CS-1", "Nonsense", unique_id="a", reply_to="")
        await world.router.command("CS-1", "Nonsense", unique_id="b")

        assert seen(await world.router.learns()) == [("b", "Invalid")]


async def test_a_command_that_the_bus_delivers_twice_is_sent_once(world: World) -> None:
    async with dial(world) as wire:
        await wire.upgraded()
        for _ in range(2):
            await world.router.command("CS-1", "ClearCache", unique_id="a", attempt=1)
        await world.router.command("CS-1", "ClearCache", unique_id="b", attempt=1)
        first = await wire.message()
        await wire.send(text([3, "a", {"status": "Accepted"}]))
        second = await wire.message()
        (outcome,) = await world.router.learns()

        assert (first[1], second[1]) == ("a", "b")
        assert (outcome.unique_id, outcome.attempt) == ("a", 1)


async def test_a_command_that_is_sent_again_on_purpose_is_sent(world: World) -> None:
    await world.router.command("CS-1", "ClearCache", unique_id="a", attempt=1)
    (absent,) = await world.router.learns()
    async with dial(world) as wire:
        await wire.upgraded()
        await world.router.command("CS-1", "ClearCache", unique_id="a", attempt=2)
        asked = await wire.message()

    assert (absent.outcome, asked[1]) == ("NotConnected", "a")
