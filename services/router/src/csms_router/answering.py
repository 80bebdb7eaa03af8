"""Answers stations' CALLs and SENDs: finds the route, keeps the gate, and makes every surprise an answer.

The one pass over a batch in `answer` is the hot path of the whole system: no await, no task, no log line. (Calls are
logged by the gateway, which knows how long the answer took; here only what went wrong, and not without end.)
"""

from collections.abc import Callable, Coroutine, Iterable
from typing import Any

from msgspec import MsgspecError

from csms_ocpp.errors import ErrorCode
from csms_platform.envelope import EMPTY, Envelope, Kind
from csms_platform.logging import CallLog, get_logger
from csms_platform.ports import Address, Unavailable
from csms_router import metrics
from csms_router.desk import Desk
from csms_router.patience import patiently, until
from csms_router.replies import address, error, result
from csms_router.routes import Route, routes
from csms_router.settings import Settings

_log = get_logger("router")
_ACCEPTED = "Accepted"
_UNREADABLE = (MsgspecError, UnicodeError, RecursionError)  # what decoding raises when the bytes are not the payload

Job = Coroutine[Any, Any, None]


class Answering:
    """Answers with `send`. One instance serves every batch."""

    def __init__(self, send: Callable[[Address, Envelope], None], settings: Settings) -> None:
        self._send = send
        self._boot_required = settings.boot_required
        self._patience = settings.patience
        self._routes = routes()
        self._troubles = CallLog(_log, settings.troubles_logged)

    def answer(self, calls: list[Envelope], desk: Desk) -> list[Job]:
        """Answer what needs no store; the rest comes back as work to be awaited."""
        jobs: list[Job] = []
        held: list[tuple[Route, Envelope, Envelope]] = []
        answered: list[Route] = []
        notes, table, send = desk.notes, self._routes, self._send
        for call in calls:
            route = table.get((call.version, call.action))
            if route is None or (route.gated and not self._may_pass(call)):
                self._turn_away(call, route)
                continue
            if route.plain is None:
                jobs.append(self._wait_for(route, call, desk))
                continue
            noted = len(notes)
            try:
                reply = result(call, route.plain(call, desk))
            except Exception as problem:
                # Whatever one payload does to its handler, the rest of the batch is answered; `_surprised` tells.
                self._surprised(route, call, problem)
                continue
            if len(notes) > noted:
                held.append((route, call, reply))
                continue
            answered.append(route)
            if call.kind is Kind.CALL:
                send(address(call.reply_to), reply)
        _count(answered)
        if held:
            jobs.append(self._note_first(held, desk))
        return jobs

    async def _note_first(self, held: list[tuple[Route, Envelope, Envelope]], desk: Desk) -> None:
        """One write for everything noted, then the answers that promise it."""
        latest = max(until(call, desk.now, self._patience) for _, call, _ in held)
        try:
            await patiently(lambda: desk.stations.note(desk.notes), until=latest, clock=desk.clock)
        except Unavailable:
            for route, call, _ in held:
                self._given_up(route, call)
            return
        except Exception as problem:
            for route, call, _ in held:
                self._surprised(route, call, problem)
            return
        for _, call, reply in held:
            if call.kind is Kind.CALL:
                self._send(address(call.reply_to), reply)
        _count(route for route, _, _ in held)

    async def _wait_for(self, route: Route, call: Envelope, desk: Desk) -> None:
        assert route.stored is not None
        stored = route.stored
        try:
            answer = await patiently(
                lambda: stored(call, desk), until=until(call, desk.now, self._patience), clock=desk.clock
            )
        except Unavailable:
            self._given_up(route, call)
        except Exception as problem:
            self._surprised(route, call, problem)
        else:
            (route.repeated if answer.repeated else route.answered).inc()
            self._send(address(call.reply_to), result(call, answer.payload, answer.session))

    def _may_pass(self, call: Envelope) -> bool:
        # OCPP 2.0.1 B01.FR.10, B02.FR.09: before the station was accepted, anything but BootNotification and what the
        # CSMS triggered is answered with SecurityError. Without a capsule (SOAP) nobody knows, and nothing is refused.
        session = call.session
        return session is None or session.registration == _ACCEPTED or call.triggered or not self._boot_required

    def _turn_away(self, call: Envelope, route: Route | None) -> None:
        if route is None:
            metrics.UNKNOWN_CALLS.inc()
            code, sentence = ErrorCode.NOT_IMPLEMENTED, f"{call.version} has no action {call.action[:50]}."
        else:
            route.refused.inc()
            code, sentence = ErrorCode.SECURITY_ERROR, "The charging station is not accepted; it must boot first."
        if self._troubles.take():
            _log.info("refused", station=call.identity, action=call.action, version=call.version, code=code)
        if call.kind is Kind.CALL:
            self._send(address(call.reply_to), error(call, code, sentence))

    def _surprised(self, route: Route, call: Envelope, problem: Exception) -> None:
        about = {"station": call.identity, "action": call.action, "version": call.version}
        if isinstance(problem, _UNREADABLE):
            code, sentence = route.unreadable, f"Unreadable payload: {problem}"
            if self._troubles.take():
                _log.warning("unreadable payload", reason=str(problem), **about)
        else:
            code, sentence = ErrorCode.INTERNAL_ERROR, "The central system could not answer."
            _log.error("handler failed", exc_info=problem, **about)
        route.refused.inc()
        if call.kind is Kind.CALL:
            reply = result(call, EMPTY) if route.never_refused else error(call, code, sentence)
            self._send(address(call.reply_to), reply)

    def _given_up(self, route: Route, call: Envelope) -> None:
        route.unanswered.inc()
        if self._troubles.take():
            _log.warning("unanswered", reason="the store is away", station=call.identity, action=call.action)


def _count(answered: Iterable[Route]) -> None:
    # Incrementing takes a lock; one increment for all calls of a kind in the batch.
    times: dict[Route, int] = {}
    for route in answered:
        times[route] = times.get(route, 0) + 1
    for route, number in times.items():
        route.answered.inc(number)
