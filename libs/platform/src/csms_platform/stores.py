"""What is kept about stations, and the ports through which it is: sessions, stations, tags, transactions.

Services import these names from `ports`. Whoever writes an adapter starts with these docstrings and the contract suites
in `tests/contract`, which try every sentence of them.

    Unavailable        the store (or the broker) cannot be reached now; try again later
"""

from collections.abc import Sequence
from typing import NewType, Protocol

import msgspec

from csms_ocpp.version import StationId

GatewayId = NewType("GatewayId", str)


class Unavailable(Exception):  # noqa: N818 - a state of the world, as in Bus.connected
    """The broker or the store cannot be reached now. Nothing is known about what was asked; asking again is safe."""


class Claim(msgspec.Struct, frozen=True):
    """A connection that wants to be its station's session.

    A station that holds none (`transport` is "soap") is claimed for `ports.without_connection(identity)`; `callback` is
    its URL, "" while it is not known.
    """

    identity: StationId
    gateway: GatewayId
    account: str = ""
    version: str = ""
    peer: str = ""
    transport: str = "json"
    callback: str = ""


class SessionRecord(msgspec.Struct, frozen=True, omit_defaults=True):
    """The live session of a station, as in its `Claim`. `since` is in milliseconds since 1970."""

    identity: StationId
    gateway: GatewayId
    epoch: int
    account: str = ""
    version: str = ""
    peer: str = ""
    since: int = 0
    transport: str = "json"
    callback: str = ""


class Sessions(Protocol):
    """Who is connected where. Every write names its epoch, so that a late one changes nothing.

    The lease of a station without a connection (`ports.without_connection`) ends with its session: when that is
    released, swept, or replaced by another gateway's.
    """

    async def open(self, claim: Claim) -> tuple[SessionRecord, SessionRecord | None]:
        """Make `claim` the station's session under a new, higher epoch. Answers it, and the one it replaced."""
        ...

    async def release(self, identity: StationId, epoch: int) -> bool:
        """End the session if its epoch is still `epoch`; answers whether it was."""
        ...

    async def get(self, identity: StationId) -> SessionRecord | None:
        """The station's session while its gateway's lease lives; None: offline."""
        ...

    async def resume(self, claim: Claim, epoch: int) -> bool:
        """Restore the session of this epoch, as after its gateway's lease had ended by mistake.

        Answers False, and changes nothing, when the station has had a newer epoch since.
        """
        ...

    async def renew(self, gateway: GatewayId, seconds: float) -> bool:
        """The gateway lives: its lease now ends `seconds` from now. Answers whether an earlier lease still lived.

        A gateway that never renewed counts as dead in `get` and `sweep`.
        """
        ...

    async def retire(self, gateway: GatewayId) -> None:
        """The gateway leaves: its lease ends now, and the next `sweep` finds what it still holds."""
        ...

    async def sweep(self, limit: int = 1000) -> list[SessionRecord]:
        """End and answer up to `limit` sessions whose gateway's lease has ended, each to one caller only."""
        ...


class Station(msgspec.Struct, frozen=True, omit_defaults=True):
    """A registered charging station.

    `password` is a digest made by `csms_platform.passwords`, "" when the station has none. `security_profile` is the
    lowest that it may use (0: none, 1: Basic, 2: Basic over TLS, 3: TLS client certificate). `quirks` are separated
    by spaces. `registration` is what BootNotification is answered with. `callback` is the URL of a SOAP station that
    does not say it itself.
    """

    identity: StationId
    account: str = ""
    password: str = ""
    security_profile: int = 0
    quirks: str = ""
    registration: str = "Accepted"
    disabled: bool = False
    callback: str = ""


class Note(msgspec.Struct, frozen=True, gc=False):
    """A fact to remember about a station: JSON under a field name, e.g. `status/1`, replacing what was there."""

    identity: str
    field: str
    value: bytes


class Stations(Protocol):
    """Registered stations, and the last that each station told about itself."""

    async def get(self, identity: StationId) -> Station | None:
        """The registered station; None: not registered."""
        ...

    async def put(self, station: Station) -> None:
        """Insert or replace the record; the notes stay."""
        ...

    async def delete(self, identity: StationId) -> bool:
        """Remove the record and the notes; answers whether there was a record."""
        ...

    async def note(self, notes: Sequence[Note]) -> None:
        """Remember all of `notes`, cheaply (one command to the store for the whole batch); the last one wins.

        Batches take effect in the order asked.
        """
        ...

    async def recall(self, identity: StationId) -> dict[str, bytes]:
        """Everything noted about a station, by field."""
        ...

    async def forget(self, identity: StationId, fields: Sequence[str]) -> None:
        """Remove these notes, if they are there."""
        ...

    async def known(self, *, after: str = "", limit: int = 100) -> list[StationId]:
        """Up to `limit` identities after `after`, in byte order: registered stations, those that have a session or
        had one, and those that have notes under `boot`. Deleting a station forgets it; until it comes again."""
        ...


class Tag(msgspec.Struct, frozen=True, omit_defaults=True):
    """An idTag / idToken that may charge. `expires` is ISO 8601 UTC, "" for never.

    `status` is the 1.6 word (Accepted, Blocked, Expired, Invalid). `parent` is the parentIdTag or group. `limit` is how
    many transactions it may have at once, 0: any number.
    """

    id: str
    status: str = "Accepted"
    expires: str = ""
    parent: str = ""
    limit: int = 1


class Tags(Protocol):
    """The tag list. Ids are compared without regard to case (OCPP 1.6 §7.28: IdToken is a CiString20Type)."""

    async def get(self, id: str) -> Tag | None:
        """The tag, or None."""
        ...

    async def put(self, tag: Tag) -> None:
        """Insert or replace."""
        ...

    async def delete(self, id: str) -> bool:
        """Remove; answers whether there was one."""
        ...

    async def page(self, *, after: str = "", limit: int = 100) -> list[Tag]:
        """Up to `limit` tags whose folded id comes after the folded `after`, in byte order of the folded id."""
        ...


class Transaction(msgspec.Struct, frozen=True, omit_defaults=True):
    """A charging transaction. `id` is the integer of 1.x as text, or 2.x's own id. Times are as the station sent them.

    `key` recognises a repeated start. `authorized` transactions count against their tag's limit until they end, or
    until another one begins at the same connector: then the station has forgotten them, and they are `superseded`.
    `reply` is the answer the start was given.
    """

    identity: StationId
    id: str
    key: str = ""
    version: str = ""
    connector: int = 0
    evse: int = 0
    tag: str = ""
    meter_start: int = 0
    meter_stop: int | None = None
    started: str = ""
    stopped: str = ""
    reason: str = ""
    reservation: int | None = None
    authorized: bool = False
    last_seq: int = -1
    superseded: bool = False
    reply: bytes = b""


class Transactions(Protocol):
    """Transactions, and the stored answers to transaction messages."""

    async def new_id(self) -> int:
        """An integer id that no router has handed out or will, before or after a restart; positive, 31 bits."""
        ...

    async def begin(
        self, transaction: Transaction, *, limit: int = 0, over: Transaction | None = None
    ) -> tuple[Transaction, bool]:
        """Store a transaction unless this (identity, key) exists; answers the stored one, and whether it is new.

        An authorized new one counts as active for its tag. When `limit` of the tag's count already, `over` is stored
        in its place: the same transaction, not authorized. The limit holds exactly, also between two routers. What
        was under way at the same connector of the station is superseded. Without a key the id recognises a repeated
        start, and an ended transaction still recognises it.
        """
        ...

    async def get(self, identity: StationId, id: str) -> Transaction | None:
        """The transaction, or None."""
        ...

    async def update(self, transaction: Transaction) -> None:
        """Replace the transaction with the same (identity, id), or store it when it is unknown.

        One with `stopped` no longer counts for its tag.
        """
        ...

    async def active(self, tag: str) -> int:
        """How many authorized transactions of this tag are under way."""
        ...

    async def answered(self, key: str) -> bytes | None:
        """The answer stored under `key` by `remember`, or None."""
        ...

    async def remember(self, key: str, reply: bytes, seconds: float) -> None:
        """Keep `reply` under `key` for `seconds`."""
        ...

    async def page(
        self,
        *,
        identity: StationId | None = None,
        since: int = 0,
        until: int | None = None,
        after: str = "",
        limit: int = 100,
    ) -> tuple[list[Transaction], str]:
        """Up to `limit` transactions that began in [`since`, `until`) (milliseconds since 1970, by the store's clock
        when they were stored first), newest first; of one station, or of all.

        `after` is the cursor that the page before came with; the second of the answer is the next one, "" at the end.
        """
        ...
