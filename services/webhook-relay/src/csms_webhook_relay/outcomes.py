"""How an attempt to deliver a letter ended, of which no station waits for the answer. Pure."""

from dataclasses import dataclass
from typing import assert_never

from csms_webhook_relay import reply
from csms_webhook_relay.reply import Reply


@dataclass(frozen=True, slots=True)
class Taken:
    """The endpoint has the letter."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The endpoint says that it will never take this letter."""

    reason: str


@dataclass(frozen=True, slots=True)
class Failed:
    """The endpoint did not take the letter now."""

    reason: str


@dataclass(frozen=True, slots=True)
class Shut:
    """The endpoint is to be left alone until `until` (seconds since 1970). `sent`: it said so itself, to this one."""

    until: float
    reason: str
    sent: bool = False


Outcome = Taken | Refused | Failed | Shut


def outcome(found: Reply, now: float) -> Outcome:
    """What the reply means: a 2xx that can be read takes the letter, whatever it says. `now`: seconds since 1970."""
    match found:
        case reply.Answered() | reply.Refused() | reply.Failed(replied=True):
            return Taken()
        case reply.Final(reason):
            return Refused(reason)
        case reply.Failed(reason, retry_after, sent) if retry_after or not sent:
            return Shut(now + retry_after, reason, sent)
        case reply.Failed(reason):
            return Failed(reason)
        case _ as never:
            assert_never(never)


def complaint(found: Reply) -> str:
    """What would have been wrong with this reply if a station had waited for it; "" when nothing."""
    match found:
        case reply.Refused(code, description):
            return f"CALLERROR {code}: {description}"
        case reply.Failed(reason, replied=True):
            return reason
        case _:
            return ""
