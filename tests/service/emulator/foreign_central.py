"""A central system that is not ours: the PyPI package `ocpp` on `websockets`' server. What no version says is here."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from http import HTTPStatus
from itertools import count
from ssl import SSLContext
from types import ModuleType
from typing import Any

from ocpp.charge_point import ChargePoint, camel_to_snake_case
from ocpp.routing import on
from websockets.asyncio.server import Request, Response, ServerConnection, basic_auth, serve
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from tests.service.emulator.hearing import Hearing

CALL_ERROR = 4

Fields = dict[str, Any]
# What the central system answers to an action, in snake_case.
Answers = dict[str, Callable[["ForeignCentral"], Fields]]


def now() -> str:
    return datetime.now(UTC).isoformat()


class Listening(ChargePoint):
    """The central system's end of one station's connection. The package checks every payload, of both sides."""

    central: "ForeignCentral"
    calls: ModuleType

    async def _send(self, message: str) -> None:
        kind, _, *why = json.loads(message)
        if kind == CALL_ERROR:
            self.central.complaints.append({"identity": self.id, "kind": "violation", "reason": why})
            self.central.news.set()
        await super()._send(message)


def peer_class(make: type[ChargePoint], calls: ModuleType, results: ModuleType, answers: Answers) -> type[Listening]:
    """An end that hears every action of `answers`, and answers it so."""
    hearing = {f"on_{action}": _hears(action, getattr(results, action), answer) for action, answer in answers.items()}
    return type("Peer", (Listening, make), {**hearing, "calls": calls})


def _hears(action: str, result: type, answer: Callable[["ForeignCentral"], Fields]) -> Callable[..., Any]:
    def hear(self: Listening, **fields: Any) -> Any:
        given = answer(self.central)
        number = {"given": given["transaction_id"]} if action == "StartTransaction" else {}
        self.central.heard.append((self.id, action, {**fields, **number}))
        self.central.news.set()
        return result(**given)

    hear.__name__ = f"on_{action}"  # by which the package finds it again
    return on(action)(hear)


class ForeignCentral(Hearing):
    """`heard` has its fields in snake_case; `peers` are connected now, `closes` the codes seen.

    `complaints` are of what a station said that is not valid.
    """

    def __init__(self, peer: type[Listening], heartbeat: int = 300) -> None:
        super().__init__()
        self.url = ""
        self.port = 0
        self.heartbeat = heartbeat
        self.registration = "Accepted"
        self.peers: dict[str, Listening] = {}
        self.paths: list[str] = []
        self.closes: list[int] = []
        self.numbers = count(100)
        self.complaints: list[Fields] = []
        self._peer = peer

    async def ask(self, identity: str, action: str, payload: Fields) -> Fields:
        """Ask what the wire would say; the answer's fields in snake_case. Raises what the package makes of errors."""
        peer = self.peers[identity]
        request = getattr(peer.calls, action)(**camel_to_snake_case(payload))
        return vars(await peer.call(request, suppress=False))

    def boot(self) -> Fields:
        """What a BootNotification is answered, in all versions."""
        return {"current_time": now(), "interval": self.heartbeat, "status": self.registration}

    def events(self) -> list[Fields]:
        """The TransactionEvents, in order."""
        return [fields for _, action, fields in self.heard if action == "TransactionEvent"]

    async def serve(self, socket: ServerConnection) -> None:
        assert socket.request
        self.paths.append(socket.request.path)
        peer = self._peer(socket.request.path.rsplit("/", 1)[1], socket)
        peer.central = self
        self.peers[peer.id] = peer
        self.news.set()
        try:
            await peer.start()
        except ConnectionClosed:
            self.closes.append(socket.close_code or 0)
            # A station that died is back before its old connection is known to be dead.
            if self.peers.get(peer.id) is peer:
                del self.peers[peer.id]
            self.news.set()


@asynccontextmanager
async def central_system(
    peer: type[Listening],
    subprotocol: str,
    *,
    password: str | None = None,
    refuse: HTTPStatus | None = None,
    port: int = 0,
    tls: SSLContext | None = None,
    heartbeat: int = 300,
) -> AsyncIterator[ForeignCentral]:
    """On a loopback port (0: a free one). `refuse`: every handshake is answered with this status."""
    central = ForeignCentral(peer, heartbeat)

    async def gate(socket: ServerConnection, request: Request) -> Response | None:
        if refuse:
            central.paths.append(request.path)
            central.news.set()
            return socket.respond(refuse, "not here\n")
        return await check(socket, request) if check else None

    check: Callable[[ServerConnection, Request], Awaitable[Response | None]] | None = None
    if password is not None:
        check = basic_auth(check_credentials=lambda user, given: user.startswith("EMU") and given == password)
    subprotocols = [Subprotocol(subprotocol)]
    async with serve(
        central.serve, "127.0.0.1", port, subprotocols=subprotocols, process_request=gate, ssl=tls
    ) as server:
        central.port = next(iter(server.sockets)).getsockname()[1]
        central.url = f"{'wss://localhost' if tls else 'ws://127.0.0.1'}:{central.port}/ocpp"
        yield central
