"""What is kept about the operator's side, and the ports through which it is: commands, and letters to endpoints.

Like `stores`: services import these names from `ports`, and the contract suites try every sentence.
"""

from hashlib import blake2b
from typing import Protocol

import msgspec

from csms_ocpp.confidential import hidden
from csms_ocpp.errors import UNREADABLE
from csms_ocpp.version import StationId

MOST_WAITING = 32
"""Commands that may wait for one station that is offline, or queue for one without a connection."""


class Waiter(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """Who is told how a command ended: a bus address ("ocpp.api.…"), or a queue of the operator's with `public`."""

    reply_to: str
    correlation_id: str = ""
    public: bool = False


class Command(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """One command to a station, from the moment it is taken in until its record is forgotten.

    `status`: "waiting" (for a station that is offline), "queued" (for its turn: a station without a connection is asked
    one thing at a time, whichever gateways there are), "sent" (to the gateway of its session; from here on nobody
    repeats it), "ended" (`outcome` tells how). Times are in milliseconds since 1970: `created`, `ended`; `deadline`
    until when the gateway may send it; `offline_until` until when it may wait for its station; `overdue` when nobody
    will hear any more how it ended. `waiters` are those who are told. `attempt` counts how often it was sent to a
    gateway; what a gateway says of an earlier attempt is old news. `account`, `version`, `gateway` and `callback` are
    those of the session that it was sent to last. An ended one holds no passwords: its payload is as
    `confidential.hidden` tells it.
    """

    identity: StationId
    id: str
    action: str
    payload: msgspec.Raw
    created: int
    deadline: int
    overdue: int
    offline_until: int = 0
    status: str = ""
    attempt: int = 0
    gateway: str = ""
    callback: str = ""
    account: str = ""
    version: str = ""
    waiters: tuple[Waiter, ...] = ()
    outcome: str = ""
    answer: msgspec.Raw = msgspec.Raw(b"{}")
    error_code: str = ""
    error_description: str = ""
    ended: int = 0

    @property
    def fingerprint(self) -> str:
        """The same for two commands with the same action and payload, however it is spelled; passwords do not count."""
        payload = hidden(self.action, self.payload)
        try:
            content = msgspec.json.encode(msgspec.json.decode(payload), order="sorted")
        except UNREADABLE:
            content = bytes(payload)
        return blake2b(self.action.encode() + b"\n" + content, digest_size=16).hexdigest()


class Commands(Protocol):
    """Commands by (identity, id): each is sent at most once, and ends exactly once.

    Records are forgotten `keep` seconds (a day) after they ended.
    """

    async def begin(self, command: Command) -> tuple[Command, bool]:
        """Take a command in; answers what is stored under its (identity, id) now, and whether it is new.

        A new one is, in one step: "sent" to the gateway of the station's session (as `Sessions.get` finds it;
        `gateway`, `callback`, `account` and `version` are filled in, `attempt` is 1), or "queued" when that session's
        `transport` is "soap" and another command is "sent" to the station or "queued", or "waiting" when the station is
        offline and `offline_until` is later than `created`, or "ended" with NotConnected. At most `MOST_WAITING`
        commands wait or queue for a station; one more is "ended" with Refused and the code QueueFull. A known one that
        has not ended gets the new one's waiters beside its own, if both have the same `fingerprint`; nothing else
        changes.
        """
        ...

    async def end(self, command: Command) -> Command | None:
        """The command ended: keep its `outcome`, `answer`, `error_code`, `error_description`, `ended` and `version`.
        Its payload takes the place of the stored one, which may hold passwords; `{}` does not.

        Answers the stored record with them, its waiters included; None, and nothing changes, when it had ended already
        or is unknown. Exactly one caller gets the record.
        """
        ...

    async def postpone(self, identity: StationId, id: str, now: int, attempt: int) -> bool:
        """This attempt to send a "sent" command is known to have failed: it is "waiting" again, before those that only
        ever waited. Postponed ones keep the order in which they were taken in. One that waits or is queued already
        stays where it is, and one that is at another attempt stays as it is: that is old news.

        Answers False, and changes nothing, when it may not wait (`offline_until` is not later than `now`), has ended,
        or is unknown.
        """
        ...

    async def release(self, identity: StationId) -> list[Command]:
        """If the station is online: everything that waits or is queued for it, in order (postponed ones first, then in
        the order in which they were taken in), now "sent" to its gateway, each at its next `attempt`. Else nothing.

        For a station whose session's `transport` is "soap": everything that waits is "queued", and what `next` answers
        is answered.
        """
        ...

    async def next(self, identity: StationId) -> list[Command]:
        """If the station is online and nothing is "sent" to it: the first that is "queued" (postponed ones first, then
        in the order in which they were taken in), now "sent", at its next `attempt`. Else nothing."""
        ...

    async def expectant(self, limit: int = 1000) -> list[StationId]:
        """Up to `limit` stations for which commands wait or queue, any of them."""
        ...

    async def overdue(self, now: int, limit: int = 1000) -> list[Command]:
        """Up to `limit` that have not ended: "waiting" ones past `offline_until`, "queued" ones past `deadline`, "sent"
        ones past `overdue`."""
        ...

    async def get(self, identity: StationId, id: str) -> Command | None:
        """The record, or None."""
        ...


class DeadLetter(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """A station's message that the operator's endpoint never took. Times are in milliseconds since 1970.

    `letter` is what would have been delivered (a `spool.Letter` in JSON), `reason` a sentence, `attempts` how often it
    was tried.
    """

    id: str
    endpoint: str
    identity: StationId
    action: str
    reason: str
    attempts: int
    stored: int
    died: int
    letter: msgspec.Raw
    account: str = ""
    version: str = ""


MAIN_ENDPOINT = "default"
"""The name of the operator's endpoint that serves every account without one of its own."""


def lane(endpoint: str, identity: str) -> str:
    """Where the letters of a station wait that the endpoint could not take yet."""
    return f"{endpoint}/{identity}"


class Deliveries(Protocol):
    """Which letters wait in the spool for whom, so that later messages do not overtake them; and the dead ones.

    A lane is what `lane` names. The letters themselves are in the spool; what is kept here is an index.
    """

    async def waits(self, lane: str, id: str, at: int) -> None:
        """Letter `id` is about to be stored in the lane, at `at` (milliseconds since 1970)."""
        ...

    async def done(self, lane: str, id: str) -> bool:
        """Letter `id` left the spool, and with it every one that waited at an earlier time: letters leave in order.

        Answers whether the lane still has others. A letter that is not known leaves the others alone.
        """
        ...

    async def pending(self, lane: str) -> bool:
        """Whether letters of this lane wait."""
        ...

    async def bury(self, letter: DeadLetter) -> None:
        """Keep a dead letter, replacing one with the same id."""
        ...

    async def dead(self, *, after: str = "", limit: int = 100) -> tuple[list[DeadLetter], str]:
        """Up to `limit` dead letters, those that died first first; and the cursor of the next page, "" at the end."""
        ...

    async def dead_letter(self, id: str) -> DeadLetter | None:
        """The dead letter, or None."""
        ...

    async def discard(self, id: str, died: int | None = None) -> bool:
        """Remove a dead letter; answers True to exactly one caller.

        With `died` only the one that died then: one that was replayed may have died again.
        """
        ...
