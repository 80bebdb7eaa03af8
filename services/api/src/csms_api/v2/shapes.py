"""The bodies of `/api/v2`, in and out. Their schemas in the OpenAPI document are made of these.

Times are ISO 8601 in UTC; what is not known is null, or not there where the field may be missing.
"""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from csms_api.v2.orders import Accepted, Ask, CommandRecord, FailedOutcome, Outcome
from csms_api.v2.quirks import QUIRKS
from csms_api.v2.verbs import Availability, Reset, Start, Stop, Unlock

Name = Annotated[str, Meta(min_length=1, max_length=255, description="Printable characters.")]
Account = Annotated[str, Meta(max_length=255, description="The operator's account it belongs to.")]
Profile = Annotated[
    int,
    Meta(ge=0, le=3, description="The lowest it may use. 0: none, 1: Basic, 2: Basic over TLS, 3: client certificate."),
]
Quirk = Annotated[str, Meta(extra_json_schema={"enum": list(QUIRKS)})]
Quirks = Annotated[tuple[Quirk, ...], Meta(description="What is special about it.")]
Registration = Annotated[
    Literal["Accepted", "Pending", "Rejected"], Meta(description="What its BootNotification is answered.")
]
Disabled = Annotated[bool, Meta(description="It may not connect; a connection that it has is closed.")]
Callback = Annotated[
    str,
    Meta(max_length=2048, description="Where it is called: an http or https URL, of a SOAP station that says none."),
]
Place = Annotated[int, Meta(ge=0, le=2**31 - 1)]
Moment = Annotated[str, Meta(description="ISO 8601, UTC.")]


class In(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """A body that clients send."""


class Out(msgspec.Struct, frozen=True, rename="camel"):
    """A body that clients get."""


# --- stations ---------------------------------------------------------------------------------------------------------


class StationRecord(In, frozen=True):
    """What is on record about a station, without its password."""

    account: Account = ""
    security_profile: Profile = 0
    quirks: Quirks = ()
    registration: Registration = "Accepted"
    disabled: Disabled = False
    callback: Callback = ""


class NewStation(In, frozen=True):
    """A station to register."""

    identity: Name
    account: Account = ""
    security_profile: Profile = 0
    quirks: Quirks = ()
    registration: Registration = "Accepted"
    disabled: Disabled = False
    callback: Callback = ""


class StationChanges(In, frozen=True):
    """What is to change in a station's record; the rest stays."""

    account: Account | UnsetType = UNSET
    security_profile: Profile | UnsetType = UNSET
    quirks: Quirks | UnsetType = UNSET
    registration: Registration | UnsetType = UNSET
    disabled: Disabled | UnsetType = UNSET
    callback: Callback | UnsetType = UNSET


class Password(In, frozen=True):
    """A station's password: as it shows it, or 40 hexadecimal digits for 20 bytes."""

    password: Annotated[str, Meta(min_length=1, max_length=128, description="1 to 128 bytes of UTF-8.")]


class Connector(Out, frozen=True, omit_defaults=True):
    """The last StatusNotification about a connector."""

    connector_id: int
    status: str | None
    evse_id: int | UnsetType = UNSET
    error_code: str | UnsetType = UNSET
    timestamp: str | UnsetType = UNSET


class Station(Out, frozen=True):
    """A charging station: its record, if it is registered; its session, if it is online; and what it told last."""

    identity: str
    account: str
    registered: Annotated[bool, Meta(description="It is on record.")]
    disabled: bool
    security_profile: int
    has_password: bool
    quirks: list[str]
    registration: Annotated[str, Meta(description="By its record, else what it was answered last; or empty.")]
    online: bool
    version: Annotated[str, Meta(description="ocpp1.5, ocpp1.6, …; empty while it is offline.")]
    transport: Annotated[str, Meta(description="json or soap; empty while it is offline.")]
    peer: Annotated[str, Meta(description="Where it is connected from; empty while it is offline.")]
    callback: Annotated[
        str,
        Meta(description="Where a SOAP station is called: as it says, else as on record; empty for those of JSON."),
    ]
    since: Moment | None
    last_seen: Moment | None
    gateway: Annotated[str, Meta(description="Who holds its connection; empty while it is offline, and for SOAP.")]
    epoch: Annotated[int, Meta(description="Counts its connections; 0 while it is offline.")]
    boot: Annotated[Any, Meta(description="Its last BootNotification as it came, or null.")]
    connectors: list[Connector]


Next = Annotated[str, Meta(description="`after` of the next page; empty: there is none.")]


class StationPage(Out, frozen=True):
    """Stations in byte order of their identities. A page may hold fewer than wanted, and have a next one."""

    stations: list[Station]
    next: Next


# --- tags -------------------------------------------------------------------------------------------------------------

TagStatus = Literal["Accepted", "Blocked", "Expired", "Invalid"]
Limit = Annotated[int, Meta(ge=0, le=2**31 - 1, description="Transactions that it may have at once; 0: any number.")]


class TagFields(In, frozen=True):
    """What is known about a tag."""

    status: TagStatus = "Accepted"
    expires: Annotated[str, Meta(max_length=64, description="ISO 8601; empty: never.")] = ""
    parent: Annotated[str, Meta(max_length=255, description="Its parentIdTag or group.")] = ""
    limit: Limit = 1


class Tag(Out, frozen=True):
    """An idTag or idToken that is on the list."""

    id: str
    status: TagStatus
    expires: Annotated[str, Meta(description="ISO 8601, UTC; empty: never.")]
    parent: str
    limit: Limit


class TagPage(Out, frozen=True):
    """Tags in byte order of their ids, which are compared without regard to case."""

    tags: list[Tag]
    next: Next


# --- transactions -----------------------------------------------------------------------------------------------------


class Transaction(Out, frozen=True):
    """A charging transaction. Meter readings are in Wh; `started` and `stopped` are as the station told them."""

    id: Annotated[str, Meta(description="The number of 1.x as text, or 2.x's own id.")]
    identity: str
    version: str
    connector_id: int | None
    evse_id: int | None
    id_tag: str
    meter_start: int
    meter_stop: int | None
    started: str | None
    stopped: str | None
    reason: str | None
    reservation_id: int | None
    authorized: bool
    superseded: Annotated[bool, Meta(description="Another one began at its connector, and it never ended.")]
    active: bool


class TransactionPage(Out, frozen=True):
    """Transactions, the newest first. A page may hold fewer than wanted, and have a next one."""

    transactions: list[Transaction]
    next: Next


# --- dead letters -----------------------------------------------------------------------------------------------------


class DeadLetter(Out, frozen=True, omit_defaults=True):
    """A station's message that the operator's endpoint never took. `payload` and `answered` only where one is shown."""

    id: str
    identity: str
    account: str
    version: str
    action: str
    endpoint: str
    reason: str
    attempts: int
    stored: Moment
    died: Moment
    unique_id: Annotated[str | UnsetType, Meta(description="Of the station's CALL.")] = UNSET
    payload: Annotated[Any, Meta(description="Of the station's CALL, as it came.")] = UNSET
    answered: Annotated[Any, Meta(description="What the station was answered, if the endpoint is to know.")] = UNSET


class DeadLetterPage(Out, frozen=True):
    """Dead letters; those that died first come first."""

    dead_letters: list[DeadLetter]
    next: Next


class Replay(Out, frozen=True):
    """A dead letter that waits for the endpoint again."""

    id: str
    status: Literal["accepted"] = "accepted"


ALL: tuple[type, ...] = (
    NewStation, StationRecord, StationChanges, Password, Station, StationPage,
    TagFields, Tag, TagPage, Transaction, TransactionPage, DeadLetter, DeadLetterPage, Replay,
    Ask, Accepted, Outcome, FailedOutcome, CommandRecord,
    Start, Stop, Reset, Unlock, Availability,
)  # fmt: skip
"""Every body that a description may name."""
