"""SOAP stations over more than one gateway: who calls them, one thing at a time, and when they count as online."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest

from tests.support import system
from tests.support.endpoint import Endpoint
from tests.support.foreign import basic, identity
from tests.support.ports import wait_until
from tests.support.soap import Command, PlainStation, envelope, plain_station, post
from tests.support.system import System

Take = Callable[[System], System]
BOOT = (
    "<cs:bootNotificationRequest><cs:chargePointVendor>V</cs:chargePointVendor>"
    "<cs:chargePointModel>M</cs:chargePointModel></cs:bootNotificationRequest>"
)


@pytest.fixture
def pair(own: Take, fresh_amqp_url: str, fresh_redis_url: str) -> System:
    """Two routers, two SOAP gateways and an API for one test to kill."""
    return own(system.distributed(fresh_amqp_url, fresh_redis_url, routers=2, gateways=0, soaps=2, apis=1))


def reset(running: System, station: PlainStation) -> tuple[int, Any]:
    return running.rest("POST", f"/api/v1/ChargePoint/{station.identity}/Reset", {"type": "Soft"})


def online(running: System, station: PlainStation) -> bool:
    return bool(running.rest("GET", f"/api/v2/stations/{station.identity}")[1]["online"])


@contextmanager
def booted(running: System, gateway: int = 0, version: str = "1.6") -> Iterator[PlainStation]:
    """A station that booted at one of the gateways, and accepts what it is asked."""
    with plain_station(running.soaps[gateway].soap, identity("pair"), version) as station:
        assert station.boot().text_of("status") == "Accepted"
        for action in ("Reset", "ClearCache"):
            station.answers[action] = "<cp:status>Accepted</cp:status>"
        yield station


def test_a_station_that_booted_at_one_gateway_is_asked_by_the_other(pair: System) -> None:
    with booted(pair, gateway=0) as station:
        pair.soaps.pop(0).process.close()

        assert reset(pair, station) == (200, {"status": "Accepted"})
        assert online(pair, station)


def test_a_changed_address_takes_effect_for_the_next_command_and_none_is_remembered(distributed_soap: System) -> None:
    with (
        booted(distributed_soap, gateway=0) as station,
        plain_station(distributed_soap.soaps[1].soap, station.identity, "1.6") as moved,
    ):
        moved.answers["Reset"] = "<cp:status>Rejected</cp:status>"

        asked_before = reset(distributed_soap, station)
        moved.ask("<cs:heartbeatRequest/>")
        moved.ask("<cs:heartbeatRequest/>", source="")
        asked_after = reset(distributed_soap, station)

        assert (asked_before, asked_after) == ((200, {"status": "Accepted"}), (200, {"status": "Rejected"}))
        assert (len(station.asked), len(moved.asked)) == (1, 1)


def test_a_station_is_asked_one_thing_at_a_time_however_many_gateways_there_are(distributed_soap: System) -> None:
    under_way, most, lock = [0], [0], threading.Lock()

    def slowly(command: Command) -> tuple[int, str]:
        with lock:
            under_way[0] += 1
            most[0] = max(most[0], under_way[0])
        time.sleep(0.05)
        with lock:
            under_way[0] -= 1
        return 200, station.envelope(command, "<cp:status>Accepted</cp:status>")

    with booted(distributed_soap) as station, ThreadPoolExecutor(12) as pool:
        station.answers["Reset"] = slowly

        answers = list(pool.map(lambda _: reset(distributed_soap, station), range(12)))

        assert answers == [(200, {"status": "Accepted"})] * 12
        assert (len(station.asked), most[0]) == (12, 1)


def test_both_gateways_take_their_share_of_the_commands(distributed_soap: System) -> None:
    with booted(distributed_soap) as station:
        for _ in range(6):
            assert reset(distributed_soap, station)[0] == 200

        took = [len([e for e in member.process.logs if _is_command(e, station)]) for member in distributed_soap.soaps]
        assert sum(took) == 6
        assert min(took) > 0


def _is_command(entry: dict[str, Any], station: PlainStation) -> bool:
    return entry["event"] == "command" and entry.get("station") == station.identity


def test_a_gateway_killed_in_a_call_ends_it_as_uncertain_and_the_next_command_goes_out(
    own: Take, fresh_amqp_url: str, fresh_redis_url: str
) -> None:
    patience = {"CSMS_API_COMMAND_WAIT": "3", "CSMS_ROUTER_COMMAND_GRACE": "1"}
    running = own(system.distributed(fresh_amqp_url, fresh_redis_url, gateways=0, soaps=1, apis=1, env=patience))
    asked, forever = threading.Event(), threading.Event()

    def never(_: Command) -> tuple[int, str]:
        asked.set()
        forever.wait(30)
        return 500, ""

    with booted(running) as station, ThreadPoolExecutor(1) as pool:
        station.answers["Reset"] = never
        lost = pool.submit(reset, running, station)
        assert asked.wait(10)
        running.soaps.pop(0).process.close()
        running.add_soap()
        running.wait_ready()

        assert lost.result()[0] == 504
        cleared = running.rest("POST", f"/api/v1/ChargePoint/{station.identity}/ClearCache", {})
        assert cleared == (200, {"status": "Accepted"})
        assert [command.operation for command in station.asked] == ["Reset", "ClearCache"]
        forever.set()


def test_a_station_is_online_for_its_intervals_whichever_gateways_live(
    own: Take, fresh_amqp_url: str, fresh_redis_url: str
) -> None:
    quick = {"CSMS_ROUTER_HEARTBEAT_INTERVAL": "2", "CSMS_ROUTER_SWEEP_INTERVAL": "0.2"}
    running = own(system.distributed(fresh_amqp_url, fresh_redis_url, gateways=0, soaps=2, apis=1, env=quick))

    with booted(running, gateway=0) as station:
        running.soaps.pop(0).process.close()
        began = time.monotonic()
        while time.monotonic() < began + 4:
            assert online(running, station)
            time.sleep(0.2)
        station.url = running.soaps[0].soap
        assert station.ask("<cs:heartbeatRequest/>").status == 200
        beaten = time.monotonic()
        assert wait_until(lambda: not online(running, station), 10)

        silent = time.monotonic() - beaten
        assert 4.0 < silent < 7.0
        assert reset(running, station)[0] == 503


def test_credentials_are_asked_for_over_soap_too(own: Take, fresh_amqp_url: str, fresh_redis_url: str) -> None:
    stations = {"CSMS_STATIONS": '[{"identity": "KEPT-1", "password": "0123456789abcdef"}]', "CSMS_AUTH": "registered"}
    running = own(system.distributed(fresh_amqp_url, fresh_redis_url, gateways=0, soaps=1, env=stations))
    url = running.soaps[0].soap

    def ask(name: str, **headers: str) -> tuple[int, str]:
        answered = post(url, envelope("1.6", name, BOOT), headers=headers)
        return answered.status, answered.subcode or answered.text_of("status") or ""

    assert ask("KEPT-1") == (401, "SecurityError")
    assert ask("KEPT-1", Authorization=basic("KEPT-1", "guessed")) == (401, "SecurityError")
    assert ask("KEPT-1", Authorization=basic("KEPT-2", "0123456789abcdef")) == (400, "IdentityMismatch")
    assert ask("NOBODY", Authorization=basic("NOBODY", "x")) == (400, "IdentityMismatch")
    assert ask("KEPT-1", Authorization=basic("KEPT-1", "0123456789abcdef")) == (200, "Accepted")


async def test_the_operators_endpoint_answers_soap_stations(
    own: Take, fresh_amqp_url: str, fresh_redis_url: str
) -> None:
    async with Endpoint() as endpoint:
        env = {"CSMS_WEBHOOK_URL": endpoint.url}
        running = await asyncio.to_thread(
            lambda: own(system.distributed(fresh_amqp_url, fresh_redis_url, gateways=0, soaps=1, relays=1, env=env))
        )
        station = PlainStation(running.soaps[0].soap, identity("asked"), "1.5")
        start = (
            "<cs:startTransactionRequest><cs:connectorId>1</cs:connectorId><cs:idTag>TAG</cs:idTag>"
            "<cs:timestamp>2026-03-01T10:00:00Z</cs:timestamp><cs:meterStart>5</cs:meterStart>"
            "</cs:startTransactionRequest>"
        )

        boot = await asyncio.to_thread(station.boot)
        started = await asyncio.to_thread(station.ask, start)

        assert (boot.text_of("status"), started.text_of("idTagInfo/status")) == ("Accepted", "Accepted")
        [heard] = endpoint.of("StartTransaction", station.identity)
        about = {key: heard.body[key] for key in ("version", "transport", "payload")}
        assert about == {
            "version": "ocpp1.5",
            "transport": "soap",
            "payload": {"connectorId": 1, "idTag": "TAG", "timestamp": "2026-03-01T10:00:00Z", "meterStart": 5},
        }
