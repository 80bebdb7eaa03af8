"""A central system that is not ours: the PyPI package `ocpp` on `websockets`' server."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from http import HTTPStatus
from itertools import count
from typing import Any

from ocpp.routing import on
from ocpp.v16 import ChargePoint, call_result
from ocpp.v16.datatypes import IdTagInfo
from ocpp.v16.enums import GenericStatus
from websockets.asyncio.server import Request, Response, ServerConnection, basic_auth, serve
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
        return call_result.BootNotification(_now(), self.central.heartbeat, self.central.registration)

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
        return call_result.Authorize(IdTagInfo("Accepted"))

    @on("StartTransaction")
    def start_transaction(self, **fields: Any) -> call_result.StartTransaction:
        number = next(self.central.numbers)
        self.hear("StartTransaction", {**fields, "given": number})
        return call_result.StartTransaction(number, IdTagInfo("Accepted"))

    @on("StopTransaction")
    def stop_transaction(self, **fields: Any) -> call_result.StopTransaction:
        self.hear("StopTransaction", fields)
        return call_result.StopTransaction()

    @on("MeterValues")
    def meter_values(self, **fields: Any) -> call_result.MeterValues:
        self.hear("MeterValues", fields)
        return call_result.MeterValues()

    @on("FirmwareStatusNotification")
    def firmware(self, **fields: Any) -> call_result.FirmwareStatusNotification:
        self.hear("FirmwareStatusNotification", fields)
        return call_result.FirmwareStatusNotification()

    @on("DiagnosticsStatusNotification")
    def diagnostics(self, **fields: Any) -> call_result.DiagnosticsStatusNotification:
        self.hear("DiagnosticsStatusNotification", fields)
        return call_result.DiagnosticsStatusNotification()

    @on("LogStatusNotification")
    def log_status(self, **fields: Any) -> call_result.LogStatusNotification:
        self.hear("LogStatusNotification", fields)
        return call_result.LogStatusNotification()

    @on("SignedFirmwareStatusNotification")
    def signed_firmware(self, **fields: Any) -> call_result.SignedFirmwareStatusNotification:
        self.hear("SignedFirmwareStatusNotification", fields)
        return call_result.SignedFirmwareStatusNotification()

    @on("SecurityEventNotification")
    def security_event(self, **fields: Any) -> call_result.SecurityEventNotification:
        self.hear("SecurityEventNotification", fields)
        return call_result.SecurityEventNotification()

    @on("SignCertificate")
    def sign_certificate(self, **fields: Any) -> call_result.SignCertificate:
        self.hear("SignCertificate", fields)
        return call_result.SignCertificate(GenericStatus.accepted)


class ForeignCentral(Hearing):
    """`heard` has its fields in snake_case; `peers` are connected now, `closes` the codes seen."""

    def __init__(self) -> None:
        super().__init__()
        self.url = ""
        self.port = 0
        self.heartbeat = 300
        self.registration = "Accepted"
        self.peers: dict[str, Peer] = {}
        self.paths: list[str] = []
        self.closes: list[int] = []
        self.numbers = count(100)

    async def serve(self, socket: ServerConnection) -> None:
        assert socket.request
        self.paths.append(socket.request.path)
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
async def foreign_central(
    *, password: str | None = None, refuse: HTTPStatus | None = None, port: int = 0
) -> AsyncIterator[ForeignCentral]:
    """A central system on a free loopback port. `refuse`: every handshake is answered with this status."""
    central = ForeignCentral()

    async def gate(socket: ServerConnection, request: Request) -> Response | None:
        if refuse:
            central.paths.append(request.path)
            central.news.set()
            return socket.respond(refuse, "not here\n")
        return await check(socket, request) if check else None

    check: Callable[[ServerConnection, Request], Awaitable[Response | None]] | None = None
    if password is not None:
        check = basic_auth(check_credentials=lambda user, given: user.startswith("EMU") and given == password)
    async with serve(
        central.serve,
        "127.0.0.1",
        port,
        subprotocols=[Subprotocol("ocpp1.6")],
        process_request=gate,
    ) as server:
        central.port = next(iter(server.sockets)).getsockname()[1]
        central.url = f"ws://127.0.0.1:{central.port}/ocpp"
        yield central
