"""Where stations call: an ASGI application, from a POST to the answer or the fault that it gets.

Written for many small calls: one dispatch by method, no routes, no middleware.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Any

import msgspec

from csms_ocpp.soap import Addressing, Fault, Request, Response, read_request, write_fault, write_response
from csms_ocpp.soap.messages import CONTENT_TYPE
from csms_platform.envelope import Envelope, Kind, Refusal
from csms_platform.limits import FailureLimit
from csms_platform.ports import Bus
from csms_soap_gateway import faults, metrics
from csms_soap_gateway.arrivals import Call, MessageIds, peer_of
from csms_soap_gateway.asking import Asking
from csms_soap_gateway.bodies import Receive, charset_of, read_body, read_head
from csms_soap_gateway.description import MEDIA_TYPE, describe, location_of, read_query
from csms_soap_gateway.faults import Headers, Refused
from csms_soap_gateway.reception import Reception
from csms_soap_gateway.settings import Settings
from csms_soap_gateway.telling import Teller

Send = Callable[[Any], Awaitable[None]]

_refusal = msgspec.json.Decoder(Refusal).decode

_SOAP = CONTENT_TYPE.encode()
_OVERLOADED = faults.unavailable("overloaded", "The central system is at its limit; try again later.", 30)
_DRAINING = faults.unavailable("draining", "The central system restarts; try again.", 5)
_NO_ANSWER = faults.unavailable("unanswered", "The central system did not answer in time.", 10)


class Reply(msgspec.Struct, frozen=True):
    """An HTTP response."""

    status: int
    body: bytes
    headers: Headers = ()
    content_type: bytes = _SOAP


def _plain(status: int, sentence: str, *headers: tuple[bytes, bytes]) -> Reply:
    return Reply(status, sentence.encode() + b"\n", headers, b"text/plain; charset=utf-8")


_NOT_ALLOWED = _plain(405, "Stations POST their requests here; ?wsdl describes them.", (b"allow", b"POST, GET"))


class Endpoint:
    """Serves stations' requests, at most `settings.most_calls` at once, until it drains."""

    def __init__(
        self, bus: Bus, settings: Settings, reception: Reception, asking: Asking, ids: MessageIds, teller: Teller
    ) -> None:
        self._bus = bus
        self._settings = settings
        self._reception = reception
        self._asking = asking
        self._ids = ids
        self._teller = teller
        self._failures = FailureLimit(settings.failed_calls_per_minute)
        self._under_way = 0
        self._draining = False
        self._idle = asyncio.Event()
        self._idle.set()

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        if scope["method"] != "POST":
            return await _send(send, self._describe(scope))
        self._come()
        try:
            await _send(send, await self._post(scope, receive))
        finally:
            self._go()

    async def drain(self, seconds: float) -> None:
        """Refuse new requests, and wait up to `seconds` for those under way."""
        self._draining = True
        self._teller.log.info("draining", calls=self._under_way)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._idle.wait(), seconds)

    def _come(self) -> None:
        self._under_way += 1
        self._idle.clear()
        metrics.under_way.set(self._under_way)

    def _go(self) -> None:
        self._under_way -= 1
        if not self._under_way:
            self._idle.set()
        metrics.under_way.set(self._under_way)

    # --- stations ask -----------------------------------------------------------------------------------------------

    async def _post(self, scope: Any, receive: Receive) -> Reply:
        peer = peer_of(scope)
        if busy := self._busy():
            return self._refuse(busy, peer)
        head = read_head(scope["headers"])
        body = await read_body(head, receive, self._settings.max_message_size, self._settings.call_deadline)
        if isinstance(body, Refused):
            return self._refuse(body, peer)
        request = read_request(body, charset_of(head.content_type) or "")
        if isinstance(request, Fault):
            return self._refuse(faults.unreadable(request), peer)
        call = self._reception.read(request, scope, head)
        if isinstance(call, Refused):
            return self._refuse(call.to(request), peer, request.identity)
        return await self._ask(call, request)

    def _busy(self) -> Refused | None:
        if self._draining:
            return _DRAINING
        return _OVERLOADED if self._under_way > self._settings.most_calls or self._bus.congested else None

    async def _ask(self, call: Call, request: Request) -> Reply:
        # A station that is known to be who it says is not kept out by those who say so, too.
        if not self._asking.admitted(call) and (wait := self._failures.wait(call.who, monotonic())):
            return self._turn_away(faults.too_many_failures(wait), call, request)
        since = monotonic()
        answer = await self._asking.ask(call)
        seconds = monotonic() - since
        if answer is None:
            self._teller.unanswered(call, self._asking.capsules.of(call.identity, call.seal), seconds)
            return self._reply_fault(_NO_ANSWER.to(request))
        if answer.kind is Kind.REFUSE:
            refusal = _refusal(answer.payload)
            return self._turn_away(faults.of_refusal(refusal, call.arrival.user, call.identity), call, request)
        self._teller.answered(call, answer, seconds)
        return self._reply(call, request, answer)

    def _turn_away(self, refused: Refused, call: Call, request: Request) -> Reply:
        if refused.nobody:
            self._failures.failed(call.who, monotonic())
        return self._refuse(refused.to(request), call.arrival.peer, call.identity)

    def _reply(self, call: Call, request: Request, answer: Envelope) -> Reply:
        if answer.kind is Kind.ERROR:
            return self._reply_fault(faults.of_error(answer).to(request))
        if refused := self._reception.refuse_answer(call, answer.payload):
            return self._reply_fault(refused.to(request))
        addressing = Addressing(self._ids.new(), request.addressing.message_id)
        response = Response(request.version, request.asker, request.action, answer.payload, addressing)
        return Reply(200, write_response(response))

    def _refuse(self, refused: Refused, peer: str, identity: str = "") -> Reply:
        self._teller.refused(refused, peer, identity)
        return self._reply_fault(refused)

    def _reply_fault(self, refused: Refused) -> Reply:
        return Reply(refused.http_status, write_fault(refused.fault, self._ids.new()), refused.headers)

    # --- people and programs look -----------------------------------------------------------------------------------

    def _describe(self, scope: Any) -> Reply:
        if scope["method"] not in ("GET", "HEAD"):
            return _NOT_ALLOWED
        wanted = read_query(scope["query_string"].decode("latin-1"))
        if wanted is None:
            return _NOT_ALLOWED
        if isinstance(wanted, str):
            return _plain(404, wanted)
        location = location_of(scope, self._settings.url)
        return Reply(200, describe(wanted, location), content_type=MEDIA_TYPE)


async def _send(send: Send, reply: Reply) -> None:
    length = b"%d" % len(reply.body)
    headers = [(b"content-type", reply.content_type), (b"content-length", length), *reply.headers]
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": reply.body})
