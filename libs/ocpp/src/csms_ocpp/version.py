"""The OCPP versions, and what differs between them as fields of a `Dialect`.

Code elsewhere reads a dialect's field; it never branches on the version itself.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import NewType

from csms_ocpp.errors import ErrorCode

StationId = NewType("StationId", str)
MessageId = NewType("MessageId", str)


class Version(StrEnum):
    """An OCPP version; the value is also the WebSocket subprotocol of its JSON form."""

    V1_5 = "ocpp1.5"
    V1_6 = "ocpp1.6"
    V2_0_1 = "ocpp2.0.1"
    V2_1 = "ocpp2.1"


class MessageType:
    """OCPP-J message type numbers (OCPP-J 1.6 §4.1.3, OCPP-J 2.1 §4.1.3)."""

    CALL = 2
    CALL_RESULT = 3
    CALL_ERROR = 4
    CALL_RESULT_ERROR = 5
    SEND = 6


@dataclass(frozen=True, slots=True)
class Dialect:
    """What one version does differently on the wire.

    `subprotocol` is None where the version has no JSON transport. `schemas` is the folder of official JSON schemas
    in the `ocpp` distribution (None: the version has none, and its SOAP types stand in), `request_suffix` what its
    request files end with. `unreadable_id` is the message id of an error about a message whose own id could not be
    read; None: such messages get no answer at all.
    """

    version: Version
    number: str
    subprotocol: str | None
    schemas: str | None
    request_suffix: str
    frame_types: frozenset[int]
    occurrence_violation: str
    formation_violation: str
    malformed_call: str
    unreadable_id: str | None
    null_payload_is_empty: bool
    integer_transaction_ids: bool


_BASIC = frozenset({MessageType.CALL, MessageType.CALL_RESULT, MessageType.CALL_ERROR})


def _v1(version: Version, number: str, subprotocol: str | None, schemas: str | None) -> Dialect:
    return Dialect(
        version=version,
        number=number,
        subprotocol=subprotocol,
        schemas=schemas,
        request_suffix="",
        frame_types=_BASIC,
        # OCPP-J 1.6 §4.2.3 spells the code with one r; stations compare it letter by letter.
        occurrence_violation="OccurenceConstraintViolation",
        formation_violation="FormationViolation",
        malformed_call=ErrorCode.PROTOCOL_ERROR,
        unreadable_id=None,
        null_payload_is_empty=True,
        integer_transaction_ids=True,
    )


def _v2(version: Version, number: str, schemas: str, frame_types: frozenset[int]) -> Dialect:
    return Dialect(
        version=version,
        number=number,
        subprotocol=version.value,
        schemas=schemas,
        request_suffix="Request",
        frame_types=frame_types,
        occurrence_violation="OccurrenceConstraintViolation",
        formation_violation="FormatViolation",
        malformed_call=ErrorCode.PROTOCOL_ERROR,
        # OCPP-J 2.0.1 §4.2.3: "When a message contains any invalid OCPP and/or it is not conform the JSON schema …
        # if the message id cannot be read, the CALLERROR SHALL contain "-1" as message id".
        unreadable_id="-1",
        null_payload_is_empty=False,
        integer_transaction_ids=False,
    )


DIALECTS: dict[Version, Dialect] = {
    dialect.version: dialect
    for dialect in (
        _v1(Version.V1_5, "1.5", None, None),
        _v1(Version.V1_6, "1.6", Version.V1_6.value, "v16"),
        _v2(Version.V2_0_1, "2.0.1", "v201", _BASIC),
        _v2(Version.V2_1, "2.1", "v21", _BASIC | {MessageType.CALL_RESULT_ERROR, MessageType.SEND}),
    )
}

SUBPROTOCOLS: dict[str, Version] = {d.subprotocol: d.version for d in DIALECTS.values() if d.subprotocol}


def select_subprotocol(offered: list[str]) -> Version | None:
    """The version of the first offered subprotocol that we speak; None when there is none.

    OCPP-J 2.0.1 §3.1.2: the charging station lists its versions in order of preference, so its order wins.
    """
    return next((SUBPROTOCOLS[name] for name in offered if name in SUBPROTOCOLS), None)
