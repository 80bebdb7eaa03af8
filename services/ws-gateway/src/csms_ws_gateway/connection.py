"""One station's WebSocket: joins the socket, the protocol core and the bus.

The WebSocket itself is the sans-I/O layer of `websockets`; this shell owns what that layer leaves to its user:
deadlines for handshake, pong and close, and back-pressure in both directions. It decides nothing about OCPP.
"""

import asyncio
from enum import IntEnum
from time import monotonic, time
from typing import TYPE_CHECKING, Any

from websockets.exceptions import InvalidState
from websockets.frames import Frame, Opcode
from websockets.http11 import Request, Response
from websockets.protocol import OPEN
from websockets.server import ServerProtocol

from csms_ocpp.catalog import Role
from csms_ocpp.session import (
    AnswerRefused,
    CallEnded,
    CallReceived,
    Complaint,
    Event,
    Outcome,
    SendReceived,
    Session,
    Validation,
)
from csms_ocpp.version import DIALECTS, MessageId, Version
from csms_platform.envelope import Capsule, Envelope, Kind, Refusal
from csms_platform.ports import ROUTER
from csms_ws_gateway.commands import refusal, triggered_by
from csms_ws_gateway.limits import TokenBucket

if TYPE_CHECKING:
    from csms_ws_gateway.service import Gateway

PROTOCOL_ERROR = 1002
UNSUPPORTED_DATA = 1003
INVALID_DATA = 1007
SERVICE_RESTART = 1012

_MAX_BACKLOG = 16  # CALLs that a station sent ahead, past which its socket is not read


class Phase(IntEnum):
    """Where a connection is in its life."""

    HANDSHAKE = 0
    ASKING = 1
    OPEN = 2
    CLOSING = 3
    LOST = 4


class Pause:
    """Why the socket is not being read now: bits of one integer (an IntFlag would cost a microsecond a message)."""

    RATE = 1
    BACKLOG = 2
    CONGESTION = 4
    WRITE = 8
    HANDSHAKE = 16


class Connection(asyncio.Protocol):
    """The asyncio protocol of one socket. `identity` is "" until the request has been read."""

    __slots__ = (
        "account",
        "asked_action",
        "asked_at",
        "asked_id",
        "bucket",
        "capsule",
        "closing_since",
        "draining",
        "early",
        "fragments",
        "gateway",
        "handshake",
        "identity",
        "pauses",
        "peer",
        "phase",
        "ping_due",
        "pinged_at",
        "protocol",
        "response",
        "session",
        "timer",
        "transport",
        "triggered",
        "version",
    )

    transport: Any

    def __init__(self, gateway: "Gateway") -> None:
        self.gateway = gateway
        self.protocol = ServerProtocol(
            max_size=gateway.settings.max_message_size,
            extensions=gateway.extensions,
            select_subprotocol=gateway.select_subprotocol,
            logger=gateway.wire_log,
        )
        self.phase = Phase.HANDSHAKE
        self.pauses = 0
        self.identity = self.account = self.version = self.peer = ""
        self.handshake = self.asked_action = self.asked_id = ""
        self.session: Session | None = None
        self.capsule: Capsule | None = None
        self.response: Response | None = None
        self.bucket: TokenBucket | None = None
        self.fragments: list[bytes] | None = None
        self.early = b""
        self.timer: asyncio.TimerHandle | None = None
        self.triggered: set[str] | None = None
        self.asked_at = self.closing_since = self.pinged_at = self.ping_due = 0.0
        self.draining = False

    # --- the socket -------------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        peer = transport.get_extra_info("peername")
        self.peer = str(peer[0]) if isinstance(peer, tuple) else ""
        deadline = self.gateway.settings.handshake_deadline
        self.timer = asyncio.get_running_loop().call_later(deadline, self._handshake_late)
        self.gateway.entered(self)

    def data_received(self, data: bytes) -> None:
        if self.phase <= Phase.ASKING:
            return self._requested(data)
        protocol = self.protocol
        self.pinged_at = 0.0
        protocol.receive_data(data)
        for event in protocol.events_received():
            if type(event) is Frame:
                self._frame(event)
        self._write()

    def eof_received(self) -> None:
        if self.phase > Phase.ASKING:
            self.protocol.receive_eof()
            self._write()

    def connection_lost(self, _: Exception | None) -> None:
        self._cancel_timer()
        self.phase = Phase.LOST
        self.response = None
        if self.session:
            self._follow(self.session.close())
        self.gateway.left(self)

    def pause_writing(self) -> None:
        # The station does not read what we send: do not let it ask for more.
        self.pause(Pause.WRITE)

    def resume_writing(self) -> None:
        self.resume(Pause.WRITE)

    def pause(self, why: int) -> None:
        """Stop reading the socket until every reason is gone; TCP slows the station down."""
        if not self.pauses and self.phase < Phase.LOST:
            self.transport.pause_reading()
        self.pauses |= why

    def resume(self, why: int) -> None:
        """This reason to pause is gone."""
        if not self.pauses & why:
            return
        self.pauses &= ~why
        if not self.pauses and self.phase < Phase.LOST and not self.transport.is_closing():
            self.pinged_at = 0.0
            self.transport.resume_reading()

    def _write(self) -> None:
        for data in self.protocol.data_to_send():
            if data:
                self.transport.write(data)
            else:
                # The library's sign that the conversation is over: close frames are exchanged, or we refused.
                self._hang_up()

    def _hang_up(self) -> None:
        """Nothing more will be sent. Closing a socket with unread data would take our last words back (TCP reset)."""
        if self.transport.is_closing():
            return
        if self.transport.can_write_eof():
            self.transport.write_eof()
        else:
            self.transport.close()
        # Soon, not now: messages that came in the same piece as the station's close frame are read first.
        asyncio.get_running_loop().call_soon(self._ended)

    def _ended(self) -> None:
        if self.phase is Phase.OPEN:
            self._closing()

    # --- the handshake ----------------------------------------------------------------------------------------------

    def _requested(self, data: bytes) -> None:
        # A line at a time: what was sent right behind the request is for the WebSocket, and there is none yet.
        protocol, end = self.protocol, 0
        while self.phase is Phase.HANDSHAKE and end < len(data):
            start, end = end, data.find(b"\n", end) + 1 or len(data)
            protocol.receive_data(data[start:end])
            for event in protocol.events_received():
                if isinstance(event, Request):
                    self.gateway.requested(self, event)
            if protocol.handshake_exc is not None and self.phase is Phase.HANDSHAKE:
                self._unreadable(protocol.handshake_exc)
        if self.phase is Phase.ASKING:
            self.early += data[end:]

    def _unreadable(self, error: Exception) -> None:
        answer = next(iter(self.protocol.data_to_send()), b"")
        if answer:
            # Too long a line, too many headers: the library has said so.
            self.transport.write(answer)
            self._hang_up()
            return self._end_handshake(Refusal(int(answer[9:12]), str(error)))
        reason = f"Not a WebSocket handshake: {error.__cause__ or error}"[:255]
        self.transport.write(self.protocol.reject(400, reason + "\n").serialize())
        self._hang_up()
        self._end_handshake(Refusal(400, reason))

    def ask(self, response: Response, handshake: str) -> None:
        """The request is a good one: keep the library's response until the router has decided about `handshake`."""
        self.response = response
        self.handshake = handshake
        self.phase = Phase.ASKING
        self.pause(Pause.HANDSHAKE)

    def accept(self, capsule: Capsule, version: Version) -> None:
        """The router lets the station in: complete the handshake."""
        assert self.response is not None
        settings = self.gateway.settings
        now = monotonic()
        self._cancel_timer()
        self.capsule = capsule
        self.account = capsule.account
        self.version = version.value
        validation = Validation.WARN if capsule.has("lenient") else settings.validation
        self.session = Session(DIALECTS[version], Role.CSMS, validation=validation, max_waiting=settings.command_queue)
        if settings.rate_limit:
            self.bucket = TokenBucket(settings.rate_limit, settings.rate_burst, now)
        self.phase = Phase.OPEN
        self.ping_due = now + settings.ping_interval * self.gateway.spread()
        self.protocol.send_response(self.response)
        self.response = None
        self._write()
        self.resume(Pause.HANDSHAKE)
        if early := self.early:
            self.early = b""
            self.data_received(early)

    def refuse(self, refusal: Refusal) -> None:
        """Answer the handshake with an HTTP error and its reason; does nothing once it is decided."""
        if self.phase > Phase.ASKING:
            return
        response = self.protocol.reject(refusal.status, refusal.reason + "\n")
        if refusal.status == 401:
            response.headers["WWW-Authenticate"] = 'Basic realm="OCPP", charset="UTF-8"'
        if refusal.retry_after:
            response.headers["Retry-After"] = str(refusal.retry_after)
        self._reject(response, refusal)

    def refuse_with(self, response: Response) -> None:
        """Answer the handshake with an error that `websockets` has prepared."""
        reason = bytes(response.body or b"").decode("utf-8", "replace").strip()
        self._reject(response, Refusal(response.status_code, reason))

    def _reject(self, response: Response, refusal: Refusal) -> None:
        self.protocol.send_response(response)
        self._write()
        self._end_handshake(refusal)

    def _end_handshake(self, refusal: Refusal) -> None:
        self._cancel_timer()
        self.response, self.early = None, b""
        self._closing()
        self.gateway.refused(self, refusal)

    def complete_and_close(self, refusal: Refusal) -> None:
        """OCPP-J 1.6 §3.2: complete the handshake without a subprotocol, then close at once."""
        assert self.response is not None
        self._cancel_timer()
        self.protocol.send_response(self.response)
        self.response, self.early = None, b""
        self.phase = Phase.OPEN
        self.close(PROTOCOL_ERROR, refusal.reason)
        self.gateway.refused(self, refusal)

    def _handshake_late(self) -> None:
        self.timer = None
        if self.phase is Phase.ASKING:
            self.refuse(Refusal(503, "The central system did not decide in time.", retry_after=10))
        else:
            self.refuse(Refusal(408, "The handshake took too long."))

    # --- messages ---------------------------------------------------------------------------------------------------

    def _frame(self, frame: Frame) -> None:
        if self.phase is not Phase.OPEN:
            return
        opcode = frame.opcode
        if opcode is Opcode.TEXT:
            if frame.fin:
                self._text(frame.data)
            else:
                self.fragments = [bytes(frame.data)]
        elif opcode is Opcode.CONT:
            if self.fragments is not None:
                self.fragments.append(bytes(frame.data))
                if frame.fin:
                    text, self.fragments = b"".join(self.fragments), None
                    self._text(text)
        elif opcode is Opcode.BINARY:
            # OCPP-J 1.6 §4.1: messages are text.
            self.close(UNSUPPORTED_DATA, "OCPP-J messages are text")

    def _text(self, data: Any) -> None:
        try:
            str(data, "utf-8")
        except UnicodeDecodeError as error:
            return self.close(INVALID_DATA, f"{error.reason} at position {error.start}")
        session, now = self.session, monotonic()
        assert session is not None
        if self.bucket is not None and (wait := self.bucket.take(now)):
            self._slow_down(wait)
        self._follow(session.receive(data, now))
        if session.backlog >= _MAX_BACKLOG:
            self.pause(Pause.BACKLOG)
        self._stage(session)

    def _slow_down(self, wait: float) -> None:
        if not self.pauses & Pause.RATE:
            self.pause(Pause.RATE)
            asyncio.get_running_loop().call_later(wait, self._debt_due)

    def _debt_due(self) -> None:
        # More messages may have come in the same piece since: the debt is what counts, not the timer.
        if self.bucket is not None and self.pauses & Pause.RATE:
            if wait := self.bucket.debt(monotonic()):
                asyncio.get_running_loop().call_later(wait, self._debt_due)
            else:
                self.resume(Pause.RATE)

    def _follow(self, events: list[Event]) -> None:
        for event in events:
            match event:
                case CallReceived():
                    self._ask(event)
                case CallEnded():
                    self._report(event)
                case SendReceived():
                    self.gateway.bus.send(ROUTER, self._envelope(Kind.SEND, event, 0))
                case Complaint() | AnswerRefused():
                    self.gateway.complained(self, event)

    def _ask(self, call: CallReceived) -> None:
        self.asked_at = monotonic()
        self.asked_action = call.action
        self.asked_id = call.unique_id
        deadline = int((time() + self.gateway.settings.call_deadline) * 1000)
        self.gateway.bus.send(ROUTER, self._envelope(Kind.CALL, call, deadline))

    def _envelope(self, kind: Kind, event: CallReceived | SendReceived, deadline: int) -> Envelope:
        return Envelope(
            kind,
            self.identity,
            self.account,
            self.version,
            "json",
            event.unique_id,
            event.action,
            event.payload,
            reply_to=self.gateway.address.name,
            session=self.capsule,
            deadline=deadline,
            triggered=self.triggered is not None and event.action in self.triggered,
        )

    def _transmit(self, session: Session) -> None:
        self._stage(session)
        self._write()

    def _stage(self, session: Session) -> None:
        """Hand the session's messages to the WebSocket layer; `_write` comes after."""
        try:
            for message in session.take_output():
                self.protocol.send_text(message)
        except InvalidState:
            # The station's close frame came in the same piece as its message: it does not wait for this any more.
            return
        if self.timer is not None or session.timer is not None:
            self._arm(session)

    # --- from the bus -----------------------------------------------------------------------------------------------

    def answer(self, envelope: Envelope) -> None:
        """The answer to the station's CALL came; pass it on, with a newer capsule if there is one."""
        session, capsule = self.session, envelope.session
        if session is None or self.phase is not Phase.OPEN:
            return
        if capsule is not None and self.capsule is not None:
            if capsule.epoch != self.capsule.epoch:
                # The answer belongs to an earlier connection of this station, which may have used the same id.
                return
            self.capsule = capsule
        if envelope.unique_id != self.asked_id:
            # Too late, or for the second time. Another CALL may be waiting by now: its deadline stays as it is.
            return self._follow(session.answer(envelope.unique_id, envelope.payload))
        self.asked_id = ""
        waited, self.asked_at = monotonic() - self.asked_at, 0.0
        if envelope.kind is Kind.RESULT:
            events = session.answer(envelope.unique_id, envelope.payload)
        else:
            code, sentence = envelope.error_code, envelope.error_description
            events = session.refuse(envelope.unique_id, code, sentence, envelope.payload)
        self.gateway.answered(self, envelope, waited)
        self._go_on(session, events)

    def command(self, envelope: Envelope) -> None:
        """Ask the station on somebody's behalf; the outcome goes to `reply_to`."""
        session, capsule = self.session, self.capsule
        assert session is not None
        assert capsule is not None
        if reason := refusal(envelope.action, capsule.registration):
            unique_id = MessageId(envelope.unique_id)
            return self._report(CallEnded(unique_id, envelope.action, Outcome.REFUSED, envelope, description=reason))
        if action := triggered_by(envelope.action, envelope.payload):
            self.triggered = (self.triggered or set()) | {action}
        now = monotonic()
        deadline = now + envelope.deadline / 1000 - time() if envelope.deadline else None
        events = session.call(
            envelope.action,
            envelope.payload,
            now=now,
            timeout=self.gateway.settings.command_timeout,
            deadline=deadline,
            unique_id=envelope.unique_id or None,
            context=envelope,
        )
        self._go_on(session, events)

    def _report(self, ended: CallEnded) -> None:
        self.gateway.ended(self, ended)

    def _go_on(self, session: Session, events: list[Event]) -> None:
        self._follow(events)
        if self.pauses & Pause.BACKLOG and session.backlog < _MAX_BACKLOG:
            self.resume(Pause.BACKLOG)
        self._transmit(session)
        if self.draining and session.asked is None:
            self.close(SERVICE_RESTART, "The central system restarts")

    # --- time -------------------------------------------------------------------------------------------------------

    def tick(self, now: float) -> None:
        """Once a second: pings, and everything that waited too long."""
        settings = self.gateway.settings
        if self.phase is Phase.OPEN:
            if self.asked_at and now - self.asked_at > settings.call_deadline:
                self._abandon()
            if not settings.ping_interval or (self.pauses and self.pauses != Pause.WRITE):
                return
            if self.pinged_at and now - self.pinged_at > settings.pong_deadline:
                self.gateway.log.info("no pong", station=self.identity)
                self.transport.abort()
            elif now >= self.ping_due and self.protocol.state is OPEN:
                self.ping_due = now + settings.ping_interval
                self.pinged_at = self.pinged_at or now
                self.protocol.send_ping(b"")
                self._write()
        elif self.phase is Phase.CLOSING and now - self.closing_since > settings.close_deadline:
            self.transport.abort()

    def _abandon(self) -> None:
        session = self.session
        assert session is not None
        self.asked_at, self.asked_id = 0.0, ""
        self.gateway.unanswered(self)
        self._go_on(session, session.abandon(session.asked or ""))

    def _arm(self, session: Session) -> None:
        self._cancel_timer()
        if session.timer is not None and self.phase < Phase.LOST:
            loop = asyncio.get_running_loop()
            self.timer = loop.call_later(max(0.0, session.timer - monotonic()), self._time_is_up)

    def _time_is_up(self) -> None:
        self.timer = None
        if self.session:
            self._go_on(self.session, self.session.handle_timer(monotonic()))

    def _cancel_timer(self) -> None:
        if self.timer:
            self.timer.cancel()
            self.timer = None

    # --- leaving ----------------------------------------------------------------------------------------------------

    def drain(self) -> None:
        """Close with 1012 as soon as the station's CALL under way is answered."""
        self.draining = True
        if self.phase <= Phase.ASKING:
            self.refuse(Refusal(503, "The central system restarts.", retry_after=5))
        elif self.session and self.session.asked is None:
            self.close(SERVICE_RESTART, "The central system restarts")

    def close(self, code: int, reason: str) -> None:
        """Begin the closing handshake; the socket is cut when the station does not follow."""
        if self.phase is Phase.OPEN:
            if self.protocol.state is OPEN:
                self.protocol.send_close(code, reason.encode()[:120].decode(errors="ignore"))
            self._closing()
            self._write()

    def _closing(self) -> None:
        self.phase = Phase.CLOSING
        self.closing_since = monotonic()
        if self.pauses:
            # Otherwise the station's own close frame would never be read.
            self.pauses = 0
            if not self.transport.is_closing():
                self.transport.resume_reading()
        if self.session:
            self._follow(self.session.close())

    def abort(self) -> None:
        """Cut the socket."""
        self.transport.abort()
