"""What may be said in one direction of a conversation: which actions, with which payloads, and how strict we are.

Without state, so one `Rules` serves every connection of the same dialect, role and strictness (`rules_for`).
"""

from enum import StrEnum
from functools import cache

from msgspec import Raw

from csms_ocpp import catalog, schemas
from csms_ocpp.catalog import Role
from csms_ocpp.errors import ErrorCode, Violation
from csms_ocpp.frames import MAX_MESSAGE_ID
from csms_ocpp.version import Dialect, MessageType


class Validation(StrEnum):
    """What a schema violation does, in both directions: STRICT refuses, WARN reports and passes, OFF does not look.

    A payload that is not a JSON object never passes.
    """

    STRICT = "strict"
    WARN = "warn"
    OFF = "off"


class Rules:
    """The rules for `role`, our end. `ours` and `theirs` are the actions that either end sends, SENDs included."""

    __slots__ = ("_schemas", "dialect", "ours", "result_errors", "role", "theirs", "validation")

    def __init__(self, dialect: Dialect, role: Role, validation: Validation) -> None:
        self.dialect = dialect
        self.role = role
        self.validation = validation
        self.ours = catalog.asked_by(role, dialect.version)
        self.theirs = catalog.asked_by(role.peer, dialect.version)
        self.result_errors = MessageType.CALL_RESULT_ERROR in dialect.frame_types
        self._schemas = {} if validation is Validation.OFF else schemas.table(dialect.version)

    def request(self, action: str, payload: Raw) -> Violation | None:
        """What is wrong with the payload of a CALL or SEND."""
        schema = self._schemas.get((action, schemas.REQUEST))
        return schema.check(payload) if schema else schemas.check_shape(payload, self.dialect)

    def response(self, action: str, payload: Raw) -> Violation | None:
        """What is wrong with the payload of a CALLRESULT."""
        schema = self._schemas.get((action, schemas.RESPONSE))
        return schema.check(payload) if schema else schemas.check_shape(payload, self.dialect)

    def refuse(self, violation: Violation) -> bool:
        """Whether a message with this violation is refused, not just reported."""
        return violation.unreadable or self.validation is Validation.STRICT

    def own(self, unique_id: str, action: str, *, send: bool) -> Violation | None:
        """What is wrong, but for the payload, with a CALL (or SEND) that we are about to make."""
        if len(unique_id) > MAX_MESSAGE_ID:
            code = self.dialect.formation_violation
            return Violation(code, f"The message id is longer than {MAX_MESSAGE_ID} characters.")
        known = self.ours.get(action)
        if known is None or known.send is not send:
            kind = "SEND" if send else "CALL"
            sentence = f"{action} is not a {kind} of the {self.role} in {self.dialect.version}."
            return Violation(ErrorCode.NOT_IMPLEMENTED, sentence)
        return None


@cache
def rules_for(dialect: Dialect, role: Role, validation: Validation) -> Rules:
    """The shared `Rules`; compiles the version's schemas at the first call."""
    return Rules(dialect, role, validation)
