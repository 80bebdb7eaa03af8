"""Answers stations' CALLs and SENDs: finds the route, keeps the gate, and makes every surprise an answer.

What the operator's endpoint answers is forwarded to the webhook relay as it came; what we note about stations is noted
all the same, but holds nothing up. The relay gives a CALL back, with `backend` set, when the endpoint could not answer.
Of what is ours to answer the relay gets a copy, with `backend` set, when there are observers.

The one pass over a batch in `answer` is the hot path of the whole system: no await, no task, no log line. (Calls are
logged by the gateway, which knows how long the answer took; here only what went wrong, and not without end.)
"""

from collections.abc import Awaitable, Callable, Coroutine, Iterable
from typing import Any

from csms_ocpp.errors import UNREADABLE, ErrorCode
from csms_platform.envelope import EMPTY, Envelope, Kind, spent
from csms_platform.logging import CallLog, get_logger
from csms_platform.ports import WEBHOOK, Address, Note, Unavailable
from csms_router import metrics
from csms_router.answers.repeats import repeated
from csms_router.backends import Backends, to_endpoint, to_observers
from csms_router.desk import Answer, Booted, Desk
from csms_router.metrics import Count
from csms_router.patience import patiently, until
from csms_router.replies import address, error, result, told
from csms_router.routes import Route, routes
from csms_router.settings import Settings

_log = get_logger("router")
_ACCEPTED = "Accepted"

Job = Coroutine[Any, Any, None]
Lookup = Callable[[Envelope, Desk], Awaitable[Answer | None]]


class Answering:
    """Answers with `send`. One instance serves every batch. `booted` is called after a boot was accepted."""

    def __init__(self, send: Callable[[Address, Envelope], None], settings: Settings, booted: Booted) -> None:
        self._send = send
        self._booted = booted
        self._boot_required = settings.boot_required
        self._patience = settings.patience
        self._backends = Backends(settings)
        self._observed = settings.observed
        self._routes = routes()
        self._troubles = CallLog(_log, settings.troubles_logged)

    def answer(self, calls: list[Envelope], desk: Desk) -> list[Job]:
        """Answer or forward what needs no store; the rest comes back as work to be awaited."""
        jobs: list[Job] = []
        held: list[tuple[Route, Envelope, Envelope]] = []
        answered: list[Route] = []
        forwarded: list[Route] = []
        notes, table, send = desk.notes, self._routes, self._send
        forwards, webhook, observed = self._backends.forwards, self._backends.webhook, self._observed
        for call in calls:
            route = table.get((call.version, call.action))
            if route is None or (route.gated and not self._may_pass(call)):
                self._turn_away(call, route)
                continue
            own = desk
            if call.backend:
                own = desk.under(call.backend)
            elif forwards and webhook(call.account):
                if route.repeatable:
                    jobs.append(self._wait_for(repeated, route, call, desk))
                else:
                    self._forward(route, call, desk)
                    forwarded.append(route)
                continue
            elif observed:
                send(WEBHOOK, to_observers(call, desk.now))
            if route.plain is None:
                jobs.append(self._wait_for(route.stored, route, call, own))
                continue
            noted = len(notes)
            try:
                reply = result(call, route.plain(call, own))
            except Exception as problem:
                # Whatever one payload does to its handler, the rest of the batch is answered; `_surprised` tells.
                self._surprised(route, call, problem)
                continue
            if len(notes) > noted:
                held.append((route, call, reply))
                continue
            answered.append(route)
            if own is not desk:
                self._reply(call, reply)
            elif call.kind is Kind.CALL:
                send(address(call.reply_to), reply)
        _count(route.answered for route in answered)
        _count(route.forwarded for route in forwarded)
        if notes:
            jobs.append(self._note_first(held, desk))
        return jobs

    async def _note_first(self, held: list[tuple[Route, Envelope, Envelope]], desk: Desk) -> None:
        """One write for everything noted, then the answers that promise it."""
        latest = max((until(call, desk.now, self._patience) for _, call, _ in held), default=desk.now + self._patience)
        try:
            await patiently(lambda: desk.stations.note(desk.notes), until=latest, clock=desk.clock)
        except Unavailable:
            self._lost(desk.notes)
            for route, call, _ in held:
                self._given_up(route, call)
            return
        except Exception as problem:
            self._lost(desk.notes, problem)
            for route, call, _ in held:
                self._surprised(route, call, problem)
            return
        for _, call, reply in held:
            self._reply(call, reply)
        _count(route.answered for route, _, _ in held)

    async def _wait_for(self, lookup: Lookup | None, route: Route, call: Envelope, desk: Desk) -> None:
        """Answer what `lookup` finds; the operator's endpoint is asked when it finds nothing."""
        assert lookup is not None
        try:
            answer = await patiently(
                lambda: lookup(call, desk), until=until(call, desk.now, self._patience), clock=desk.clock
            )
        except Unavailable:
            self._given_up(route, call)
        except Exception as problem:
            self._surprised(route, call, problem)
        else:
            if answer is None:
                self._forward(route, call, desk)
                return route.forwarded.inc()
            (route.repeated if answer.repeated else route.answered).inc()
            self._reply(call, spent(result(call, answer.payload, answer.session), "store", desk.clock() - desk.now))
            if answer.booted:
                await self._booted(call)

    def _forward(self, route: Route, call: Envelope, desk: Desk) -> None:
        if route.plain is not None:
            try:
                route.plain(call, desk)
            except UNREADABLE:
                pass  # The endpoint shall see it all the same.
            except Exception as problem:
                _log.error("cannot note", station=call.identity, action=call.action, exc_info=problem)
        self._send(WEBHOOK, to_endpoint(call, desk.now, settle=route.settles))

    def _reply(self, call: Envelope, reply: Envelope) -> None:
        if call.kind is Kind.CALL:
            self._send(address(call.reply_to), reply)
            if call.settle and call.backend and reply.kind is Kind.RESULT:
                self._send(WEBHOOK, told(call, reply))

    def _may_pass(self, call: Envelope) -> bool:
        # OCPP 2.0.1 B01.FR.10, B02.FR.09: before the station was accepted, anything but BootNotification and what the
        # CSMS triggered is answered with SecurityError. Without a capsule nobody has let the station in.
        session = call.session
        return session is not None and (session.registration == _ACCEPTED or call.triggered or not self._boot_required)

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
        if isinstance(problem, UNREADABLE):
            code, sentence = route.unreadable, f"Unreadable payload: {problem}"
            if self._troubles.take():
                _log.warning("unreadable payload", reason=str(problem), **about)
        else:
            code, sentence = ErrorCode.INTERNAL_ERROR, "The central system could not answer."
            _log.error("handler failed", exc_info=problem, **about)
        route.refused.inc()
        self._reply(call, result(call, EMPTY) if route.never_refused else error(call, code, sentence))

    def _lost(self, notes: list[Note], problem: Exception | None = None) -> None:
        metrics.NOTES_LOST.inc(len(notes))
        if problem is not None:
            _log.error("cannot note", facts=len(notes), exc_info=problem)
        elif self._troubles.take():
            _log.warning("cannot note", reason="the store is away", facts=len(notes))

    def _given_up(self, route: Route, call: Envelope) -> None:
        route.unanswered.inc()
        if self._troubles.take():
            _log.warning("unanswered", reason="the store is away", station=call.identity, action=call.action)


def _count(counts: Iterable[Count]) -> None:
    # Incrementing takes a lock; one increment for all calls of a kind in the batch.
    times: dict[Count, int] = {}
    for count in counts:
        times[count] = times.get(count, 0) + 1
    for count, number in times.items():
        count.inc(number)
