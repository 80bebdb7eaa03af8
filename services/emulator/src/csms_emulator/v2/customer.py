"""What concerns a driver: their data, the cost of their transaction, their battery; and the messages of vendors."""

from csms_emulator.actions import Payload
from csms_emulator.v2.device import Calls, Device

ACCEPTED = {"status": "Accepted"}
REJECTED = {"status": "Rejected"}
NO_DATA = "No customer data stored"
REFERENCES = ("customerIdentifier", "idToken", "customerCertificate")


def customer_information(device: Device, request: Payload, now: float) -> tuple[Payload, Calls]:
    """CustomerInformation. OCPP 2.0.1 N09, N10: one of three references says whose; nobody's data are kept here."""
    references = [name for name in REFERENCES if name in request]
    if len(references) != 1:
        return {"status": "Invalid"}, []
    if not (request["report"] or request["clear"]):
        return REJECTED, []
    told = {"data": NO_DATA, "seqNo": 0, "tbc": False, "generatedAt": device.time(now)}
    # OCPP 2.0.1 N09: the notification follows whether there is something to tell or not; N10: so it does for a clear.
    return ACCEPTED, [("NotifyCustomerInformation", {**told, "requestId": request["requestId"]})]


def cost_updated(device: Device, request: Payload, now: float) -> tuple[Payload, Calls]:
    """CostUpdated: shown to the driver; kept as the last known."""
    device.memory.costs = {request["transactionId"]: request["totalCost"]}
    return {}, []


def data_transfer(device: Device, request: Payload, now: float) -> tuple[Payload, Calls]:
    """DataTransfer: OCPP 2.0.1 P01, no vendor has an implementation here."""
    return {"status": "UnknownVendorId"}, []


def request_battery_swap(device: Device, request: Payload, now: float) -> tuple[Payload, Calls]:
    """RequestBatterySwap (2.1): this station has no batteries to swap."""
    return {**REJECTED, "statusInfo": {"reasonCode": "UnsupportedRequest"}}, []


def notify_web_payment_started(device: Device, request: Payload, now: float) -> tuple[Payload, Calls]:
    """NotifyWebPaymentStarted (2.1)."""
    return {}, []
