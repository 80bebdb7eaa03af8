"""A connected station: joins its WebSocket, its OCPP-J session and the bus.

This shell owns the clock of one connection; the session owns the protocol, the wire the WebSocket, the flow the
back-pressure. It decides nothing about OCPP.
"""

import asyncio
from time import monotonic, time
from typing import TYPE_CHECKING, Any

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
from csms_platform.envelope import EMPTY, Capsule, Envelope, Kind
from csms_platform.outcomes import refusal, triggered_by
from csms_platform.ports import ROUTER
from csms_ws_gateway.arrival import hang_up
from csms_ws_gateway.flow import Flow, Pause
from csms_ws_gateway.limits import TokenBucket
from csms_ws_gateway.wire import Wire

if TYPE_CHECKING:
    from csms_ws_gateway.service import Gateway

_UNSUPPORTED_DATA = 1003
_INVALID_DATA = 1007
_SERVICE_RESTART = 1012

_OPEN, _CLOSING, _LOST = range(3)

_MAX_BACKLOG = 16  # CALLs that a station sent ahead, past which its socket is not read


class Connection(asyncio.Protocol):
    """The asyncio protocol of a station's socket from the 101 on.

    `capsule` is the newest that the router has given, `handshake` the number under which it was asked.
    """

    __slots__ = (
        "_asked_at",
        "_asked_id",
        "_asked_payload",
        "_closing_since",
        "_draining",
        "_farewell",
        "_flow",
        "_gateway",
        "_phase",
        "_ping_due",
        "_pinged_at",
        "_session",
        "_timer",
        "_transport",
        "_triggered",
        "_wire",
        "asked_action",
        "capsule",
        "handshake",
        "identity",
        "version",
    )

    def __init__(
        self,
        gateway: "Gateway",
        transport: Any,
        wire: Wire,
        identity: str,
        handshake: str,
        capsule: Capsule,
        version: Version,
    ) -> None:
        settings, now = gateway.settings, monotonic()
        validation = Validation.WARN if capsule.has("lenient") else settings.validation
        self._gateway = gateway
        self._transport = transport
        self._wire = wire
        self._session = Session(DIALECTS[version], Role.CSMS, validation=validation, max_waiting=settings.command_queue)
        bucket = TokenBucket(settings.rate_limit, settings.rate_burst, now) if settings.rate_limit else None
        self._flow = Flow(transport, bucket, self._resumed)
        self._phase = _OPEN
        self._draining = False
        self._timer: asyncio.TimerHandle | None = None
        self._triggered: set[str] | None = None
        self._asked_id = self._farewell = ""
        self._asked_payload = EMPTY
        self._asked_at = self._closing_since = self._pinged_at = 0.0
        self._ping_due = now + settings.ping_interval * gateway.spread()
        self.asked_action = ""
        self.capsule = capsule
        self.handshake = handshake
        self.identity = identity
        self.version = version.value

    # --- the socket -------------------------------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        self._pinged_at = 0.0
        text = self._wire.read_whole(data)
        if text is not None:
            self._text(text)
        else:
            self._wire.receive(data)
            self._read()

    def _read(self) -> None:
        """Take complete messages off the wire, until one is a reason to pause: the rest waits for `resume`."""
        for text in self._wire.messages():
            if self._phase is not _OPEN:
                continue
            if text is None:
                # OCPP-J 1.6 §4.1: messages are text.
                self.close(_UNSUPPORTED_DATA, "OCPP-J messages are text")
            else:
                self._text(text)
            if self._flow.reasons:
                break
        self._write()

    def eof_received(self) -> None:
        self._wire.receive_eof()
        self._write()

    def connection_lost(self, _: Exception | None) -> None:
        self._phase = _LOST
        self._flow.end()
        self._set_timer(None)
        self._follow(self._session.close())
        self._gateway.left(self, self._farewell or self._wire.farewell)

    def pause_writing(self) -> None:
        # The station does not read what we send: do not let it ask for more.
        self._flow.pause(Pause.WRITE)

    def resume_writing(self) -> None:
        self._flow.resume(Pause.WRITE)

    def congested(self, congested: bool) -> None:
        """The bus takes no more, or takes it again."""
        if congested:
            self._flow.pause(Pause.CONGESTION)
        else:
            self._flow.resume(Pause.CONGESTION)

    def _resumed(self) -> None:
        self._pinged_at = 0.0
        self._read()

    def _write(self) -> None:
        for data in self._wire.output():
            if data:
                self._transport.write(data)
            else:
                # The library's sign that the conversation is over: close frames are exchanged.
                hang_up(self._transport)
                self._end()

    # --- what the station says --------------------------------------------------------------------------------------

    def _text(self, data: bytes) -> None:
        try:
            str(data, "utf-8")
        except UnicodeDecodeError as error:
            return self.close(_INVALID_DATA, f"{error.reason} at position {error.start}")
        session, now = self._session, monotonic()
        self._flow.spend(now)
        self._follow(session.receive(data, now))
        if session.backlog >= _MAX_BACKLOG:
            self._flow.pause(Pause.BACKLOG)
        self._transmit(session)

    def _follow(self, events: list[Event]) -> None:
        for event in events:
            match event:
                case CallReceived():
                    self._ask(event)
                case CallEnded():
                    self._gateway.ended(self, event)
                case SendReceived():
                    self._gateway.bus.send(ROUTER, self._envelope(Kind.SEND, event, 0))
                    self._gateway.teller.sent(self, event)
                case Complaint() | AnswerRefused():
                    self._gateway.complained(self, event)

    def _ask(self, call: CallReceived) -> None:
        self._asked_at = monotonic()
        self._asked_id, self._asked_payload = call.unique_id, call.payload
        self.asked_action = call.action
        deadline = int((time() + self._gateway.settings.call_deadline) * 1000)
        self._gateway.bus.send(ROUTER, self._envelope(Kind.CALL, call, deadline))

    def _envelope(self, kind: Kind, event: CallReceived | SendReceived, deadline: int) -> Envelope:
        capsule = self.capsule
        return Envelope(
            kind,
            self.identity,
            capsule.account,
            self.version,
            "json",
            event.unique_id,
            event.action,
            event.payload,
            reply_to=self._gateway.address.name,
            session=capsule,
            deadline=deadline,
            triggered=self._triggered is not None and event.action in self._triggered,
        )

    def _transmit(self, session: Session) -> None:
        for message in session.take_output():
            self._transport.write(self._wire.text(message))
        if self._timer is not None or session.timer is not None:
            self._set_timer(session.timer)

    # --- from the bus -----------------------------------------------------------------------------------------------

    def answer(self, envelope: Envelope) -> None:
        """The answer to the station's CALL came; pass it on, with a newer capsule if there is one."""
        session, capsule = self._session, envelope.session
        if self._phase is not _OPEN:
            return
        if capsule is not None:
            if capsule.epoch != self.capsule.epoch:
                # The answer belongs to an earlier connection of this station, which may have used the same id.
                return
            self.capsule = capsule
        if envelope.unique_id != self._asked_id:
            # Too late, or for the second time. Another CALL may be waiting by now: its deadline stays as it is.
            return self._follow(session.answer(envelope.unique_id, envelope.payload))
        self._asked_id = ""
        waited, self._asked_at = monotonic() - self._asked_at, 0.0
        self._gateway.answered(self, self._asked_payload, envelope, waited)
        self._asked_payload = EMPTY
        if envelope.kind is Kind.RESULT:
            events = session.answer(envelope.unique_id, envelope.payload)
        else:
            code, sentence = envelope.error_code, envelope.error_description
            events = session.refuse(envelope.unique_id, code, sentence, envelope.payload)
        self._go_on(session, events)

    def command(self, envelope: Envelope) -> None:
        """Ask the station on somebody's behalf; the outcome goes to `reply_to`."""
        now = monotonic()
        if reason := refusal(envelope.action, self.capsule.registration):
            unique_id = MessageId(envelope.unique_id)
            ended = CallEnded(unique_id, envelope.action, Outcome.REFUSED, (envelope, now), description=reason)
            return self._gateway.ended(self, ended)
        if action := triggered_by(envelope.action, envelope.payload):
            self._triggered = (self._triggered or set()) | {action}
        events = self._session.call(
            envelope.action,
            envelope.payload,
            now=now,
            timeout=self._gateway.settings.command_timeout,
            deadline=now + envelope.deadline / 1000 - time() if envelope.deadline else None,
            unique_id=envelope.unique_id or None,
            context=(envelope, now),
        )
        self._go_on(self._session, events)

    def _go_on(self, session: Session, events: list[Event]) -> None:
        self._follow(events)
        self._transmit(session)
        if self._flow.reasons and session.backlog < _MAX_BACKLOG:
            self._flow.resume(Pause.BACKLOG)
        if self._draining and session.asked is None:
            self.close(_SERVICE_RESTART, "The central system restarts")

    # --- time -------------------------------------------------------------------------------------------------------

    def tick(self, now: float) -> None:
        """Once a second: pings, and everything that waited too long."""
        settings = self._gateway.settings
        if self._phase is _CLOSING and now - self._closing_since > settings.close_deadline:
            self._transport.abort()
        if self._phase is not _OPEN:
            return
        if self._asked_at and now - self._asked_at > settings.call_deadline:
            self._abandon()
        if not settings.ping_interval or self._flow.reasons & ~Pause.WRITE:
            return
        if self._pinged_at and now - self._pinged_at > settings.pong_deadline:
            self._gateway.log.info("no pong", station=self.identity)
            self._farewell = "no pong"
            self._transport.abort()
        elif now >= self._ping_due and self._wire.is_open:
            self._ping_due = now + settings.ping_interval
            self._pinged_at = self._pinged_at or now
            self._wire.ping()
            self._write()

    def _abandon(self) -> None:
        waited, asked, request = monotonic() - self._asked_at, self._asked_id, self._asked_payload
        self._asked_at, self._asked_id, self._asked_payload = 0.0, "", EMPTY
        self._gateway.unanswered(self, asked, request, waited)
        self._go_on(self._session, self._session.abandon(self._session.asked or ""))

    def _set_timer(self, at: float | None) -> None:
        if self._timer:
            self._timer.cancel()
        self._timer = None
        if at is not None and self._phase is not _LOST:
            self._timer = asyncio.get_running_loop().call_later(max(0.0, at - monotonic()), self._time_is_up)

    def _time_is_up(self) -> None:
        self._timer = None
        self._go_on(self._session, self._session.handle_timer(monotonic()))

    # --- leaving ----------------------------------------------------------------------------------------------------

    def drain(self) -> None:
        """Close with 1012 as soon as the station's CALL under way is answered."""
        self._draining = True
        if self._session.asked is None:
            self.close(_SERVICE_RESTART, "The central system restarts")

    def close(self, code: int, reason: str) -> None:
        """Begin the closing handshake; the socket is cut when the station does not follow."""
        if self._phase is _OPEN:
            self._farewell = reason
            self._wire.close(code, reason)
            self._end()
            self._write()

    def _end(self) -> None:
        """No message goes either way any more; the closing handshake does."""
        if self._phase is not _OPEN:
            return
        self._phase = _CLOSING
        self._closing_since = monotonic()
        self._flow.open_the_gates()
        self._follow(self._session.close())

    def abort(self) -> None:
        """Cut the socket."""
        self._transport.abort()
