"""A socket whose WebSocket handshake is under way: from the first byte to 101, or to a refusal with its reason.

When the station is let in, a `Connection` takes the socket over; an arrival that is refused ends here.
"""

import asyncio
from typing import TYPE_CHECKING, Any

from websockets.http11 import Request, Response
from websockets.server import ServerProtocol

from csms_platform.envelope import Refusal
from csms_ws_gateway.wire import Wire

if TYPE_CHECKING:
    from csms_ws_gateway.reception import Reception

_PROTOCOL_ERROR = 1002


class Arrival(asyncio.Protocol):
    """The asyncio protocol of a socket before its station is let in. `identity` is "" until the request was read.

    `asked` is the number under which the router was asked, "" before; `decided` is True once the answer is on its way.
    """

    __slots__ = (
        "_deadline",
        "_early",
        "_protocol",
        "_reception",
        "_response",
        "account",
        "asked",
        "decided",
        "identity",
        "peer",
        "transport",
    )

    transport: Any

    def __init__(self, reception: "Reception", protocol: ServerProtocol) -> None:
        self._reception = reception
        self._protocol = protocol
        self._response: Response | None = None
        self._early = b""
        self._deadline: asyncio.TimerHandle | None = None
        self.identity = self.account = self.peer = self.asked = ""
        self.decided = False

    # --- the socket -------------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        peer = transport.get_extra_info("peername")
        self.peer = str(peer[0]) if isinstance(peer, tuple) else ""
        self._wait(self._reception.settings.handshake_deadline, self._late)
        self._reception.entered(self)

    def data_received(self, data: bytes) -> None:
        if self.decided:
            # Refused: what still comes is read, so that closing the socket does not take our last words back.
            return
        # A line at a time: what was sent right behind the request is for the WebSocket, and there is none yet.
        protocol, end = self._protocol, 0
        while not (self.asked or self.decided) and end < len(data):
            start, end = end, data.find(b"\n", end) + 1 or len(data)
            protocol.receive_data(data[start:end])
            for event in protocol.events_received():
                if isinstance(event, Request):
                    self._reception.requested(self, protocol.accept(event), event)
            if protocol.handshake_exc is not None and not self.decided:
                self._unreadable(protocol.handshake_exc)
        if not self.decided:
            self._early += data[end:]

    def connection_lost(self, _: Exception | None) -> None:
        self.decided = True
        self._wait(None)
        self._reception.left(self)

    # --- the decision -----------------------------------------------------------------------------------------------

    def ask(self, response: Response, number: str) -> None:
        """The request is a good one: keep the library's response until the router has decided about `number`."""
        self._response = response
        self.asked = number
        self.transport.pause_reading()

    def accept(self) -> tuple[Wire, bytes]:
        """Complete the handshake; answers the open WebSocket, and what the station has sent ahead."""
        self._complete()
        return Wire(self._protocol, self._reception.settings.max_message_size), self._early

    def complete_and_close(self, refusal: Refusal) -> None:
        """OCPP-J 1.6 §3.2: complete the handshake without a subprotocol, then close at once."""
        self._complete()
        wire = Wire(self._protocol, 0)
        wire.close(_PROTOCOL_ERROR, refusal.reason)
        self._write(wire.output())
        self._hang_up(refusal)

    def refuse(self, refusal: Refusal) -> None:
        """Answer the handshake with an HTTP error and its reason; does nothing once it is decided."""
        if self.decided:
            return
        response = self._protocol.reject(refusal.status, refusal.reason + "\n")
        if refusal.status == 401:
            response.headers["WWW-Authenticate"] = 'Basic realm="OCPP", charset="UTF-8"'
        if refusal.retry_after:
            response.headers["Retry-After"] = str(refusal.retry_after)
        self._reject(response, refusal)

    def refuse_with(self, response: Response) -> None:
        """Answer the handshake with an error that `websockets` has prepared."""
        reason = bytes(response.body or b"").decode("utf-8", "replace").strip()
        self._reject(response, Refusal(response.status_code, reason))

    def _complete(self) -> None:
        assert self._response is not None
        self.decided = True
        self._wait(None)
        self._protocol.send_response(self._response)
        self._write(self._protocol.data_to_send())
        self.transport.resume_reading()

    def _reject(self, response: Response, refusal: Refusal) -> None:
        self._protocol.send_response(response)
        self._write(self._protocol.data_to_send())
        self._hang_up(refusal)

    def _unreadable(self, error: Exception) -> None:
        answer = next(iter(self._protocol.data_to_send()), b"")
        if answer:
            # Too long a line, too many headers: the library has said so.
            self.transport.write(answer)
            return self._hang_up(Refusal(int(answer[9:12]), str(error)))
        refusal = Refusal(400, f"Not a WebSocket handshake: {error.__cause__ or error}"[:255])
        self.transport.write(self._protocol.reject(400, refusal.reason + "\n").serialize())
        self._hang_up(refusal)

    def _write(self, output: list[bytes]) -> None:
        self.transport.write(b"".join(output))

    def _hang_up(self, refusal: Refusal) -> None:
        """Say that nothing follows; the socket is cut when the station does not hang up, too."""
        if self.asked and not self.decided:
            self.transport.resume_reading()
        self.decided = True
        hang_up(self.transport)
        self._wait(self._reception.settings.close_deadline, self.transport.abort)
        self._reception.refused(self, refusal)

    # --- time -------------------------------------------------------------------------------------------------------

    def _late(self) -> None:
        if self.asked:
            self.refuse(Refusal(503, "The central system did not decide in time.", retry_after=10))
        else:
            self.refuse(Refusal(408, "The handshake took too long."))

    def _wait(self, seconds: float | None, then: Any = None) -> None:
        if self._deadline:
            self._deadline.cancel()
        self._deadline = asyncio.get_running_loop().call_later(seconds, then) if seconds else None


def hang_up(transport: Any) -> None:
    """Nothing more will be sent. Closing a socket with unread data would take our last words back (TCP reset)."""
    if transport.is_closing():
        return
    if transport.can_write_eof():
        transport.write_eof()
    else:
        transport.close()
