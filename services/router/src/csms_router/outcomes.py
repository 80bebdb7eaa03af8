"""How a command ended, as it is told: to operators as JSON, to our services as an envelope, to everybody as an event.

Pure but for the last class, which tells. docs/commands.md is this file in words.
"""

from collections.abc import Callable
from uuid import uuid4

import msgspec
from msgspec import UNSET, Raw, UnsetType

from csms_ocpp.catalog import actions
from csms_ocpp.confidential import hidden
from csms_ocpp.events import Outcome
from csms_platform.envelope import EMPTY, Envelope, Kind
from csms_platform.logging import get_logger
from csms_platform.ports import (
    MOST_WAITING,
    Command,
    Event,
    Ports,
    Waiter,
    address_of,
    event_key,
    without_connection,
)
from csms_platform.times import iso_8601
from csms_router import metrics
from csms_router.presence import SOAP

_log = get_logger("router")
_encode = msgspec.json.Encoder().encode
_NAME = "command"
_SENTENCES = {
    Outcome.NOT_CONNECTED.value: "The station is not connected.",
    Outcome.REFUSED.value: f"{MOST_WAITING} commands wait for the station already.",
}


class Reply(msgspec.Struct, rename="camel"):
    """What an operator reads."""

    identity: str
    unique_id: str
    action: str
    outcome: str
    payload: Raw | UnsetType = UNSET
    error_code: str | UnsetType = UNSET
    error_description: str | UnsetType = UNSET
    error_details: Raw | UnsetType = UNSET


def reply(ended: Command) -> bytes:
    """For an operator's queue: `payload` for a result, else the error's fields."""
    told = Reply(ended.identity, ended.id, ended.action, ended.outcome)
    if ended.outcome == Outcome.RESULT:
        told.payload = ended.answer
    else:
        told.error_code = ended.error_code or UNSET
        told.error_description = described(ended)
        told.error_details = ended.answer
    return _encode(told)


def envelope(ended: Command) -> Envelope:
    """For a service of ours."""
    succeeded = ended.outcome == Outcome.RESULT
    return Envelope(
        Kind.RESULT if succeeded else Kind.ERROR,
        ended.identity,
        version=ended.version,
        unique_id=ended.id,
        action=ended.action,
        payload=ended.answer,
        error_code=ended.error_code,
        error_description="" if succeeded else described(ended),
        outcome=ended.outcome,
    )


def event(ended: Command, now: float) -> Event:
    """For everybody who follows; without passwords."""
    succeeded = ended.outcome == Outcome.RESULT
    unheld = without_connection(ended.identity) == ended.gateway
    return Event(
        id=uuid4().hex,
        time=iso_8601(now),
        type=_NAME,
        identity=ended.identity,
        account=ended.account,
        version=ended.version,
        transport=SOAP if unheld else "",
        gateway="" if unheld else ended.gateway,
        unique_id=ended.id,
        action=ended.action,
        request=hidden(ended.action, ended.payload),
        outcome=ended.outcome,
        response=ended.answer if succeeded else UNSET,
        error_code=ended.error_code,
        error_description="" if succeeded else described(ended),
        error_details=UNSET if succeeded or ended.answer == EMPTY else ended.answer,
        milliseconds=max(0, ended.ended - ended.created),
    )


def described(ended: Command) -> str:
    """Why, in a sentence; those that the stores end have none of their own."""
    return ended.error_description or _SENTENCES.get(ended.outcome, "")


def _why(ended: Command) -> dict[str, str]:
    """For the log. Why a payload is invalid quotes it, and payloads are not for logs."""
    if ended.outcome == Outcome.RESULT:
        return {}
    return {"code": ended.error_code} if ended.outcome == Outcome.INVALID else {"reason": described(ended)}


class Teller:
    """Tells how commands ended. `now` is in seconds since 1970."""

    def __init__(self, ports: Ports, now: Callable[[], float]) -> None:
        self._ports = ports
        self._now = now

    def ended(self, command: Command) -> None:
        """A command is over: tell everybody, and count it. For whoever ended it, once."""
        self.refused(command)
        key = event_key(command.version, _NAME)
        if self._ports.events.wanted(key):
            self._ports.events.emit(key, event(command, self._now()))

    def refused(self, command: Command) -> None:
        """What was asked for never became a command: tell who asked, and count it."""
        metrics.COMMANDS.labels(command.action if command.action in actions() else "", command.outcome).inc()
        milliseconds = max(0, command.ended - command.created)
        metrics.COMMAND_SECONDS.child(command.outcome).observe(milliseconds / 1000)
        _log.info(
            "command",
            station=command.identity[:255],
            account=command.account,
            version=command.version,
            action=command.action[:50],
            id=command.id[:36],
            outcome=command.outcome,
            ms=milliseconds,
            **_why(command),
        )
        self.tell(command, command.waiters)

    def tell(self, command: Command, waiters: tuple[Waiter, ...]) -> None:
        """How `command` ended, to these."""
        for waiter in dict.fromkeys(waiters):
            if waiter.public:
                self._ports.orders.reply(waiter.reply_to, waiter.correlation_id, reply(command))
            else:
                self._ports.bus.send(address_of(waiter.reply_to), envelope(command))
