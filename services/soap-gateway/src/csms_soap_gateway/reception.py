"""Reads who asks what, and refuses what is not for us before anybody is asked."""

from typing import Any

from csms_ocpp.catalog import Role
from csms_ocpp.errors import Violation
from csms_ocpp.rules import Validation, rules_for
from csms_ocpp.soap import Request, Service
from csms_ocpp.version import DIALECTS, Version
from csms_platform.callbacks import has_user, is_callback
from csms_platform.envelope import Raw
from csms_soap_gateway import faults, metrics
from csms_soap_gateway.arrivals import Call, MessageIds, read_arrival, read_call, wrong_identity
from csms_soap_gateway.bodies import Head
from csms_soap_gateway.capsules import Capsules
from csms_soap_gateway.faults import Refused
from csms_soap_gateway.telling import Teller

VERSIONS = (Version.V1_5, Version.V1_6)


class Reception:
    """What requests and answers must be like. Compiles the schemas of both versions when it is made."""

    def __init__(self, validation: Validation, capsules: Capsules, ids: MessageIds, teller: Teller) -> None:
        self._rules = {version: rules_for(DIALECTS[version], Role.CSMS, validation) for version in VERSIONS}
        self._capsules = capsules
        self._ids = ids
        self._teller = teller

    def read(self, request: Request, scope: Any, head: Head) -> Call | Refused:
        """The CALL that the request is, or why it is none."""
        if request.asker is not Role.STATION:
            here, there = Service.CENTRAL_SYSTEM, Service.CHARGE_POINT
            return faults.wrong_direction(f"This is the {here}; {request.action} was asked of the {there}.")
        if wrong := wrong_identity(request.identity):
            return faults.bad_identity(wrong)
        unique_id = self._ids.of_call(request.addressing.message_id)
        arrival = read_arrival(scope, head.authorization, _callback(request))
        call = read_call(request, unique_id, arrival)
        return self._refuse(call) or call

    def _refuse(self, call: Call) -> Refused | None:
        violation = self._rules[call.version].request(call.action, call.payload)
        if violation is None:
            return None
        if self._refuses(call, violation):
            return faults.invalid(violation)
        self._teller.violated(call, violation)
        return None

    def refuse_answer(self, call: Call, payload: Raw) -> Refused | None:
        """Why the payload of a RESULT is not written for the station."""
        violation = self._rules[call.version].response(call.action, payload)
        if violation is None:
            return None
        self._teller.violated(call, violation)
        return faults.invalid_answer() if self._refuses(call, violation) else None

    def _refuses(self, call: Call, violation: Violation) -> bool:
        if violation.unreadable or not self._rules[call.version].refuse(violation):
            return violation.unreadable
        # The quirk is known from the station's record, and so not before it has been answered once.
        capsule = self._capsules.of(call.identity, call.seal)
        return capsule is None or not capsule.has("lenient")


def _callback(request: Request) -> str:
    """Where the station says that it can be called, "" when it does not, or not in a way that can be used."""
    callback = request.addressing.callback
    if callback and (not is_callback(callback) or has_user(callback)):
        metrics.bad_callbacks.inc()
        return ""
    return callback
