"""Our calls to stations: what arrives at the address that all SOAP gateways share, one at a time for each station.

Between gateways the store keeps a station's commands in line; here it is kept again, so that no station hears two of
ours at once whatever comes. A command that has been sent is never sent again.
"""

import asyncio
from collections import deque
from time import monotonic, time

from aiohttp.abc import AbstractResolver

from csms_ocpp.errors import Violation
from csms_ocpp.events import QUEUE_FULL
from csms_ocpp.session import Outcome
from csms_platform.envelope import Envelope, Kind
from csms_platform.logging import CallLog, get_logger, where
from csms_platform.outcomes import Recent, told_outcome
from csms_platform.ports import MOST_WAITING, Bus, address_of
from csms_soap_gateway import metrics, outgoing_metrics
from csms_soap_gateway.exchange import Exchange, Unanswered
from csms_soap_gateway.outgoing import Command, Ended, envelope, headers, read_command
from csms_soap_gateway.outgoing_answers import read_answer
from csms_soap_gateway.settings import Settings

_REMEMBERED = 10_000
_LEAVING = Ended(Outcome.NOT_CONNECTED, description="The gateway leaves.")
_EXPIRED = Ended(Outcome.EXPIRED, description="Its deadline passed before it could be sent.")
_FULL = Ended(Outcome.REFUSED, code=QUEUE_FULL, description=f"{MOST_WAITING} calls are waiting already.")

_Waiting = tuple[Command, float]


class Calls:
    """The commands in the hands of this process. `private_networks`: whether stations may be called there.

    `gateway` is the process's id. `resolver` takes the place of the system's DNS. Raises `SettingsError` when the
    settings name certificates that cannot be used.
    """

    def __init__(
        self,
        bus: Bus,
        settings: Settings,
        *,
        private_networks: bool,
        gateway: str,
        resolver: AbstractResolver | None = None,
    ) -> None:
        self._bus = bus
        self._settings = settings
        self._exchange = Exchange(settings, private_networks, resolver)
        self._log = get_logger("soap-gateway").bind(gateway=gateway)
        self._told = CallLog(self._log, settings.log_calls)
        self._recent = Recent(_REMEMBERED)
        self._lines: dict[str, deque[_Waiting]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._leaving = False

    async def hear(self, batch: list[Envelope]) -> None:
        """Takes commands; never waits for a station. Each ends in exactly one outcome, told to its `reply_to`."""
        for heard in batch:
            if heard.kind is not Kind.CALL:
                outgoing_metrics.misdirected.inc()
                self._log.warning("not a command", kind=heard.kind.value, station=heard.identity)
            elif heard.unique_id and self._recent.seen((heard.identity, heard.unique_id, heard.attempt)):
                outgoing_metrics.repeated_commands.inc()
            else:
                self._take(heard)

    def _take(self, call: Envelope) -> None:
        began = monotonic()
        command = read_command(call, self._settings.validation)
        if isinstance(command, Ended):
            return self._end(call, command, began)
        self._complain(command, command.violation)
        line = self._lines.get(call.identity)
        if self._leaving:
            self._end(call, _LEAVING, began)
        elif line is None:
            self._begin(call.identity, (command, began))
        elif len(line) >= MOST_WAITING:
            self._end(call, _FULL, began)
        else:
            outgoing_metrics.commands_under_way.inc()
            line.append((command, began))

    def _begin(self, identity: str, first: _Waiting) -> None:
        outgoing_metrics.commands_under_way.inc()
        line = self._lines[identity] = deque([first])
        task = asyncio.get_running_loop().create_task(self._work(identity, line))
        self._tasks.add(task)
        task.add_done_callback(self._finished)

    async def _work(self, identity: str, line: deque[_Waiting]) -> None:
        try:
            while line:
                command, began = line.popleft()
                ended = await self._ask(command)
                outgoing_metrics.commands_under_way.dec()
                self._complain(command, ended.violation)
                self._end(command.call, ended, began)
        finally:
            del self._lines[identity]

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            raise error

    async def _ask(self, command: Command) -> Ended:
        deadline = command.call.deadline
        left = deadline / 1000 - time() if deadline else self._settings.connect_timeout
        if left <= 0:
            return _EXPIRED
        body = envelope(command, self._settings.url)
        answer = await self._exchange.post(command.url, headers(command), body, left)
        if not isinstance(answer, Unanswered):
            return read_answer(command, answer)
        if answer.sent:
            return Ended(Outcome.TIMEOUT, description=answer.reason)
        if deadline and deadline <= time() * 1000:
            return _EXPIRED
        return Ended(Outcome.NOT_CONNECTED, description=answer.reason)

    # --- telling ----------------------------------------------------------------------------------------------------

    def _end(self, call: Envelope, ended: Ended, began: float) -> None:
        seconds, outcome = monotonic() - began, ended.outcome
        known = outcome is not Outcome.INVALID
        outgoing_metrics.command(call.version if known else "", call.action if known else "", outcome, seconds)
        if self._told.take():
            self._log.info(
                "command",
                station=call.identity,
                account=call.account,
                version=call.version,
                action=call.action[:50],
                id=call.unique_id,
                outcome=outcome.value,
                ms=round(seconds * 1000, 1),
                **where(call),
            )
        if call.reply_to:
            told = told_outcome(call, outcome, ended.code, ended.description, ended.payload)
            self._bus.send(address_of(call.reply_to), told)

    def _complain(self, command: Command, violation: Violation | None) -> None:
        """The payload of a CALL of ours, or of its answer, is not what its schema says."""
        if violation is not None:
            call = command.call
            metrics.violation(call.version, violation.rule)
            self._log.warning(
                "violation", station=call.identity, reason=violation.outline, action=call.action, id=call.unique_id
            )

    # --- leaving ----------------------------------------------------------------------------------------------------

    async def close(self, within: float) -> None:
        """Send nothing more; what was sent gets `within` seconds to be answered."""
        self._leaving = True
        for line in self._lines.values():
            while line:
                command, began = line.popleft()
                outgoing_metrics.commands_under_way.dec()
                self._end(command.call, _LEAVING, began)
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=within)
        self._exchange.give_up()
        if self._tasks:
            await asyncio.wait(self._tasks)
        await self._exchange.close()
