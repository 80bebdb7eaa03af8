"""The gateway with the real router behind it: admission, registration, transactions, as a station sees them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from csms_ocpp.version import StationId
from csms_platform.http import Front
from csms_platform.passwords import digest
from csms_platform.ports import Ports, Station
from csms_platform.state import open_stores
from csms_router.service import service as router_service
from csms_router.settings import Settings as RouterSettings
from csms_soap_gateway.service import service as gateway_service
from csms_soap_gateway.settings import Settings
from tests.contract.doors import AMQP, MEMORY, Broker, make
from tests.service.soap_gateway.world import BOOT, HEARTBEAT
from tests.support.soap import Answered, envelope, post
from tests.support.wiring import ports

AUTHORIZE = "<cs:authorizeRequest><cs:idTag>TAG-1</cs:idTag></cs:authorizeRequest>"
START = (
    "<cs:startTransactionRequest><cs:connectorId>1</cs:connectorId><cs:idTag>TAG-1</cs:idTag>"
    "<cs:timestamp>2026-01-01T12:00:00Z</cs:timestamp><cs:meterStart>1000</cs:meterStart></cs:startTransactionRequest>"
)
BASIC = {"Authorization": "Basic Q1MtMTpzZWNyZXQ="}  # CS-1:secret
CALLBACK = "http://192.0.2.7:8080/"


@dataclass
class Town:
    """A router and a SOAP gateway on one exchange. `ports` are the router's."""

    ports: Ports
    port: int

    async def ask(
        self, body: str, version: str = "1.6", *, headers: dict[str, str] | None = None, message_id: str = ""
    ) -> Answered:
        text = envelope(version, "CS-1", body, source=CALLBACK, message_id=message_id)
        return await asyncio.to_thread(post, f"http://127.0.0.1:{self.port}/Ocpp", text, headers=headers, timeout=10)


@asynccontextmanager
async def open_town(broker: Broker, url: str, settings: RouterSettings | None = None) -> AsyncIterator[Town]:
    tasks, front = list[asyncio.Task[None]](), Front({})
    inside, outside = await broker.connect(), await broker.connect()
    async with (
        open_stores(url) as stores,
        router_service(wired := ports(inside, stores, tasks=tasks), settings or RouterSettings()),
        gateway_service(ports(outside, tasks=tasks, serve=front.serve), Settings(call_deadline=5)),
        front.listen("127.0.0.1", 0) as port,
    ):
        yield Town(wired, port)
    for task in tasks:
        task.cancel()
    with suppress(asyncio.CancelledError):
        await asyncio.gather(*tasks)


@pytest.fixture(params=["memory", "RabbitMQ and Redis"])
async def broker(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Broker]:
    """A broker in memory, and a real one."""
    async for broker in make(MEMORY if request.param == "memory" else AMQP, request, tmp_path):
        yield broker


@pytest.fixture
def url(broker: Broker, request: pytest.FixtureRequest) -> str:
    """Stores of the same kind."""
    found: str = "memory://" if broker.name == MEMORY else request.getfixturevalue("fresh_redis_url")
    return found


@pytest.fixture
async def town(broker: Broker, url: str) -> AsyncIterator[Town]:
    """With the router's default settings."""
    async with open_town(broker, url) as town:
        yield town


@pytest.mark.parametrize("version", ["1.5", "1.6"])
async def test_a_station_boots_and_charges(town: Town, version: str) -> None:
    boot = await town.ask(BOOT, version)
    beat = await town.ask(HEARTBEAT, version)
    authorized = await town.ask(AUTHORIZE, version)
    started = await town.ask(START, version, message_id="urn:uuid:1")
    again = await town.ask(START, version, message_id="urn:uuid:1")
    number = started.text_of("transactionId")
    stopped = await town.ask(
        f"<cs:stopTransactionRequest><cs:transactionId>{number}</cs:transactionId>"
        "<cs:timestamp>2026-01-01T13:00:00Z</cs:timestamp><cs:meterStop>2500</cs:meterStop></cs:stopTransactionRequest>",
        version,
    )

    assert [one.status for one in (boot, beat, authorized, started, stopped)] == 5 * [200]
    assert boot.text_of("status") == "Accepted"
    assert authorized.text_of("idTagInfo/status") == "Accepted"
    assert again.text_of("transactionId") == number
    session = await town.ports.sessions.get(StationId("CS-1"))
    assert session is not None
    assert (session.transport, session.callback, session.version) == ("soap", CALLBACK, f"ocpp{version}")


async def test_a_station_that_never_booted_is_told_to(town: Town) -> None:
    before = await town.ask(AUTHORIZE)
    await town.ask(BOOT)
    after = await town.ask(AUTHORIZE)

    assert (before.status, before.subcode) == (400, "SecurityError")
    assert after.status == 200


async def test_a_password_is_asked_for_and_checked_each_time(town: Town) -> None:
    record = Station(StationId("CS-1"), password=digest(b"secret"), security_profile=1)
    await town.ports.stations.put(record)

    none = await town.ask(BOOT)
    wrong = await town.ask(BOOT, headers={"Authorization": "Basic Q1MtMTpvdGhlcg=="})
    other = await town.ask(BOOT, headers={"Authorization": "Basic Q1MtMjpzZWNyZXQ="})
    right = [await town.ask(BOOT, headers=BASIC) for _ in range(2)]
    none_again = await town.ask(BOOT)

    assert [(one.status, one.subcode) for one in (none, wrong, other, none_again)] == [
        (401, "SecurityError"),
        (401, "SecurityError"),
        (400, "IdentityMismatch"),
        (401, "SecurityError"),
    ]
    assert [one.text_of("status") for one in right] == ["Accepted", "Accepted"]


async def test_a_station_that_is_not_registered_is_nobody(broker: Broker, url: str) -> None:
    async with open_town(broker, url, RouterSettings(auth="registered")) as town:
        answered = await town.ask(BOOT)

        assert (answered.status, answered.subcode) == (400, "IdentityMismatch")


async def test_a_disabled_station_is_refused(town: Town) -> None:
    await town.ports.stations.put(Station(StationId("CS-1"), disabled=True))

    answered = await town.ask(BOOT)

    assert (answered.status, answered.subcode) == (400, "SecurityError")
