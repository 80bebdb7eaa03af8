"""DER controls (2.1 part R): what a grid operator wants of a distributed energy resource. Kept and told, not obeyed."""

from csms_emulator.actions import Payload
from csms_emulator.v2.device import Calls, Device

ACCEPTED = {"status": "Accepted"}
NOT_FOUND = {"status": "NotFound"}
ITEMS = 24  # of a kind in one ReportDERControl

# The field of SetDERControl that holds a control, by controlType; every other type is a curve.
FIELDS = {
    "EnterService": "enterService",
    "FixedPFAbsorb": "fixedPFAbsorb",
    "FixedPFInject": "fixedPFInject",
    "FixedVar": "fixedVar",
    "FreqDroop": "freqDroop",
    "Gradients": "gradient",
    "LimitMaxDischarge": "limitMaxDischarge",
}
INNER = {"fixedPFAbsorb": "fixedPF", "fixedPFInject": "fixedPF"}  # the report's name of it, where it differs
PLAIN = ("enterService", "gradient")  # these are always defaults, and are never superseded


def set_der_control(device: Device, request: Payload, now: float) -> tuple[Payload, Calls]:
    """SetDERControl. A control takes the place of the one with the same id, and the field fits the type."""
    if _field(request) not in request:
        return {"status": "Rejected", "statusInfo": {"reasonCode": "MissingParam"}}, []
    device.memory.der[request["isDefault"], request["controlId"]] = request
    return ACCEPTED, []


def get_der_control(device: Device, request: Payload, now: float) -> tuple[Payload, Calls]:
    """GetDERControl."""
    found = [control for control in device.memory.der.values() if _asked(request, control)]
    if not found:
        return NOT_FOUND, []
    pieces = [found[start : start + ITEMS] for start in range(0, len(found), ITEMS)]
    return ACCEPTED, [
        ("ReportDERControl", {**_gathered(piece), "requestId": request["requestId"], "tbc": piece is not pieces[-1]})
        for piece in pieces
    ]


def clear_der_control(device: Device, request: Payload, now: float) -> tuple[Payload, Calls]:
    """ClearDERControl."""
    found = [place for place, control in device.memory.der.items() if _asked(request, control)]
    for place in found:
        del device.memory.der[place]
    return ACCEPTED if found else NOT_FOUND, []


def afrr_signal(device: Device, request: Payload, now: float) -> tuple[Payload, Calls]:
    """AFRRSignal (2.1 part Q): no profile here follows the signals of a grid operator."""
    return {"status": "Rejected", "statusInfo": {"reasonCode": "NoProfile"}}, []


def _field(control: Payload) -> str:
    return FIELDS.get(control["controlType"], "curve")


def _asked(request: Payload, control: Payload) -> bool:
    return all(control[name] == request.get(name, control[name]) for name in ("isDefault", "controlType", "controlId"))


def _gathered(controls: list[Payload]) -> Payload:
    gathered: Payload = {}
    for control in controls:
        gathered.setdefault(_field(control), []).append(_told(control))
    return gathered


def _told(control: Payload) -> Payload:
    field = _field(control)
    told = {"id": control["controlId"], INNER.get(field, field): control[field]}
    if field in PLAIN:
        return told
    kind = {"curveType": control["controlType"]} if field == "curve" else {}
    return {**told, **kind, "isDefault": control["isDefault"], "isSuperseded": False}
