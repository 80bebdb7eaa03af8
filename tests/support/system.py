"""The central system under test, from outside: one process, or every service by itself on RabbitMQ and Redis.

Knows how its processes are started and where they listen; not what they answer.
"""

import asyncio
import http.client
import json
import os
import signal
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from typing import Any

from redis.asyncio import Redis

from tests.support.ports import answers, free_port, wait_until
from tests.support.processes import Csms

HOST = "127.0.0.1"
# Never a terminal here; debug, so that what must not be logged is looked for in everything that can be.
_LOUD = {"CSMS_LOG_FORMAT": "json", "CSMS_LOG_LEVEL": "debug"}


class Member:
    """One process of a system, started at once; `port` is its only one."""

    def __init__(self, *arguments: str, env: Mapping[str, str] | None = None) -> None:
        self.port = free_port()
        self.process = Csms(*arguments, "--port", str(self.port), env=_LOUD | dict(env or {}))

    @property
    def url(self) -> str:
        """Where stations connect, without their identity."""
        return f"ws://{HOST}:{self.port}/ocpp"

    @property
    def http(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def soap(self) -> str:
        """Where SOAP stations call."""
        return f"{self.http}/Ocpp"

    @property
    def ready(self) -> bool:
        """Whether `/readyz` answers 200 now. Blocks for up to a second."""
        return answers(self.port, b"GET /readyz HTTP/1.1\r\nHost: test\r\n\r\n", b"HTTP/1.1 200")

    def pause(self) -> None:
        """SIGSTOP: it does nothing more, and its connections stay."""
        os.kill(self.process.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT."""
        os.kill(self.process.pid, signal.SIGCONT)


@dataclass(frozen=True)
class System:
    """Processes that together are a central system. `gateways` take stations, `soaps` those that speak SOAP; all-in-one
    is everything.

    `bus` and `state` are the URLs of its brokers, `env` the settings of every process.
    """

    gateways: list[Member]
    routers: list[Member]
    bus: str = "memory://"
    state: str = "memory://"
    env: dict[str, str] = field(default_factory=dict)
    relays: list[Member] = field(default_factory=list)
    apis: list[Member] = field(default_factory=list)
    soaps: list[Member] = field(default_factory=list)

    @property
    def members(self) -> list[Member]:
        """Every process once."""
        return list(dict.fromkeys([*self.routers, *self.relays, *self.apis, *self.gateways, *self.soaps]))

    @property
    def api(self) -> str:
        """Where the REST API is, without a path."""
        return self.apis[0].http

    @property
    def urls(self) -> list[str]:
        """Where stations connect, one for each gateway."""
        return [gateway.url for gateway in self.gateways]

    def rest(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """Status and JSON of a request to the REST API; blocks."""
        with closing(http.client.HTTPConnection(HOST, self.apis[0].port, timeout=60)) as connection:
            sent = None if body is None else json.dumps(body)
            connection.request(method, path, sent, {"Content-Type": "application/json"})
            response = connection.getresponse()
            return response.status, json.loads(response.read())

    def add_router(self) -> Member:
        """One more router, not waited for."""
        self.routers.append(_stored("router", self.bus, self.state, self.env))
        return self.routers[-1]

    def add_relay(self) -> Member:
        """One more webhook relay, not waited for."""
        self.relays.append(_stored("webhook-relay", self.bus, self.state, self.env))
        return self.relays[-1]

    def add_gateway(self) -> Member:
        """One more gateway, not waited for."""
        self.gateways.append(_gateway("ws-gateway", self.bus, self.env))
        return self.gateways[-1]

    def add_soap(self) -> Member:
        """One more SOAP gateway, not waited for."""
        self.soaps.append(_gateway("soap-gateway", self.bus, self.env))
        return self.soaps[-1]

    def wait_ready(self, seconds: float = 30) -> "System":
        """Return when every living member is ready. Blocks. Raises AssertionError with what they said."""
        for member in self.members:
            process = member.process
            wait_until(lambda member=member: member.ready or member.process.returncode is not None, seconds)  # type: ignore[misc]
            assert process.returncode is None, f"ended before it was ready\n{process}"
            assert member.ready, f"not ready within {seconds} s\n{process}"
        return self

    def close(self) -> None:
        """Kill what still runs of it, and print what it said."""
        for member in self.members:
            member.process.close()
            print(member.process)


def own_queues() -> dict[str, str]:
    """The setting that keeps a system's queues apart from others' on the same RabbitMQ."""
    return {"CSMS_BUS_PREFIX": f"test-{uuid.uuid4().hex[:8]}."}


def all_in_one(*arguments: str, env: Mapping[str, str] | None = None) -> System:
    """`csms up <arguments>`, not waited for."""
    member = Member("up", *arguments, env=env)
    return System([member], [member], env=dict(env or {}), relays=[member], apis=[member], soaps=[member])


def distributed(
    bus: str,
    state: str,
    *,
    routers: int = 1,
    gateways: int = 2,
    relays: int = 0,
    apis: int = 0,
    soaps: int = 0,
    env: Mapping[str, str] | None = None,
) -> System:
    """Services, each a process of its own, not waited for; their queues are nobody else's."""
    env = own_queues() | dict(env or {})
    return System(
        [_gateway("ws-gateway", bus, env) for _ in range(gateways)],
        [_stored("router", bus, state, env) for _ in range(routers)],
        bus=bus,
        state=state,
        env=env,
        relays=[_stored("webhook-relay", bus, state, env) for _ in range(relays)],
        apis=[_stored("api", bus, state, env) for _ in range(apis)],
        soaps=[_gateway("soap-gateway", bus, env) for _ in range(soaps)],
    )


def _gateway(service: str, bus: str, env: Mapping[str, str]) -> Member:
    return Member(service, "--bus", bus, env=env)


def _stored(service: str, bus: str, state: str, env: Mapping[str, str]) -> Member:
    return Member(service, "--bus", bus, "--state", state, env=env)


async def get(port: int, path: str) -> tuple[int, str]:
    """Status and body of a GET on the loopback. Raises OSError when nobody listens."""

    def ask() -> tuple[int, str]:
        connection = http.client.HTTPConnection(HOST, port, timeout=5)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, response.read().decode()
        finally:
            connection.close()

    return await asyncio.to_thread(ask)


@asynccontextmanager
async def paused_redis(url: str, longest: float = 10) -> AsyncIterator[None]:
    """Redis keeps every write and script waiting until the context is left, or for `longest` seconds."""
    async with Redis.from_url(url) as redis:
        await redis.client_pause(int(longest * 1000), all=False)
        try:
            yield
        finally:
            await redis.client_unpause()
