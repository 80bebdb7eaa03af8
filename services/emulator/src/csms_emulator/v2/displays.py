"""Messages on a 2.x station's display: kept by their id, told in NotifyDisplayMessages."""

from csms_emulator.actions import Payload
from csms_emulator.v2.device import Calls, Device

ACCEPTED = {"status": "Accepted"}
UNKNOWN = {"status": "Unknown"}
MOST = 20
ITEMS = 5  # in one message


def set_display_message(device: Device, request: Payload, now: float) -> tuple[Payload, Calls]:
    """SetDisplayMessage; a message with a known id takes the other's place."""
    _forget_ended(device, now)
    message, displays = request["message"], device.memory.displays
    if status := _fault(device, message):
        return {"status": status}, []
    if message["priority"] == "AlwaysFront":
        # OCPP 2.0.1 O01: one message at most is AlwaysFront; a new one takes the other's place.
        for number in [n for n, other in displays.items() if other["priority"] == "AlwaysFront"]:
            del displays[number]
    displays[message["id"]] = message
    _count(device)
    return ACCEPTED, []


def get_display_messages(device: Device, request: Payload, now: float) -> tuple[Payload, Calls]:
    """GetDisplayMessages."""
    _forget_ended(device, now)
    chosen = [message for message in device.memory.displays.values() if _asked(request, message)]
    if not chosen:
        return UNKNOWN, []
    return ACCEPTED, [
        (
            "NotifyDisplayMessages",
            {
                "requestId": request["requestId"],
                "messageInfo": chosen[start : start + ITEMS],
                "tbc": start + ITEMS < len(chosen),
            },
        )
        for start in range(0, len(chosen), ITEMS)
    ]


def clear_display_message(device: Device, request: Payload, now: float) -> tuple[Payload, Calls]:
    """ClearDisplayMessage."""
    _forget_ended(device, now)
    found = device.memory.displays.pop(request["id"], None)
    _count(device)
    return UNKNOWN if found is None else ACCEPTED, []


def _forget_ended(device: Device, now: float) -> None:
    # OCPP 2.0.1 O01: a message is removed at its endDateTime.
    displays = device.memory.displays
    ended = [n for n, m in displays.items() if "endDateTime" in m and device.reached(m["endDateTime"], now)]
    for number in ended:
        del displays[number]
    _count(device)


def _fault(device: Device, message: Payload) -> str:
    """The status of a message that cannot be shown."""
    content = [message["message"], *message.get("messageExtra", [])]
    if any(text["format"] not in _names(device, "SupportedFormats") for text in content):
        return "NotSupportedMessageFormat"
    if message["priority"] not in _names(device, "SupportedPriorities"):
        return "NotSupportedPriority"
    if "state" in message and message["state"] not in _names(device, "SupportedStates"):
        return "NotSupportedState"
    full = len(device.memory.displays) >= MOST and message["id"] not in device.memory.displays
    return "Rejected" if full else ""


def _asked(request: Payload, message: Payload) -> bool:
    return (
        message["id"] in request.get("id", [message["id"]])
        and message["priority"] == request.get("priority", message["priority"])
        and message.get("state") == request.get("state", message.get("state"))
    )


def _names(device: Device, variable: str) -> list[str]:
    return device.get("DisplayMessageCtrlr", variable).split(",")


def _count(device: Device) -> None:
    device.set("DisplayMessageCtrlr", "DisplayMessages", str(len(device.memory.displays)))
