"""The bodies of commands in `/api/v2`, in and out: what is asked, how it ended, and the record of both."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

Duration = Annotated[float, Meta(ge=0, le=86_400)]


class Ask(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """A command to a station."""

    action: Annotated[str, Meta(min_length=1, max_length=100, description="An OCPP action of its version.")]
    payload: Annotated[
        msgspec.Raw | UnsetType, Meta(description="As the action's schema says.", extra_json_schema={"type": "object"})
    ] = UNSET
    unique_id: Annotated[
        Annotated[str, Meta(min_length=1, max_length=36)] | UnsetType,
        Meta(description="Its id; the same one is never executed twice. Without: a new one."),
    ] = UNSET
    timeout: Annotated[
        Annotated[float, Meta(gt=0, le=86_400)] | UnsetType,
        Meta(description="Seconds until which it must have been sent to the station. Without: as long as `wait`."),
    ] = UNSET
    offline: Annotated[Duration, Meta(description="Seconds that it may wait for a station that is offline.")] = 0.0


class Accepted(msgspec.Struct, rename="camel", frozen=True):
    """A command that is under way: its outcome is in its record."""

    identity: str
    unique_id: str
    action: str
    status: Literal["accepted"] = "accepted"


OutcomeWord = Literal["result", "error", "Timeout", "NotConnected", "Expired", "Invalid", "Refused"]


class Outcome(msgspec.Struct, rename="camel", frozen=True, omit_defaults=True):
    """How a command ended: `payload` is the station's answer; without one the error's fields say why."""

    identity: str
    unique_id: str
    action: str
    outcome: OutcomeWord
    payload: Annotated[Any, Meta(description="The station's answer, as it came.")] = UNSET
    error_code: Annotated[str | UnsetType, Meta(description="Of the station's CALLERROR.")] = UNSET
    error_description: str | UnsetType = UNSET
    error_details: Any = UNSET


class Problem(msgspec.Struct, rename="camel", frozen=True):
    """The error member of every refusal."""

    code: Annotated[int, Meta(description="The HTTP status.")]
    message: Annotated[str, Meta(description="What is wrong, in a sentence.")]


class FailedOutcome(Outcome, frozen=True, omit_defaults=True, kw_only=True):
    """How a command ended that did not reach its station, or got no answer; under the status that says so."""

    error: Problem


class CommandRecord(msgspec.Struct, rename="camel", frozen=True, omit_defaults=True):
    """A command: `waiting` for its station, `queued` behind another one (SOAP), `sent` to it, or `ended`; then with the
    fields of its outcome."""

    identity: str
    unique_id: str
    action: str
    status: Literal["waiting", "queued", "sent", "ended"]
    created: Annotated[str, Meta(description="ISO 8601, UTC.")]
    request: Annotated[Any, Meta(description="Its payload; passwords are not shown.")]
    version: str | UnsetType = UNSET
    ended: Annotated[str, Meta(description="ISO 8601, UTC.")] | UnsetType = UNSET
    outcome: OutcomeWord | UnsetType = UNSET
    payload: Any = UNSET
    error_code: str | UnsetType = UNSET
    error_description: str | UnsetType = UNSET
    error_details: Any = UNSET
