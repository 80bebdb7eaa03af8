"""Events, metrics and the log: what others learn of the calls that stations make."""

import asyncio
import re
from typing import Any

import msgspec

from csms_ocpp.catalog import actions
from csms_ocpp.version import Version
from csms_platform import metrics
from csms_soap_gateway.settings import Settings
from tests.service.soap_gateway.world import BOOT, HEARTBEAT, World, open_world
from tests.support.soap import envelope

SAMPLE = re.compile(r"^(csms_soap_\w+?)(?:\{(.*)\})? [-+.\dea]+$", re.MULTILINE)
LABEL = re.compile(r'(\w+)="([^"]*)"')


class Follower:
    """Everything that is emitted from now on."""

    def __init__(self) -> None:
        self.seen: list[dict[str, Any]] = []

    def __call__(self, bodies: list[bytes]) -> None:
        self.seen += [msgspec.json.decode(body) for body in bodies]

    async def sees(self, count: int) -> list[dict[str, Any]]:
        async with asyncio.timeout(5):
            while len(self.seen) < count:
                await asyncio.sleep(0.005)
        return self.seen


async def follow(world: World, *keys: str) -> Follower:
    follower = Follower()
    await world.doors.events.follow(follower, keys or ("#",))
    return follower


async def test_an_answered_call_is_told_with_its_answer(world: World) -> None:
    follower = await follow(world, "ocpp1.5.Heartbeat")

    await world.ask(version="1.5", message_id="urn:uuid:1")

    [event] = await follower.sees(1)
    assert event.pop("id").endswith("-1")
    assert event.pop("time").endswith("Z")
    assert event.pop("gateway")
    assert event.pop("milliseconds") >= 0
    assert event == {
        "type": "call",
        "identity": "CS-1",
        "account": "acme",
        "version": "ocpp1.5",
        "transport": "soap",
        "epoch": 1,
        "uniqueId": "1",
        "action": "Heartbeat",
        "request": {},
        "response": {"currentTime": "2026-01-01T12:00:00Z"},
    }


async def test_an_error_is_told_with_its_code(world: World) -> None:
    follower = await follow(world)
    world.router.answers = False
    asking = world.ask_soon()
    [call] = await world.router.hears()
    world.router.fail(call, "InternalError", "Because.")
    await asking

    [event] = await follower.sees(1)
    told = {key: event.get(key) for key in ("action", "errorCode", "errorDescription", "errorDetails", "response")}
    assert told == {
        "action": "Heartbeat",
        "errorCode": "InternalError",
        "errorDescription": "Because.",
        "errorDetails": {},
        "response": None,
    }


async def test_a_call_that_nobody_answered_is_told_without_an_answer() -> None:
    async with open_world(Settings(call_deadline=0.1)) as world:
        follower = await follow(world)
        await world.ask()
        world.router.answers = False
        await world.ask()

        _, event = await follower.sees(2)
        assert (event["type"], event["epoch"], event["milliseconds"] > 50) == ("call", 1, True)
        assert {"response", "errorCode"}.isdisjoint(event)
        assert [line["action"] for line in world.logged("no answer in time")] == ["Heartbeat"]


async def test_calls_are_logged_one_line_each_and_no_more_than_are_wanted() -> None:
    async with open_world(Settings(log_calls=1)) as world:
        await world.ask(message_id="1")
        first = world.logged("Heartbeat")
        await asyncio.gather(*(world.ask(message_id=str(number)) for number in range(2, 40)))

        assert [(line["station"], line["id"], line["outcome"]) for line in first] == [("CS-1", "1", "result")]
        assert len(world.logged("Heartbeat")) < 20


def samples() -> list[tuple[str, dict[str, str]]]:
    """Every sample of the gateway with its labels."""
    return [(name, dict(LABEL.findall(labels))) for name, labels in SAMPLE.findall(metrics.render().decode())]


def counted(name: str) -> float:
    """A counter without labels."""
    found = re.search(rf"^csms_soap_{name}_total ([.\de+]+)$", metrics.render().decode(), re.MULTILINE)
    return float(found[1]) if found else 0.0


async def test_what_is_left_out_is_counted(world: World) -> None:
    before = {name: counted(name) for name in ("late_answers", "bad_callbacks", "outdated_sessions")}

    await world.ask(source="nowhere")
    world.router.answer(world.router.heard[0])
    await world.ask(source="nowhere")
    await world.router.bus.flush()
    world.router.answers = False
    asking = world.ask_soon(source="nowhere")
    world.router.fail((await world.router.hears(3))[2], "SecurityError")
    world.router.answer((await world.router.hears(4))[3])
    await asking

    assert {name: counted(name) - count for name, count in before.items()} == {
        "late_answers": 1,
        "bad_callbacks": 3,
        "outdated_sessions": 1,
    }


async def test_labels_come_from_the_catalog_whatever_stations_send(world: World) -> None:
    bodies = [HEARTBEAT, "<cs:inventedRequest/>", "<cs:authorizeRequest/>"]
    for body in bodies:
        await world.post(envelope("1.6", "secret-station", body))
    await world.post(b"nonsense")
    world.router.answers = False
    asking = world.ask_soon(BOOT)
    call = (await world.router.hears(2))[-1]
    world.router.answer(call, b'{"status":"Perhaps"}')
    await asking

    found = samples()
    values = {key: {labels[key] for _, labels in found if key in labels} for key in ("action", "version", "reason")}
    assert {
        "csms_soap_calls_under_way",
        "csms_soap_unanswered_calls_total",
        "csms_soap_late_answers_total",
        "csms_soap_outdated_sessions_total",
        "csms_soap_bad_callbacks_total",
        "csms_soap_refused_requests_total",
        "csms_soap_complaints_total",
        "csms_soap_call_seconds_count",
    } <= {name for name, _ in found}
    assert "Heartbeat" in values["action"]
    assert values["action"] <= {*actions(), ""}
    assert values["version"] <= {version.value for version in Version} | {""}
    assert {"unreadable", "invalid"} <= values["reason"]
    assert "secret-station" not in metrics.render().decode()
