"""Tariffs (2.1): the default ones of EVSEs are kept and told; none is computed with."""

from csms_emulator.actions import Payload
from csms_emulator.v2.device import Calls, Device

ACCEPTED = {"status": "Accepted"}
EVERY = 0  # an evseId that means all EVSEs
PRICED = ("energy", "chargingTime", "idleTime", "fixedFee", "reservationTime", "reservationFixed")


def set_default_tariff(device: Device, request: Payload, now: float) -> tuple[Payload, Calls]:
    """SetDefaultTariff. OCPP 2.1 I07: it takes the place of an earlier one, from `validFrom` on."""
    evses = _evses(device, request["evseId"])
    tariff: Payload = request["tariff"]
    if not evses:
        return {"status": "Rejected", "statusInfo": {"reasonCode": "UnknownEvse"}}, []
    if _elements(tariff) > device.number("TariffCostCtrlr", "MaxElements", instance="Tariff"):
        return {"status": "TooManyElements"}, []
    device.memory.tariffs.update(dict.fromkeys(evses, tariff))
    return ACCEPTED, []


def get_tariffs(device: Device, request: Payload, now: float) -> tuple[Payload, Calls]:
    """GetTariffs: default tariffs; a driver's belongs to a transaction, and is not known here."""
    evses = _evses(device, request["evseId"])
    if not evses:
        return {"status": "Rejected", "statusInfo": {"reasonCode": "UnknownEvse"}}, []
    assigned = {n: tariff for n, tariff in device.memory.tariffs.items() if n in evses}
    if not assigned:
        return {"status": "NoTariff"}, []
    by_id = {tariff["tariffId"]: tariff for tariff in assigned.values()}
    return {**ACCEPTED, "tariffAssignments": [_assignment(tariff, assigned) for tariff in by_id.values()]}, []


def clear_tariffs(device: Device, request: Payload, now: float) -> tuple[Payload, Calls]:
    """ClearTariffs: these tariffs, or all; on one EVSE, or on all."""
    evses = _evses(device, request.get("evseId", EVERY))
    held = {t["tariffId"] for n, t in device.memory.tariffs.items() if n in evses}
    wanted = request.get("tariffIds") or sorted(held)
    kept = {n: t for n, t in device.memory.tariffs.items() if n not in evses or t["tariffId"] not in wanted}
    device.memory.tariffs = kept
    results = [{"tariffId": name, "status": "Accepted" if name in held else "NoTariff"} for name in wanted]
    # OCPP 2.1 I09: one result at least, without a tariffId where there was nothing to clear.
    return {"clearTariffsResult": results or [{"status": "NoTariff"}]}, []


def change_transaction_tariff(device: Device, request: Payload, now: float) -> tuple[Payload, Calls]:
    """ChangeTransactionTariff: no transaction here is computed with a tariff, so that none can be changed."""
    return {"status": "TxNotFound"}, []


def _evses(device: Device, wanted: int) -> list[int]:
    return [number for number in range(1, device.evses + 1) if wanted in (EVERY, number)]


def _elements(tariff: Payload) -> int:
    return sum(len(tariff[name]["prices"]) for name in PRICED if name in tariff)


def _assignment(tariff: Payload, assigned: dict[int, Payload]) -> Payload:
    since = {"validFrom": tariff["validFrom"]} if "validFrom" in tariff else {}
    evses = [number for number, other in assigned.items() if other["tariffId"] == tariff["tariffId"]]
    return {"tariffId": tariff["tariffId"], "tariffKind": "DefaultTariff", "evseIds": evses, **since}
