"""Error codes of OCPP-J, and what a refused message is called on the wire.

    Violation   a payload that its schema refuses, already named in the dialect's words

Nothing here is raised: what a peer sends is an event, never an exception.
"""

import msgspec

UNREADABLE = (msgspec.MsgspecError, UnicodeError, RecursionError)
"""What decoding raises when bytes are not the JSON that was asked for."""


class ErrorCode:
    """CALLERROR codes whose spelling is the same in every version (OCPP-J 1.6 §4.2.3, OCPP-J 2.0.1 §4.3).

    The two that differ are fields of the dialect: `occurrence_violation` and `formation_violation`.
    """

    NOT_IMPLEMENTED = "NotImplemented"
    NOT_SUPPORTED = "NotSupported"
    INTERNAL_ERROR = "InternalError"
    PROTOCOL_ERROR = "ProtocolError"
    SECURITY_ERROR = "SecurityError"
    PROPERTY_CONSTRAINT_VIOLATION = "PropertyConstraintViolation"
    TYPE_CONSTRAINT_VIOLATION = "TypeConstraintViolation"
    GENERIC_ERROR = "GenericError"
    RPC_FRAMEWORK_ERROR = "RpcFrameworkError"


_WITHOUT_VALUES = frozenset({"", "required", "additionalProperties"})


class Violation(msgspec.Struct, frozen=True, gc=False):
    """Why a payload is refused: the OCPP error code, one sentence, the schema keyword, and where in the payload.

    `unreadable`: the payload is no JSON object at all, and no leniency may let it pass.
    """

    code: str
    description: str
    rule: str = ""
    where: str = ""
    unreadable: bool = False

    @property
    def outline(self) -> str:
        """The description without any value of the payload, for logs."""
        if self.unreadable or self.rule in _WITHOUT_VALUES:
            return self.description
        return f"{self.where or 'The payload'} violates {self.rule}."
