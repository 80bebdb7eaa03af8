"""Stations' calls under way: each goes to the router, and its answer back to whoever waits for it."""

import asyncio
from time import time

from csms_ocpp.errors import ErrorCode
from csms_platform.envelope import Capsule, Envelope, Kind
from csms_platform.ports import ROUTER, Address, Bus
from csms_soap_gateway import metrics
from csms_soap_gateway.arrivals import Call
from csms_soap_gateway.capsules import Capsules

_Key = tuple[str, str]


class _Turn:
    """A call under way. `over` is set when another one with the same id may go."""

    __slots__ = ("action", "answer", "over")

    def __init__(self, action: str) -> None:
        self.action = action
        self.answer: asyncio.Future[Envelope | None] | None = None
        self.over = asyncio.Event()


class Asking:
    """Asks the router on behalf of stations; answers come to `address`. `capsules` is what it has said about them."""

    def __init__(self, bus: Bus, address: Address, capsules: Capsules, deadline: float) -> None:
        self._bus = bus
        self._address = address
        self._deadline = deadline
        self._turns: dict[_Key, _Turn] = {}
        self.capsules = capsules

    def admitted(self, call: Call) -> bool:
        """Whether the call needs no admission now."""
        return self.capsules.fresh(call.identity, call.seal, int(time() * 1000)) is not None

    async def ask(self, call: Call) -> Envelope | None:
        """The router's RESULT, ERROR or REFUSE; None when there was none in time.

        While a call of this station with the same id is under way this one waits: their answers could not be told
        apart.
        """
        until, key = time() + self._deadline, (call.identity, call.unique_id)
        while earlier := self._turns.get(key):
            if not await _wait(earlier.over, until):
                return None
        turn = self._turns[key] = _Turn(call.action)
        try:
            answer = await self._answer(call, turn, until)
        finally:
            del self._turns[key]
            turn.over.set()
        if answer is not None and answer.session is not None and answer.kind is not Kind.REFUSE:
            self.capsules.keep(call.identity, call.seal, answer.session)
        return answer

    async def _answer(self, call: Call, turn: _Turn, until: float) -> Envelope | None:
        capsule = self.capsules.fresh(call.identity, call.seal, int(time() * 1000))
        answer = await self._send(call, turn, capsule, until)
        if capsule is not None and answer is not None and _is_outdated(answer):
            # The registration, or the station's record, may have changed since the capsule was given.
            self.capsules.forget(call.identity)
            metrics.outdated.inc()
            answer = await self._send(call, turn, None, until)
        return answer

    async def _send(self, call: Call, turn: _Turn, capsule: Capsule | None, until: float) -> Envelope | None:
        loop = asyncio.get_running_loop()
        turn.answer = loop.create_future()
        timer = loop.call_later(max(0.0, until - time()), _expire, turn.answer)
        self._bus.send(ROUTER, self._envelope(call, capsule, until))
        try:
            return await turn.answer
        finally:
            timer.cancel()

    def _envelope(self, call: Call, capsule: Capsule | None, until: float) -> Envelope:
        return Envelope(
            Kind.CALL,
            call.identity,
            capsule.account if capsule else "",
            call.version.value,
            "soap",
            call.unique_id,
            call.action,
            call.payload,
            reply_to=self._address.name,
            session=capsule,
            deadline=int(until * 1000),
            arrival=None if capsule else call.arrival,
        )

    def hear(self, answer: Envelope) -> None:
        """An answer came. One that nobody waits for any more is only counted."""
        turn = self._turns.get((answer.identity, answer.unique_id))
        if turn is None or turn.answer is None or turn.answer.done() or answer.action not in ("", turn.action):
            metrics.late.inc()
        else:
            turn.answer.set_result(answer)


def _is_outdated(answer: Envelope) -> bool:
    return answer.kind is Kind.REFUSE or answer.error_code == ErrorCode.SECURITY_ERROR


def _expire(answer: asyncio.Future[Envelope | None]) -> None:
    if not answer.done():
        answer.set_result(None)


async def _wait(event: asyncio.Event, until: float) -> bool:
    """Whether the event came in time."""
    try:
        async with asyncio.timeout(max(0.0, until - time())):
            await event.wait()
    except TimeoutError:
        return False
    return True
