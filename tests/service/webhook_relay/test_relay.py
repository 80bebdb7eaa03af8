"""Stations' CALLs through the running relay: answers, retries, and what becomes of them when the endpoint fails."""

import asyncio
import time
from typing import Any

import msgspec
import pytest

from csms_platform.bus import BusSettings, open_doors
from csms_platform.envelope import Capsule, Envelope, Kind, Raw
from csms_platform.metrics import REGISTRY
from csms_platform.ports import ROUTER, WEBHOOK
from csms_platform.state import open_stores
from csms_webhook_relay.delivery import identify
from csms_webhook_relay.service import service
from csms_webhook_relay.settings import Account, Observer, Settings
from tests.service.webhook_relay.server import accept, after, in_turn, operator, says, status
from tests.service.webhook_relay.world import GATEWAY, open_world, until
from tests.support.wiring import ports
from tests.unit.webhook_relay.calls import call

START = {"connectorId": 1, "idTag": "A", "meterStart": 0, "timestamp": "2026-01-01T12:00:00Z"}
STOP = {"transactionId": 7, "meterStop": 10, "timestamp": "2026-01-01T12:00:00Z"}


def counted(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


def seen(envelope: Envelope) -> dict[str, Any]:
    """What matters about an envelope that was sent; payloads as values."""
    fields = {
        "kind": envelope.kind,
        "payload": msgspec.json.decode(envelope.payload),
        "error_code": envelope.error_code,
        "backend": envelope.backend,
        "settle": envelope.settle,
        "reply_to": envelope.reply_to,
    }
    return {key: value for key, value in fields.items() if value not in ("", False)}


# --- answers --------------------------------------------------------------------------------------------------------


async def test_the_endpoints_answer_goes_straight_to_the_gateway() -> None:
    async with operator() as there, open_world(there.url) as world:
        found = await world.answer()

    assert seen(found) == {"kind": Kind.RESULT, "payload": {"idTagInfo": {"status": "Accepted"}}}
    assert (found.identity, found.unique_id, found.action, found.session) == ("CS-1", "17", "Authorize", call().session)


async def test_the_endpoints_error_goes_straight_to_the_gateway() -> None:
    error = {"messageTypeId": 4, "errorCode": "SecurityError", "errorDetails": {"a": 1}}
    async with operator(says(error)) as there, open_world(there.url) as world:
        found = await world.answer()

    assert seen(found) == {"kind": Kind.ERROR, "payload": {"a": 1}, "error_code": "SecurityError"}


async def test_an_answer_that_changes_state_passes_the_router() -> None:
    asked = call("StartTransaction", START, settle=True)
    answer = {"transactionId": 7, "idTagInfo": {"status": "Accepted"}}
    async with operator(says({"payload": answer})) as there, open_world(there.url) as world:
        found = await world.handed_back(asked)

    assert seen(found) == {"kind": Kind.RESULT, "payload": answer, "settle": True, "reply_to": "ocpp.gateway.east"}
    assert bytes(found.request) == bytes(asked.payload)


async def test_every_account_is_asked_where_it_belongs() -> None:
    async with operator() as main, operator() as acme:
        settings = Settings(url=main.url, accounts={"acme": Account(url=acme.url)})
        async with open_world(settings=settings) as world:
            world.ask(call(account="acme"), call(account="other", unique_id="18"))
            await world.hears(GATEWAY, 2)

    assert [body["uniqueId"] for body in acme.bodies] == ["17"]
    assert [body["uniqueId"] for body in main.bodies] == ["18"]


async def test_an_account_that_no_endpoint_serves_is_left_to_the_policy() -> None:
    async with operator() as there:
        settings = Settings(url=there.url, accounts={"own": Account(backend="builtin")})
        async with open_world(settings=settings) as world:
            found = await world.handed_back(call(account="own"))

    assert (found.backend, there.bodies) == ("builtin", [])


async def test_a_send_is_posted_and_nobody_is_answered() -> None:
    sent = call("NotifyPeriodicEventStream", b"{}", "ocpp2.1", kind=Kind.SEND)
    async with operator(status(204)) as there, open_world(there.url) as world:
        world.ask(sent)
        await until(lambda: bool(there.bodies))

    assert there.bodies[0]["action"] == "NotifyPeriodicEventStream"
    assert world.heard == {ROUTER: [], GATEWAY: []}


async def test_a_send_that_cannot_be_delivered_is_delivered_later() -> None:
    sent = call("NotifyPeriodicEventStream", b"{}", "ocpp2.1", kind=Kind.SEND)
    answers = in_turn(status(500), status(204))
    async with operator(answers) as there, open_world(there.url, spool_first_pause=0.01) as world:
        world.ask(sent)
        await until(lambda: len(there.bodies) == 2)

    assert "stored" in there.bodies[1]
    assert world.heard == {ROUTER: [], GATEWAY: []}


async def test_what_is_no_question_is_counted() -> None:
    before = counted("csms_webhook_unexpected_total")
    async with operator() as there, open_world(there.url) as world:
        world.bus.send(WEBHOOK, Envelope(Kind.CONNECT, "CS-1"))
        await world.answer()

    assert counted("csms_webhook_unexpected_total") == before + 1


# --- retries --------------------------------------------------------------------------------------------------------


async def test_a_failure_is_tried_again_while_the_station_waits_under_the_same_delivery_id() -> None:
    answers = in_turn(status(500), says("nonsense"), accept)
    async with operator(answers) as there, open_world(there.url, attempts=3) as world:
        found = await world.answer()

    assert found.kind is Kind.RESULT
    assert [headers["X-OCPP-Attempt"] for headers in there.headers] == ["1", "2", "3"]
    assert {headers["X-OCPP-Delivery"] for headers in there.headers} == {identify(call())}


async def test_it_is_not_tried_more_often_than_that() -> None:
    async with operator(status(500)) as there, open_world(there.url, attempts=3) as world:
        found = await world.handed_back(call())

    assert (found.backend, len(there.bodies)) == ("builtin", 3)


async def test_a_refusal_is_not_tried_again() -> None:
    async with operator(status(404)) as there, open_world(there.url, attempts=3) as world:
        found = await world.handed_back(call())

    assert (found.backend, len(there.bodies)) == ("builtin", 1)


async def test_the_policy_comes_while_the_station_still_waits() -> None:
    async with operator(after(10)) as there, open_world(there.url, attempts=3, margin=0.5, deadline=1.0) as world:
        began = time.time()
        found = await world.handed_back(call())
        took = time.time() - began

    assert found.backend == "builtin"
    assert 0.4 <= took < 0.9


async def test_a_pause_that_the_endpoint_asks_for_is_kept_while_the_station_waits() -> None:
    answers = in_turn(status(429, **{"Retry-After": "1"}), accept)
    async with operator(answers) as there, open_world(there.url, attempts=2) as world:
        found = await world.answer()

    assert (found.kind, len(there.bodies)) == (Kind.RESULT, 2)


async def test_a_pause_that_is_longer_than_the_station_waits_is_not_waited_for() -> None:
    answers = in_turn(status(429, **{"Retry-After": "20"}), accept)
    async with operator(answers) as there, open_world(there.url, attempts=3, deadline=5.0) as world:
        world.ask(call())
        await world.hears(ROUTER)
        world.ask(call(unique_id="18"))
        found = await world.hears(ROUTER, 2, within=1)

    assert [one.backend for one in found] == ["builtin", "builtin"]
    assert len(there.bodies) == 1


# --- policies -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("action", "payload", "backend", "settle"),
    [
        ("Authorize", {"idTag": "A"}, "builtin", False),
        ("BootNotification", {"chargePointVendor": "v", "chargePointModel": "m"}, "builtin", False),
        ("Heartbeat", {}, "builtin", False),
        ("DataTransfer", {"vendorId": "v"}, "reject", False),
        ("StartTransaction", START, "builtin", True),
    ],
)
async def test_without_an_answer_the_call_goes_back_to_the_router(
    action: str, payload: dict[str, Any], backend: str, settle: bool
) -> None:
    asked = call(action, payload, settle=action in ("BootNotification", "StartTransaction"))
    async with operator(status(500)) as there, open_world(there.url) as world:
        found = await world.handed_back(asked)

    expected = {"kind": Kind.CALL, "payload": payload, "backend": backend, "settle": settle, "reply_to": GATEWAY.name}
    assert seen(found) == {key: value for key, value in expected.items() if value is not False}
    assert found.session == asked.session


async def test_what_the_router_cannot_answer_either_is_an_error() -> None:
    before = counted("csms_webhook_fallbacks_total", policy="error")
    async with operator(status(500)) as there, open_world(there.url) as world:
        found = await world.answer(call("SignCertificate", {"csr": "x"}, "ocpp2.0.1"))

    assert seen(found) == {"kind": Kind.ERROR, "payload": {}, "error_code": "InternalError"}
    assert counted("csms_webhook_fallbacks_total", policy="error") == before + 1


async def test_an_operator_chooses_the_policy() -> None:
    policies = {"Authorize": "accept", "StartTransaction": "reject"}
    async with operator(status(500)) as there, open_world(there.url, policies=policies) as world:
        world.ask(call(), call("StartTransaction", START, unique_id="18", settle=True))
        found = await world.hears(ROUTER, 2)

    assert {one.action: (one.backend, one.settle) for one in found} == {
        "Authorize": ("accept", False),
        "StartTransaction": ("reject", False),
    }


async def test_a_stop_that_cannot_be_delivered_is_spooled_answered_positively_and_delivered_later() -> None:
    asked = call("StopTransaction", STOP, settle=True)
    answers = in_turn(status(500), says({"payload": {}}))
    async with operator(answers) as there, open_world(there.url, spool_first_pause=0.05) as world:
        found = await world.handed_back(asked)
        await until(lambda: len(there.bodies) == 2)

    assert seen(found) == {"kind": Kind.CALL, "payload": STOP, "backend": "accept", "reply_to": GATEWAY.name}
    assert found.session == Capsule(epoch=3, registration="Accepted", backlog=True)
    assert [headers["X-OCPP-Attempt"] for headers in there.headers] == ["1", "2"]
    assert {headers["X-OCPP-Delivery"] for headers in there.headers} == {identify(asked)}
    assert "stored" in there.bodies[1]


async def test_while_letters_of_a_station_wait_later_messages_join_them_in_order() -> None:
    goes_on = asyncio.Event()
    answers = in_turn(status(500), after(goes_on, status(204)))
    async with operator(answers) as there, open_world(there.url, spool_first_pause=0.01) as world:
        world.ask(call("StopTransaction", STOP))
        capsule = (await world.hears(ROUTER))[0].session
        world.ask(call("MeterValues", {"connectorId": 1, "meterValue": []}, unique_id="18", session=capsule))
        await world.hears(ROUTER, 2)
        goes_on.set()
        await until(lambda: len(there.bodies) == 3)

    assert [body["uniqueId"] for body in there.bodies] == ["17", "17", "18"]
    assert "stored" in there.bodies[2]


async def test_when_no_letter_waits_any_more_the_relay_goes_live_and_says_so_in_the_capsule() -> None:
    backlog = Capsule(epoch=3, registration="Accepted", backlog=True)
    async with operator(status(204)) as there, open_world(there.url) as world:
        found = await world.answer(call("MeterValues", {"connectorId": 1, "meterValue": []}, session=backlog))

    assert found.session == Capsule(epoch=3, registration="Accepted")
    assert "stored" not in there.bodies[0]


async def test_a_soap_station_without_a_capsule_is_served() -> None:
    asked = call("StatusNotification", {}, "ocpp1.5", transport="soap", session=None)
    async with operator(status(204)) as there, open_world(there.url) as world:
        found = await world.answer(asked)

    assert (found.kind, found.session) == (Kind.RESULT, None)


@pytest.mark.parametrize(
    "answer", [status(422), says({"messageTypeId": 4, "errorCode": "GenericError"})], ids=["422", "CallError"]
)
async def test_a_stop_that_the_endpoint_refuses_is_a_dead_letter_and_answered_positively(answer: Any) -> None:
    async with operator(answer) as there, open_world(there.url, attempts=3) as world:
        found = await world.handed_back(call("StopTransaction", STOP, settle=True))
        (letter,), _ = await world.ports.deliveries.dead()

    assert (found.backend, found.settle, found.session) == ("accept", False, call().session)
    assert (letter.action, letter.attempts, letter.endpoint, len(there.bodies)) == ("StopTransaction", 1, "default", 1)


async def test_what_the_router_answered_instead_reaches_the_endpoint_afterwards() -> None:
    asked = call("StartTransaction", START, settle=True)
    answers = in_turn(status(500), status(204))
    async with operator(answers) as there, open_world(there.url, spool_first_pause=0.01) as world:
        back = await world.handed_back(asked)
        told = msgspec.structs.replace(
            back, kind=Kind.RESULT, request=back.payload, payload=Raw(b'{"transactionId":7}'), deadline=0
        )
        world.bus.send(WEBHOOK, told)
        await until(lambda: len(there.bodies) == 2)

    assert (there.bodies[1]["payload"], there.bodies[1]["answered"]) == (START, {"transactionId": 7})
    assert {headers["X-OCPP-Delivery"] for headers in there.headers} == {identify(asked)}


# --- many at once, and leaving --------------------------------------------------------------------------------------


async def test_a_slow_endpoint_does_not_keep_the_others_out() -> None:
    goes_on = asyncio.Event()
    async with operator(after(goes_on)) as slow, operator() as quick:
        settings = Settings(url=quick.url, accounts={"slow": Account(url=slow.url)})
        async with open_world(settings=settings) as world:
            # More batches than the bus delivers at once: each call is one of its own.
            for number in range(90):
                world.ask(call(account="slow", unique_id=f"s{number}"))
                await world.bus.flush()
            world.ask(call(unique_id="quick"))
            first = (await world.hears(GATEWAY))[0]
            goes_on.set()
            await world.hears(GATEWAY, 91)

    assert first.unique_id == "quick"


async def test_past_the_endpoints_limit_the_policy_comes_at_once() -> None:
    goes_on = asyncio.Event()
    async with operator(after(goes_on)) as there, open_world(there.url, concurrency=2, waiting=1) as world:
        world.ask(*(call(unique_id=str(number)) for number in range(5)))
        turned_away = [one.unique_id for one in await world.hears(ROUTER, 2)]
        goes_on.set()
        answered = [one.unique_id for one in await world.hears(GATEWAY, 3)]

    assert (sorted(turned_away), sorted(answered)) == (["3", "4"], ["0", "1", "2"])


async def test_leaving_waits_for_calls_under_way() -> None:
    async with operator(after(0.2)) as there, open_world(there.url) as world:
        world.ask(call())
        await until(lambda: bool(there.bodies))

    assert [one.kind for one in world.heard[GATEWAY]] == [Kind.RESULT]


async def test_calls_and_observers_together_hold_leaving_up_no_longer_than_that() -> None:
    async with operator(after(30)) as there, operator(after(30)) as other:
        observers = (Observer(name="audit", url=other.url),)
        settings = Settings(url=there.url, observers=observers, drain_seconds=0.5, attempts=1)
        async with open_world(settings=settings) as world:
            world.ask(call())
            await until(lambda: bool(there.bodies and other.bodies))
            began = time.monotonic()
        took = time.monotonic() - began

    assert 0.4 <= took < 0.9


async def test_observers_get_copies_of_what_the_router_answers_by_itself_and_nobody_is_asked() -> None:
    async with operator() as there, operator(status(204)) as other:
        settings = Settings(url=there.url, observers=(Observer(name="audit", url=other.url),))
        async with open_world(settings=settings) as world:
            world.ask(call("StatusNotification", {}, account="own", backend="builtin", reply_to=""))
            await until(lambda: bool(other.bodies))

    assert [(body["action"], body["account"]) for body in other.bodies] == [("StatusNotification", "own")]
    assert (there.bodies, world.heard) == ([], {ROUTER: [], GATEWAY: []})


async def test_what_cannot_be_ended_in_time_is_left_to_another_relay(fresh_amqp_url: str) -> None:
    bus, heard = BusSettings(url=fresh_amqp_url), list[Envelope]()

    async def note(batch: list[Envelope]) -> None:
        heard.extend(batch)

    async with operator(in_turn(after(10), accept)) as there, open_stores("memory://") as stores:
        settings = Settings(url=there.url, drain_seconds=0.1)
        async with open_doors(bus) as test:
            await test.bus.subscribe(GATEWAY, note)
            test.bus.send(WEBHOOK, call(deadline=int(time.time() * 1000) + 30_000))
            async with open_doors(bus) as doors, service(ports(doors, stores, tasks=[]), settings):
                await until(lambda: bool(there.bodies))
            async with open_doors(bus) as doors, service(ports(doors, stores, tasks=[]), settings):
                await until(lambda: bool(heard))

    assert [one.kind for one in heard] == [Kind.RESULT]
    assert [headers["X-OCPP-Delivery"] for headers in there.headers] == [identify(call())] * 2


async def test_the_state_of_an_endpoint_that_is_down_is_a_metric_and_no_reason_to_be_unready(free_port: int) -> None:
    async with open_world(f"http://127.0.0.1:{free_port}/", breaker_failures=1) as world:
        await world.handed_back(call())

        assert world.ports.checks == {}
        assert counted("csms_webhook_breaker", endpoint="default") == 1
