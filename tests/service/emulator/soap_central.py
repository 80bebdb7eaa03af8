"""A central system for SOAP stations: a small HTTP server that reads and writes with `csms_ocpp.soap`, and checks."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from ssl import SSLContext
from typing import Any
from uuid import uuid4

import aiohttp
import msgspec
from aiohttp import web
from msgspec import Raw

from csms_ocpp.catalog import Role
from csms_ocpp.rules import Validation, rules_for
from csms_ocpp.soap import (
    Addressing,
    Fault,
    Request,
    Response,
    Service,
    Unreadable,
    read_request,
    read_response,
    write_fault,
    write_request,
    write_response,
)
from csms_ocpp.soap.messages import CONTENT_TYPE
from csms_ocpp.version import DIALECTS, Version
from tests.service.emulator.hearing import Hearing

NOW = "2024-01-01T00:00:00Z"


def _urn() -> str:
    return f"urn:uuid:{uuid4()}"


class SoapCentral(Hearing):
    """`heard` holds payloads, `seen` the requests themselves, `authorizations` the HTTP header of each.

    `faults`: actions that are refused, with the subcode; `silent`: actions that get no answer while the server runs;
    `instead`: answered to everything, as (status, text); `wrong`: what was heard and is not right.
    """

    def __init__(self, version: Version) -> None:
        super().__init__()
        self.version = version
        self.url = ""
        self.port = 0
        self.seen: list[Request] = []
        self.authorizations: list[str | None] = []
        self.types: set[str] = set()
        self.callbacks: dict[str, str] = {}
        self.faults: dict[str, str] = {}
        self.silent: set[str] = set()
        self.instead: tuple[int, str] | None = None
        self.wrong: list[str] = []
        self.numbers = count(100)
        self.posts = 0
        self._rules = rules_for(DIALECTS[version], Role.CSMS, Validation.STRICT)
        self._quiet = asyncio.Event()
        self._http: aiohttp.ClientSession | None = None

    # --- what stations ask --------------------------------------------------------------------------------------------

    async def handle(self, posted: web.BaseRequest) -> web.Response:
        self.posts += 1
        self.news.set()
        if self.instead:
            return web.Response(status=self.instead[0], text=self.instead[1])
        self.authorizations.append(posted.headers.get("Authorization"))
        self.types.add(posted.headers["Content-Type"].partition('action="')[0])
        request = read_request(await posted.read(), posted.charset or "")
        if isinstance(request, Fault) or request.asker is not Role.STATION or request.version is not self.version:
            self.wrong.append(str(request))
            return web.Response(status=500)
        if request.action in self.silent:
            await self._quiet.wait()
        self._check(self._rules.request(request.action, request.payload))
        return self._answer(request)

    def _answer(self, request: Request) -> web.Response:
        message_id = request.addressing.message_id
        if subcode := self.faults.get(request.action):
            fault = Fault(subcode, "not now", version=self.version, message_id=message_id)
            return _soap(fault.status, write_fault(fault, _urn()))
        answer = self._reply(request.action)
        fields = msgspec.json.decode(request.payload, type=dict[str, Any])
        if "transactionId" in answer:
            fields["given"] = answer["transactionId"]
        self.seen.append(request)
        self.callbacks[request.identity] = request.addressing.callback
        self.heard.append((request.identity, request.action, fields))
        self.news.set()
        payload = Raw(msgspec.json.encode(answer))
        self._check(self._rules.response(request.action, payload))
        addressing = Addressing(_urn(), relates_to=message_id)
        return _soap(200, write_response(Response(self.version, Role.STATION, request.action, payload, addressing)))

    def _reply(self, action: str) -> dict[str, Any]:
        match action:
            case "BootNotification":
                interval = "heartbeatInterval" if self.version is Version.V1_5 else "interval"
                return {"status": "Accepted", "currentTime": NOW, interval: 300}
            case "Heartbeat":
                return {"currentTime": NOW}
            case "Authorize":
                return {"idTagInfo": {"status": "Accepted"}}
            case "StartTransaction":
                return {"transactionId": next(self.numbers), "idTagInfo": {"status": "Accepted"}}
            case _:
                return {}

    def _check(self, violation: Any) -> None:
        if violation:
            self.wrong.append(str(violation))

    # --- what stations are asked --------------------------------------------------------------------------------------

    async def ask(
        self,
        identity: str,
        action: str,
        *,
        chargebox: str = "",
        version: Version | None = None,
        **payload: Any,
    ) -> Any:
        """The payload that the station answers; or the HTTP status and its `Fault`, or `Unreadable`."""
        version, url = version or self.version, self.callbacks[identity]
        encoded = Raw(msgspec.json.encode(payload))
        addressing = Addressing(_urn(), to=url, source=self.url)
        request = Request(version, Role.CSMS, chargebox or identity, action, encoded, addressing)
        status, body = await self.post(url, write_request(request))
        answer = read_response(body, version, Service.CHARGE_POINT, action)
        if isinstance(answer, (Fault, Unreadable)):
            return status, answer
        assert (status, answer.addressing.relates_to) == (200, addressing.message_id)
        self._check(self._rules.response(action, answer.payload))
        return msgspec.json.decode(answer.payload)

    async def post(self, url: str, body: bytes, method: str = "POST") -> tuple[int, bytes]:
        assert self._http
        async with self._http.request(method, url, data=body, headers={"Content-Type": CONTENT_TYPE}) as response:
            return response.status, await response.read()

    @asynccontextmanager
    async def open(self, port: int, tls: SSLContext | None) -> AsyncIterator[None]:
        runner = web.ServerRunner(web.Server(self.handle, access_log=None), shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port, ssl_context=tls).start()
        self.port = runner.addresses[0][1]
        self.url = f"{'https://localhost' if tls else 'http://127.0.0.1'}:{self.port}/Ocpp"
        try:
            async with aiohttp.ClientSession() as self._http:
                yield
        finally:
            self._quiet.set()
            await runner.cleanup()


def _soap(status: int, body: bytes) -> web.Response:
    return web.Response(status=status, body=body, headers={"Content-Type": CONTENT_TYPE})


@asynccontextmanager
async def soap_central(
    version: Version = Version.V1_6, port: int = 0, tls: SSLContext | None = None
) -> AsyncIterator[SoapCentral]:
    """A central system on a free loopback port; nothing that it heard may have been wrong."""
    central = SoapCentral(version)
    async with central.open(port, tls):
        yield central
    assert central.wrong == []
