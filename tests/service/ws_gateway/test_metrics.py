"""What the gateway counts: names that dashboards rely on, and label values that no peer can invent."""

import re

from csms_ocpp.catalog import actions
from csms_ocpp.version import Version
from csms_platform import metrics
from csms_platform.envelope import Kind, Refusal
from tests.service.ws_gateway.wire import ask, dial, heartbeat, request, text
from tests.service.ws_gateway.world import World

SAMPLE = re.compile(r"^(csms_ws_\w+?)(?:\{(.*)\})? [-+.\dea]+$", re.MULTILINE)
LABEL = re.compile(r'(\w+)="([^"]*)"')


def samples() -> list[tuple[str, dict[str, str]]]:
    """Every sample of the gateway with its labels."""
    text = metrics.render().decode()
    return [(name, dict(LABEL.findall(labels))) for name, labels in SAMPLE.findall(text)]


async def test_labels_come_from_the_catalog_whatever_stations_send(world: World) -> None:
    async with dial(world) as wire:
        await wire.upgraded("/ocpp/secret-station")
        wrong = [[2, "2", "Invented", {}], [2, "3", "Reset", {}], [2, "4", "Authorize", {}], [9, "invented"], {}]
        messages: list[object] = [heartbeat("1"), *wrong]
        await wire.send(*(text(message) for message in messages))
        await world.router.command("secret-station", "Invented")
        await world.router.learns()
    await world.router.hears(Kind.DISCONNECT)
    world.router.decide = lambda _: Refusal(404, "Unknown.")
    await ask(world, request("/ocpp/secret-station"))
    await world.sees("refused")

    found = samples()
    names = {name for name, _ in found}
    keys = ("action", "version", "status", "rule")
    values = {key: {labels[key] for _, labels in found if key in labels} for key in keys}
    assert {
        "csms_ws_sockets",
        "csms_ws_connections",
        "csms_ws_handshakes_total",
        "csms_ws_command_seconds_count",
        "csms_ws_commands_under_way",
        "csms_ws_violations_total",
        "csms_ws_complaints_total",
        "csms_ws_unanswered_calls_total",
        "csms_ws_evictions_total",
        "csms_ws_call_seconds_count",
    } <= names
    assert values["action"] <= {*actions(), ""}
    assert values["version"] <= {version.value for version in Version} | {""}
    assert {"101", "404"} <= values["status"]
    assert "required" in values["rule"]
    assert "Heartbeat" in values["action"]
    assert "secret-station" not in metrics.render().decode()
