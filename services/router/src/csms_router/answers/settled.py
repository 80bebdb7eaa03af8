"""What the operator's endpoint answered, where the answer changes what is known: recorded as our own would be.

`understood` is what goes to the gateway; then one table for all versions, from action to what records the answer. A
recorder gets the CALL as the station sent it; it must be safe to run again. Both may raise what decoding raises.
"""

from collections.abc import Awaitable, Callable
from typing import Literal

import msgspec
from msgspec import Raw, Struct

from csms_platform.envelope import Envelope
from csms_router.answers.common import booted, note_boot
from csms_router.answers.repeats import remember
from csms_router.answers.transaction_event import record_event
from csms_router.answers.v1 import record_start, record_stop
from csms_router.authorize import Decision
from csms_router.desk import Answer, Desk

Recorder = Callable[[Envelope, Raw, Desk], Awaitable[None]]

_BOOT = "BootNotification"


class _Boot(Struct):
    status: Literal["Accepted", "Pending", "Rejected"]


class _Info(Struct):
    status: str


class _Start(Struct, rename="camel"):
    transaction_id: int
    id_tag_info: _Info


class _Event(Struct, rename="camel"):
    id_token_info: _Info | None = None


_boot = msgspec.json.Decoder(_Boot).decode
_start = msgspec.json.Decoder(_Start).decode
_event = msgspec.json.Decoder(_Event).decode


def understood(call: Envelope, payload: Raw, desk: Desk) -> Answer:
    """The answer for the gateway; a boot's with the registration in the connection's capsule."""
    return booted(call, payload, _boot(payload).status, desk) if call.action == _BOOT else Answer(payload)


async def boot(call: Envelope, payload: Raw, desk: Desk) -> None:
    """The boot and its registration."""
    await note_boot(call, _boot(payload).status, payload, desk)


async def start(call: Envelope, payload: Raw, desk: Desk) -> None:
    """A transaction under the endpoint's id, authorized if the endpoint said so, whatever the tag list says."""
    told = _start(payload)
    await record_start(call, told.transaction_id, Decision(told.id_tag_info.status), payload, desk)
    await remember(call, payload, desk)


async def stop(call: Envelope, payload: Raw, desk: Desk) -> None:
    """The transaction has ended, whatever was answered."""
    await record_stop(call, desk)
    await remember(call, payload, desk)


async def event(call: Envelope, payload: Raw, desk: Desk) -> None:
    """The transaction with what the event adds; authorized as in `start`."""
    info = _event(payload).id_token_info
    await record_event(call, None if info is None else Decision(info.status), desk)
    await remember(call, payload, desk)


SETTLED: dict[str, Recorder] = {
    _BOOT: boot,
    "StartTransaction": start,
    "StopTransaction": stop,
    "TransactionEvent": event,
}
