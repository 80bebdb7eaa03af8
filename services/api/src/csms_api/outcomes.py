"""What a client is told when its command ended: the station's answer as it came, or why there is none."""

from starlette.responses import Response

from csms_api.errors import ApiError
from csms_ocpp.events import QUEUE_FULL
from csms_ocpp.session import Outcome
from csms_platform.envelope import Envelope, Raw

_STATUSES = {
    Outcome.TIMEOUT: 504,
    Outcome.EXPIRED: 504,
    Outcome.NOT_CONNECTED: 503,
    Outcome.INVALID: 400,
    Outcome.REFUSED: 409,
}
SENTENCES = {
    Outcome.TIMEOUT: "The charging station did not answer in time; whether it acted is not known.",
    Outcome.EXPIRED: "The command waited too long and was not sent.",
    Outcome.NOT_CONNECTED: "The charging station is offline.",
    Outcome.INVALID: "The command is not valid.",
    Outcome.REFUSED: "The command was refused.",
}


def answered(outcome: Envelope) -> Response:
    """200 with the answer's bytes; everything else raises the `ApiError` that tells it."""
    if outcome.outcome == Outcome.RESULT:
        return Response(bytes(outcome.payload), media_type="application/json")
    if outcome.outcome == Outcome.ERROR:
        raise _call_error(outcome)
    raise _not_answered(outcome)


def _call_error(outcome: Envelope) -> ApiError:
    sentence = f"The charging station answered {outcome.error_code}."
    if outcome.error_description:
        sentence = f"{sentence[:-1]}: {outcome.error_description}"
    return ApiError(
        502,
        sentence,
        errorCode=outcome.error_code,
        errorDescription=outcome.error_description,
        errorDetails=_details(outcome.payload),
    )


def _details(payload: Raw) -> Raw | dict[str, str]:
    # OCPP-J 1.6 §4.2.3: errorDetails "MUST be {}" when there are none; anything else that is JSON is passed on.
    return payload if bytes(payload) else {}


def _not_answered(outcome: Envelope) -> ApiError:
    kind = Outcome(outcome.outcome)
    status, sentence = _STATUSES[kind], outcome.error_description or SENTENCES[kind]
    if kind is Outcome.REFUSED and is_full(outcome):
        return ApiError(429, sentence, headers={"Retry-After": "5"}, outcome=kind.value)
    return ApiError(status, sentence, outcome=kind.value)


def is_full(outcome: Envelope) -> bool:
    """Whether a refused command found the station's queue full, and may be sent again later."""
    return outcome.error_code == QUEUE_FULL
