"""What the benchmark measures when it is asked in which way."""

from pathlib import Path

import pytest

from bench.__main__ import Plan, concerns, parse, runs
from bench.outcome import Run
from bench.processes import Processes
from bench.systems import System

FILE = Path("figures.json")
CSMS = System("all-in-one", "ws://127.0.0.1:1/ocpp", Processes({}), "csms")
ECHO = System("echo-sansio", "ws://127.0.0.1:1/ocpp", Processes({}), "echo", echo=True)


def test_by_default_everything_is_measured() -> None:
    assert parse(["--json", "figures.json"]) == Plan(
        systems=["baseline", "all-in-one", "distributed", "webhook", "aiohttp", "echo-sansio", "echo-library", "load"],
        scenarios=["heartbeat", "metervalues", "session", "commands", "soap"],
        active=[1, 10, 100, 1000],
        connections=1000,
        idle=5000,
        warm_up=2.0,
        window=5.0,
        json=FILE,
    )


def test_options_narrow_it_down() -> None:
    arguments = ["--quick", "--only", "baseline", "--scenario", "session", "--active", "5,7", "--connections", "10"]

    assert parse([*arguments, "--idle", "0", "--json", "figures.json"]) == Plan(
        ["baseline"], ["session"], [5, 7], 10, 0, 0.5, 1.5, FILE
    )


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--only", "nothing"], "unknown: nothing"),
        (["--scenario", "session,none"], "unknown: none"),
        (["--active", "11", "--connections", "10"], "11 active, but only 10 connections"),
    ],
)
def test_what_cannot_be_measured_is_refused(
    arguments: list[str], reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as left:
        parse(arguments)

    assert (left.value.code, reason in capsys.readouterr().err) == (2, True)


def test_the_open_loop_comes_last_and_once() -> None:
    plan = Plan([], ["heartbeat", "metervalues"], [1, 10], 10, 0, 0.5, 1.5, FILE)

    assert list(runs(plan)) == [
        Run("heartbeat", 1, 0.5, 1.5),
        Run("heartbeat", 10, 0.5, 1.5),
        Run("metervalues", 1, 0.5, 1.5),
        Run("metervalues", 10, 0.5, 1.5),
        Run("metervalues", 10, 0.5, 1.5, 2000.0),
    ]


def test_an_echo_server_is_measured_at_full_load_only() -> None:
    plan = Plan([], ["heartbeat", "metervalues"], [1, 10], 10, 0, 0.5, 1.5, FILE)

    assert [run for run in runs(plan) if concerns(run, ECHO, plan)] == [Run("metervalues", 10, 0.5, 1.5)]
    assert all(concerns(run, CSMS, plan) for run in runs(plan))


def test_commands_go_only_to_systems_with_an_api_and_by_clients_of_it() -> None:
    plan = Plan([], ["commands"], [1, 1000], 1000, 0, 0.5, 1.5, FILE)
    with_api = System("x", "ws://127.0.0.1:1/ocpp", Processes({}), "csms", api="http://127.0.0.1:1")

    asked = list(runs(plan))

    assert [(run.scenario, run.active) for run in asked] == [("commands", 1), ("commands", 64)]
    assert [concerns(asked[0], system, plan) for system in (with_api, CSMS, ECHO)] == [True, False, False]


def test_a_system_that_asks_an_endpoint_is_measured_at_full_load_only() -> None:
    plan = Plan([], ["heartbeat", "metervalues"], [1, 1000], 1000, 0, 0.5, 1.5, FILE)
    asking = System("x", "ws://127.0.0.1:1/ocpp", Processes({}), "gateway", asks=True)

    concerned = [(run.scenario, run.active, run.rate) for run in runs(plan) if concerns(run, asking, plan)]

    assert concerned == [("metervalues", 1000, None)]
