"""The API on a loopback port, the real router behind it on the memory bus, and a gateway that answers by a script."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import msgspec
from msgspec import Raw
from structlog.testing import capture_logs

from csms_api.service import service
from csms_api.settings import Settings
from csms_ocpp.session import Outcome
from csms_ocpp.version import StationId
from csms_platform.bus import BusSettings, Doors
from csms_platform.bus.memory import Exchange, memory_doors
from csms_platform.envelope import Envelope, Kind
from csms_platform.http import Front
from csms_platform.ports import (
    SOAP,
    Bus,
    Claim,
    GatewayId,
    Note,
    Ports,
    address_of,
    gateway_address,
    without_connection,
)
from csms_platform.state import Stores, open_stores
from csms_router.service import service as router_service
from csms_router.settings import Settings as RouterSettings

EAST = GatewayId("east")
UNLIMITED = Settings(rate=0, command_wait=2.0)

Answer = bytes | dict[str, Any] | Outcome | None


class Gateway:
    """Answers the commands for its stations: bytes are a result, a dict the fields of an ERROR, None is silence."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self.answers: dict[str, Answer] = {}
        self.otherwise: Callable[[Envelope], Answer] = lambda call: b'{"status":"Accepted"}'
        self.commands: list[Envelope] = []
        self.evictions: list[Envelope] = []
        self.answer_late: asyncio.Event | None = None

    async def hear(self, batch: list[Envelope]) -> None:
        calls = [one for one in batch if one.kind is Kind.CALL]
        self.commands += calls
        self.evictions += [one for one in batch if one.kind is Kind.EVICT]
        if self.answer_late:
            await self.answer_late.wait()
        for call in calls:
            self._answer(call, self.answers[call.action] if call.action in self.answers else self.otherwise(call))

    def _answer(self, call: Envelope, answer: Answer) -> None:
        if answer is None:
            return
        if isinstance(answer, bytes):
            told: dict[str, Any] = {"kind": Kind.RESULT, "payload": Raw(answer), "outcome": "result"}
        elif isinstance(answer, dict):
            told = {"kind": Kind.ERROR, "outcome": "error", **answer}
        else:
            told = {"kind": Kind.ERROR, "outcome": answer.value}
        known = {
            "unique_id": call.unique_id,
            "action": call.action,
            "version": call.version,
            "attempt": call.attempt,
        }
        self._bus.send(address_of(call.reply_to), Envelope(identity=call.identity, **(known | told)))

    @property
    def payloads(self) -> list[Any]:
        """What stations were asked so far, decoded."""
        return [msgspec.json.decode(command.payload) for command in self.commands]


@dataclass
class Reply:
    """An HTTP response, read."""

    status: int
    headers: Any
    body: bytes

    @property
    def json(self) -> Any:
        return msgspec.json.decode(self.body)

    @property
    def error(self) -> tuple[int, str]:
        """Code and message of an error; the code is the status."""
        told = self.json["error"]
        assert told["code"] == self.status
        return self.status, told["message"]


@dataclass
class World:
    url: str
    stores: Stores
    gateway: Gateway
    http: aiohttp.ClientSession
    doors: Doors
    leave: Callable[[], Coroutine[Any, Any, None]]
    logs: list[Any] = field(default_factory=list)

    async def ask(self, method: str, path: str, **more: Any) -> Reply:
        """One request; `more` as for aiohttp."""
        async with self.http.request(method, self.url + path, **more) as response:
            return Reply(response.status, response.headers, await response.read())

    async def get(self, path: str, **more: Any) -> Reply:
        return await self.ask("GET", path, **more)

    async def post(self, path: str, **more: Any) -> Reply:
        return await self.ask("POST", path, **more)

    async def command(self, action: str, payload: Any, identity: str = "CS-1") -> Reply:
        return await self.post(f"/api/v1/ChargePoint/{identity}/{action}", json=payload)

    async def connects(self, identity: str = "CS-1", version: str = "ocpp1.6", **more: str) -> None:
        """The station has a session at the gateway."""
        await self.stores.sessions.renew(EAST, 3600)
        await self.stores.sessions.open(Claim(StationId(identity), EAST, version=version, peer="192.0.2.7", **more))

    async def calls(self, identity: str, version: str = "ocpp1.5", **more: str) -> None:
        """The station has a session without a connection."""
        gateway = without_connection(StationId(identity))
        claim = Claim(StationId(identity), gateway, version=version, peer="192.0.2.8", transport="soap", **more)
        await self.stores.sessions.renew(gateway, 3600)
        await self.stores.sessions.open(claim)

    async def told(self, identity: str, **notes: Any) -> None:
        """What was noted about a station; `__` in a name stands for a slash."""
        await self.stores.stations.note(
            [Note(identity, name.replace("__", "/"), msgspec.json.encode(value)) for name, value in notes.items()]
        )


@asynccontextmanager
async def open_world(
    settings: Settings = UNLIMITED,
    *,
    listen_host: str = "127.0.0.1",
    stations: Any = None,
    bus: Any = None,
    spool: Any = None,
) -> AsyncIterator[World]:
    """Everything running; `stations`, `bus` and `spool` take the place of the API's own.

    `world.leave()` ends the API alone. `world.doors` are the gateway's.
    """
    exchange, tasks, front = Exchange(), list[asyncio.Task[None]](), Front({})

    def spawn(work: Coroutine[Any, Any, None], name: str) -> None:
        tasks.append(asyncio.create_task(work, name=name))

    def ports(doors: Doors, stores: Stores) -> Ports:
        names = ("sessions", "stations", "tags", "transactions", "commands", "deliveries")
        kept = {name: getattr(stores, name) for name in names}
        ends = {name: getattr(doors, name) for name in ("bus", "events", "orders", "spool")}
        return Ports(**ends, **kept, spawn=spawn, mount=front.mount, serve=front.serve)

    async with (
        open_stores("memory://") as stores,
        memory_doors(exchange, BusSettings()) as ours,
        memory_doors(exchange, BusSettings()) as theirs,
        memory_doors(exchange, BusSettings()) as out,
        aiohttp.ClientSession() as http,
    ):
        gateway = Gateway(out.bus)
        await out.bus.subscribe(gateway_address(EAST), gateway.hear)
        await out.bus.subscribe(SOAP, gateway.hear)
        mine = ports(ours, stores)
        mine.stations = stations or mine.stations
        mine.bus = bus(mine.bus) if bus else mine.bus
        mine.spool = spool or mine.spool
        with capture_logs() as logs:
            async with router_service(ports(theirs, stores), RouterSettings()):
                running = service(mine, settings, listen_host=listen_host)
                left = False

                async def leave() -> None:
                    nonlocal left
                    if not left:
                        left = True
                        await running.__aexit__(None, None, None)

                await running.__aenter__()
                async with front.listen("127.0.0.1", 0) as port:
                    try:
                        yield World(f"http://127.0.0.1:{port}", stores, gateway, http, out, leave, logs)
                    finally:
                        await leave()
                # A page that was sent has its file closed only now.
                await front.answered()
            await asyncio.gather(*tasks)
