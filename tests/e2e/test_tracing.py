"""One trace from the station's frame to the operator's endpoint and back, in both deployments."""

import asyncio
import http.client
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing
from urllib.parse import urlsplit

import pytest

from csms_platform.tracing import trace_id
from tests.support import system
from tests.support.collector import Collector, Span, collector
from tests.support.endpoint import Endpoint
from tests.support.foreign import identity, raw_station
from tests.support.system import System

Take = Callable[[System], System]
CLIENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@pytest.fixture
def spans() -> Iterator[Collector]:
    with collector() as made:
        yield made


@pytest.fixture
async def endpoint() -> AsyncIterator[Endpoint]:
    async with Endpoint() as made:
        yield made


@pytest.fixture(params=["all-in-one", "distributed"])
def traced(request: pytest.FixtureRequest, own: Take, spans: Collector, endpoint: Endpoint) -> System:
    """A system that asks `endpoint` and tells `spans`."""
    env = {"CSMS_TRACING_ENDPOINT": spans.url, "CSMS_WEBHOOK_URL": endpoint.url, "OTEL_BSP_SCHEDULE_DELAY": "100"}
    if request.param == "all-in-one":
        return own(system.all_in_one(env=env))
    bus, state = request.getfixturevalue("fresh_amqp_url"), request.getfixturevalue("fresh_redis_url")
    return own(system.distributed(bus, state, gateways=1, relays=1, apis=1, env=env))


async def test_a_stations_call_is_one_trace_through_every_service(
    traced: System, spans: Collector, endpoint: Endpoint
) -> None:
    name = identity("trace")
    async with raw_station(traced.urls[0], name) as station:
        await station.call("Heartbeat", {})
    found = await asyncio.to_thread(spans.wait_for, lambda all_: len(_of(all_, "Heartbeat", name)) >= 3)
    steps = {span.name.split()[0]: span for span in _of(found, "Heartbeat", name)}
    (heard,) = [one for one in endpoint.heard if one.body.get("action") == "Heartbeat"]

    gateway, router, relay = steps["ws-gateway"], steps["router"], steps["webhook-relay"]
    assert {gateway.trace} == {router.trace, relay.trace, trace_id(heard.headers["traceparent"])}
    assert (gateway.parent, router.parent, relay.parent) == ("", gateway.id, router.id)
    assert heard.headers["traceparent"][36:52] == relay.id
    assert gateway.attributes["ocpp.version"] == "ocpp1.6"
    assert not any(step.failed for step in steps.values())


async def test_a_command_belongs_to_its_clients_trace(traced: System, spans: Collector) -> None:
    name = identity("trace")
    async with raw_station(traced.urls[0], name) as station:
        asking = asyncio.create_task(asyncio.to_thread(_command, traced, name))
        _, unique_id, *_ = await station.receive()
        await station.socket.send(json.dumps([3, unique_id, {"status": "Accepted"}]))
        status = await asking
    found = await asyncio.to_thread(spans.wait_for, lambda all_: len(_of(all_, "ClearCache", name)) >= 3)

    steps = {span.name.split()[0]: span for span in _of(found, "ClearCache", name)}
    assert status == 202
    assert {span.trace for span in steps.values()} == {trace_id(CLIENT)}
    assert steps["api"].parent == CLIENT[36:52]
    assert (steps["router"].parent, steps["ws-gateway"].parent) == (steps["api"].id, steps["router"].id)


def _of(spans: list[Span], action: str, station: str) -> list[Span]:
    return [span for span in spans if span.name.endswith(f" {action}") and span.attributes["ocpp.identity"] == station]


def _command(running: System, station: str) -> int:
    with closing(http.client.HTTPConnection(urlsplit(running.api).netloc, timeout=30)) as connection:
        body = json.dumps({"action": "ClearCache", "payload": {}})
        headers = {"Content-Type": "application/json", "traceparent": CLIENT}
        connection.request("POST", f"/api/v2/stations/{station}/commands", body, headers)
        return connection.getresponse().status
