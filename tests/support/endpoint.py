"""An operator's endpoint, for tests: a real HTTP server that answers sensibly, or misbehaves as it is told.

`mode` is what it does now: "good", "slow" (answers after `delay`), "500", "429", "404", "wrong" (a reply that no schema
takes), "garbage" (not JSON), "huge" (endless), "cut" (hangs up in the middle). `gone()` closes its port, `back()` opens
the same one again.
"""

import asyncio
import json
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

HOST = "127.0.0.1"
_HUGE = b"x" * 65536


@dataclass(frozen=True)
class Heard:
    """One request: its JSON body and its headers (names in lower case)."""

    body: dict[str, Any]
    headers: dict[str, str]

    @property
    def delivery(self) -> str:
        return self.headers["x-ocpp-delivery"]

    @property
    def attempt(self) -> int:
        return int(self.headers["x-ocpp-attempt"])


@dataclass
class Endpoint:
    """`heard` is every request in order, `taken` those that it answered well."""

    mode: str = "good"
    delay: float = 0.2
    heard: list[Heard] = field(default_factory=list)
    taken: list[Heard] = field(default_factory=list)
    port: int = 0
    answers: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}/ocpp"

    async def __aenter__(self) -> "Endpoint":
        self._transactions = 1000
        await self.back()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.gone()

    async def back(self) -> None:
        """Listen, on the port it had before."""
        app = web.Application(client_max_size=16 * 1024 * 1024)
        app.router.add_post("/ocpp", self._answer)
        self._runner: web.AppRunner | None = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, HOST, self.port, reuse_address=True)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def gone(self) -> None:
        """Close the port and every connection."""
        if self._runner:
            await self._runner.cleanup()
            self._runner = None

    def of(self, action: str, identity: str = "") -> list[Heard]:
        """What it took of this action (and station), in order."""
        return [h for h in self.taken if h.body["action"] == action and identity in ("", h.body["identity"])]

    def by_station(self, *actions: str) -> dict[str, list[Heard]]:
        """What it took, by identity, of these actions (all if none is named)."""
        sorted_: dict[str, list[Heard]] = defaultdict(list)
        for heard in self.taken:
            if not actions or heard.body["action"] in actions:
                sorted_[heard.body["identity"]].append(heard)
        return sorted_

    async def hears(self, count: int, action: str = "", within: float = 10.0) -> list[Heard]:
        """Wait until it took `count` requests (of `action`)."""
        async with asyncio.timeout(within):
            while len(found := self.of(action) if action else self.taken) < count:
                await asyncio.sleep(0.01)
        return found

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        body = json.loads(await request.read())
        heard = Heard(body, {name.lower(): value for name, value in request.headers.items()})
        self.heard.append(heard)
        match self.mode:
            case "500" | "404" | "429":
                return web.Response(status=int(self.mode), headers={"Retry-After": "1"} if self.mode == "429" else {})
            case "garbage":
                return web.Response(text="<html>It works!</html>", content_type="text/html")
            case "wrong":
                return web.json_response({"payload": {"nonsense": True}})
            case "huge":
                return await self._endless(request)
            case "cut":
                assert request.transport is not None
                request.transport.abort()
                return web.Response()
            case "slow":
                await asyncio.sleep(self.delay)
        self.taken.append(heard)
        return web.json_response({"payload": self._payload(body)})

    async def _endless(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        for _ in range(1024):  # 64 MiB
            await response.write(_HUGE)
        return response

    def _payload(self, body: dict[str, Any]) -> dict[str, Any]:
        action, v2 = body["action"], body["version"].startswith("ocpp2")
        if action in self.answers:
            return self.answers[action]
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        match action:
            case "BootNotification":
                return {"currentTime": now, "interval": 300, "status": "Accepted"}
            case "Heartbeat":
                return {"currentTime": now}
            case "Authorize":
                return {"idTokenInfo": {"status": "Accepted"}} if v2 else {"idTagInfo": {"status": "Accepted"}}
            case "StartTransaction":
                self._transactions += 1
                return {"transactionId": self._transactions, "idTagInfo": {"status": "Accepted"}}
            case "DataTransfer":
                return {"status": "Accepted"}
        return {}
