"""A central system of 2.0.1 that is not ours: the PyPI package `ocpp` on `websockets`' server."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from ocpp.routing import on
from ocpp.v201 import ChargePoint, call_result
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from tests.service.emulator.hearing import Hearing


def _now() -> str:
    return datetime.now(UTC).isoformat()


class Peer(ChargePoint):
    """The central system's end of one station's connection."""

    central: "ForeignCentral"

    def hear(self, action: str, fields: dict[str, Any]) -> None:
        self.central.heard.append((self.id, action, fields))
        self.central.news.set()

    @on("BootNotification")
    def boot(self, **fields: Any) -> call_result.BootNotification:
        self.hear("BootNotification", fields)
        return call_result.BootNotification(_now(), 300, "Accepted")

    @on("Heartbeat")
    def heartbeat(self, **fields: Any) -> call_result.Heartbeat:
        self.hear("Heartbeat", fields)
        return call_result.Heartbeat(_now())

    @on("StatusNotification")
    def status(self, **fields: Any) -> call_result.StatusNotification:
        self.hear("StatusNotification", fields)
        return call_result.StatusNotification()

    @on("Authorize")
    def authorize(self, **fields: Any) -> call_result.Authorize:
        self.hear("Authorize", fields)
        return call_result.Authorize({"status": "Accepted"})

    @on("TransactionEvent")
    def transaction_event(self, **fields: Any) -> call_result.TransactionEvent:
        self.hear("TransactionEvent", fields)
        return call_result.TransactionEvent()

    @on("MeterValues")
    def meter_values(self, **fields: Any) -> call_result.MeterValues:
        self.hear("MeterValues", fields)
        return call_result.MeterValues()


class ForeignCentral(Hearing):
    """`heard` has its fields in snake_case; `peers` are connected now, `closes` the codes seen."""

    def __init__(self) -> None:
        super().__init__()
        self.url = ""
        self.port = 0
        self.peers: dict[str, Peer] = {}
        self.closes: list[int] = []

    def events(self) -> list[dict[str, Any]]:
        """The TransactionEvents, in order."""
        return [fields for _, action, fields in self.heard if action == "TransactionEvent"]

    async def serve(self, socket: ServerConnection) -> None:
        assert socket.request
        peer = Peer(socket.request.path.rsplit("/", 1)[1], socket)
        peer.central = self
        self.peers[peer.id] = peer
        self.news.set()
        try:
            await peer.start()
        except ConnectionClosed:
            self.closes.append(socket.close_code or 0)
            del self.peers[peer.id]
            self.news.set()


@asynccontextmanager
async def foreign_central(*, port: int = 0) -> AsyncIterator[ForeignCentral]:
    """A central system on a loopback port (0: a free one) that speaks nothing but 2.0.1."""
    central = ForeignCentral()
    subprotocols = [Subprotocol("ocpp2.0.1")]
    async with serve(central.serve, "127.0.0.1", port, subprotocols=subprotocols) as server:
        central.port = next(iter(server.sockets)).getsockname()[1]
        central.url = f"ws://127.0.0.1:{central.port}/ocpp"
        yield central
