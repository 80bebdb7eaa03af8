"""What `/api/v2` asks of a station whatever version it speaks: the bodies of start, stop, reset, unlock, availability.

A station of 1.x has connectors, one of 2.x has EVSEs with connectors. Where only one number is given it is the number
of the connector in 1.x, and of the EVSE in 2.x, whichever of the two names it has.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

Number = Annotated[int, Meta(ge=1, le=2**31 - 1)]


class Start(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """Begin a transaction for a tag."""

    id_tag: Annotated[str, Meta(min_length=1, max_length=255)]
    connector_id: Number | UnsetType = UNSET
    evse_id: Number | UnsetType = UNSET
    token_type: Annotated[str, Meta(min_length=1, max_length=20, description="2.x only.")] = "ISO14443"


class Stop(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """End a transaction: this one, or the one that is under way at a connector or EVSE."""

    transaction_id: Annotated[int, Meta(ge=0)] | Annotated[str, Meta(min_length=1)] | UnsetType = UNSET
    connector_id: Number | UnsetType = UNSET
    evse_id: Number | UnsetType = UNSET


class Reset(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """Restart: `soft` and `onIdle` when transactions have ended, `hard` and `immediate` at once."""

    type: Literal["soft", "hard", "onIdle", "immediate"]


class Unlock(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """Unlock a connector."""

    connector_id: Number
    evse_id: Number | UnsetType = UNSET


class Availability(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """Put a connector, an EVSE or the whole station into operation, or out of it."""

    operative: bool
    connector_id: Number | UnsetType = UNSET
    evse_id: Number | UnsetType = UNSET


Verb = Start | Stop | Reset | Unlock | Availability
