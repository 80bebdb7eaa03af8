"""Which services a command runs, and what it refuses."""

import json
from pathlib import Path

import pytest

from csms.compose import plan
from csms.settings import read
from csms_platform.settings import SettingsError

BROKERS = {"CSMS_BUS_URL": "amqp://localhost/", "CSMS_STATE_URL": "redis://localhost/0"}
ENDPOINT = {"CSMS_WEBHOOK_URL": "http://localhost:8080/ocpp"}
OBSERVER = {"CSMS_WEBHOOK_OBSERVERS": '[{"name": "audit", "url": "http://localhost:8081/"}]'}
ALL = ["configuration", "router", "webhook-relay", "ws-gateway", "soap-gateway", "api"]


@pytest.mark.parametrize(
    ("command", "parts", "stores", "listens"),
    [
        ("up", ALL, True, True),
        ("router", ["configuration", "router"], True, True),
        ("webhook-relay", ["webhook-relay"], True, True),
        ("api", ["api"], True, True),
        ("ws-gateway", ["ws-gateway"], False, True),
        ("soap-gateway", ["soap-gateway"], False, True),
        ("emulate", ["emulator"], False, False),
    ],
)
def test_each_command_runs_its_services(command: str, parts: list[str], stores: bool, listens: bool) -> None:
    made = plan(command, read(None, BROKERS | ENDPOINT))

    assert [part.name for part in made.parts] == parts
    assert (made.stores, made.listen is not None) == (stores, listens)


@pytest.mark.parametrize(
    ("environment", "missing"),
    [
        ({}, {"webhook-relay"}),
        (ENDPOINT, set()),
        (OBSERVER, set()),
        (ENDPOINT | {"CSMS_WEBHOOK_ENABLE": "false"}, {"webhook-relay"}),
        ({"CSMS_API_ENABLE": "false"}, {"webhook-relay", "api"}),
        ({"CSMS_SOAP_GATEWAY_ENABLE": "false"}, {"webhook-relay", "soap-gateway"}),
    ],
)
def test_all_in_one_has_a_relay_when_there_is_somebody_to_ask_and_an_api_unless_told_otherwise(
    environment: dict[str, str], missing: set[str]
) -> None:
    made = plan("up", read(None, environment))

    assert [part.name for part in made.parts] == [name for name in ALL if name not in missing]


@pytest.mark.parametrize(
    ("environment", "backend", "accounts"),
    [
        ({}, "builtin", {}),
        (ENDPOINT, "webhook", {}),
        (ENDPOINT | {"CSMS_WEBHOOK_BACKEND": "builtin"}, "builtin", {}),
        (ENDPOINT | {"CSMS_WEBHOOK_ACCOUNTS": '{"lab": {"backend": "builtin"}}'}, "webhook", {"lab": "builtin"}),
        ({"CSMS_WEBHOOK_ACCOUNTS": '{"acme": {"url": "http://acme.example/"}}'}, "builtin", {"acme": "webhook"}),
    ],
)
def test_the_router_knows_whom_the_endpoint_serves(
    environment: dict[str, str], backend: str, accounts: dict[str, str]
) -> None:
    found = read(None, environment)

    assert (found.router.backend, found.router.accounts) == (backend, accounts)


@pytest.mark.parametrize(
    ("command", "environment", "sentence"),
    [
        ("ws-gateway", {}, "csms ws-gateway needs RabbitMQ: give --bus amqp://… or CSMS_BUS_URL."),
        ("soap-gateway", {}, "csms soap-gateway needs RabbitMQ: give --bus amqp://… or CSMS_BUS_URL."),
        ("router", {}, "csms router needs RabbitMQ: give --bus amqp://… or CSMS_BUS_URL."),
        (
            "router",
            {"CSMS_BUS_URL": "amqp://localhost/"},
            "csms router needs Redis: give --state redis://… or CSMS_STATE_URL.",
        ),
        ("webhook-relay", ENDPOINT, "csms webhook-relay needs RabbitMQ: give --bus amqp://… or CSMS_BUS_URL."),
        (
            "webhook-relay",
            BROKERS,
            "csms webhook-relay has nobody to ask: give --webhook-url or CSMS_WEBHOOK_URL.",
        ),
        ("api", {}, "csms api needs RabbitMQ: give --bus amqp://… or CSMS_BUS_URL."),
        (
            "api",
            {"CSMS_BUS_URL": "amqp://localhost/"},
            "csms api needs Redis: give --state redis://… or CSMS_STATE_URL.",
        ),
    ],
)
def test_a_service_by_itself_on_memory_is_a_mistake(command: str, environment: dict[str, str], sentence: str) -> None:
    with pytest.raises(SettingsError) as error:
        plan(command, read(None, environment))

    assert str(error.value) == sentence


def test_emulated_stations_come_after_the_port_is_open_and_find_it() -> None:
    made = plan("up", read(None, {"CSMS_PORT": "9300"}), emulated=3)

    assert [(part.name, part.after_listening) for part in made.parts][-1] == ("emulator", True)


@pytest.mark.parametrize(("paths", "emulators"), [([], 0), (["deploy/emulator"], 1)])
def test_a_park_comes_after_the_port_is_open(paths: list[str], emulators: int) -> None:
    found = [str(Path(__file__).parents[3] / path) for path in paths]

    made = plan("up", read(None, {"CSMS_PARK_PATHS": json.dumps(found)}))

    assert [part.after_listening for part in made.parts if part.name == "emulator"] == [True] * emulators


@pytest.mark.parametrize(("command", "emulated"), [("up", 1), ("emulate", 0)])
def test_emulated_stations_with_files_that_cannot_be_used_are_refused_before_anything_starts(
    command: str, emulated: int
) -> None:
    files = {"CSMS_TLS_CERTIFICATE": "server.pem", "CSMS_EMULATOR_CA": "none.pem"}

    with pytest.raises(SettingsError) as error:
        plan(command, read(None, files), emulated)

    assert str(error.value) == "emulator: ca: none.pem cannot be read: No such file or directory."


def test_the_command_line_beats_the_environment_which_beats_the_file(tmp_path) -> None:  # type: ignore[no-untyped-def]
    file = tmp_path / "csms.toml"
    file.write_text('port = 1\nhost = "::1"\n[bus]\nurl = "amqp://file/"\n', encoding="utf-8")

    found = read(file, {"CSMS_PORT": "2", "CSMS_HOST": "::2"}, {"": {"port": 3}})

    assert (found.listen.port, found.listen.host, found.bus.url) == (3, "::2", "amqp://file/")
