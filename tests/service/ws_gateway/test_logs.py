"""The gateway's lines about messages: whose they are, how long they took and where, and never what was in them."""

from typing import Any

from csms_platform.envelope import Kind
from tests.service.ws_gateway.wire import dial, heartbeat, text
from tests.service.ws_gateway.world import World

TRACE = "0af7651916cd43dd8448eb211c80319c"
ABOUT = {"station": "CS-1", "account": "acme", "version": "ocpp1.6"}


def told(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The lines without what differs from run to run; durations only as whether they can be."""
    found = [{**line, "ms": 0 <= line.get("ms", 0) < 30_000} for line in lines]
    return [{key: value for key, value in line.items() if key not in ("gateway", "log_level")} for line in found]


async def test_a_call_has_one_line_with_its_station_outcome_duration_hops_and_trace(world: World) -> None:
    world.router.answers = False
    async with dial(world) as wire:
        await wire.upgraded("/ocpp/CS-1/acme")
        await wire.send(text(heartbeat("1")))
        (call,) = await world.router.hears(Kind.CALL)
        world.router.answer(call, hops={"store": 2.5}, traceparent=f"00-{TRACE}-b7ad6b7169203331-01")
        await wire.message()
        lines = await world.sees("Heartbeat")

    expected = {"event": "Heartbeat", **ABOUT, "id": "1", "outcome": "result", "ms": True}
    assert [line | expected for line in told(lines)] == told(lines)
    assert [(line["hops"], line["trace"]) for line in lines] == [({"store": 2.5}, TRACE)]


async def test_why_a_payload_is_invalid_is_told_without_its_values(world: World) -> None:
    async with dial(world) as wire:
        await wire.upgraded("/ocpp/CS-1/acme")
        await wire.send(text([2, "1", "Authorize", {"idTag": "04A2B3C4D5E6F7-is-secret"}]))
        await wire.message()
        (line,) = await world.sees("violation")

    assert line["reason"] == "idTag violates maxLength."
    assert [line[key] for key in ABOUT] == list(ABOUT.values())
    assert "04A2B3C4" not in str(world.logs)


async def test_a_command_has_a_line_with_its_duration(world: World) -> None:
    async with dial(world) as wire:
        await wire.upgraded("/ocpp/CS-1/acme")
        await world.router.command("CS-1", "Reset", b'{"type":"Soft"}', unique_id="c-1")
        await wire.message()
        await wire.send(text([3, "c-1", {"status": "Accepted"}]))
        lines = await world.sees("command")

    expected = {"event": "command", **ABOUT, "action": "Reset", "id": "c-1", "outcome": "result", "ms": True}
    assert [line | expected for line in told(lines)] == told(lines)
