"""Who a station says it is: its BootNotification with the file's vendor, model, serial number and firmware."""

import msgspec

from csms_emulator.actions import Action, Ask, Payload
from csms_emulator.behaviour import Behaviour
from csms_emulator.files.specification import Nameplate
from csms_emulator.files.wrapper import Wrapper, encode
from csms_ocpp import schemas
from csms_ocpp.errors import Violation
from csms_ocpp.version import Version

_V1 = {
    "vendor": "chargePointVendor",
    "model": "chargePointModel",
    "serial": "chargePointSerialNumber",
    "firmware": "firmwareVersion",
}
_V2 = {"vendor": "vendorName", "model": "model", "serial": "serialNumber", "firmware": "firmwareVersion"}
_PLAIN: tuple[Payload, ...] = (
    {"chargePointVendor": "-", "chargePointModel": "-"},
    {"reason": "PowerUp", "chargingStation": {"vendorName": "-", "model": "-"}},
)


class Station(Wrapper):
    """`inner`, whose BootNotification bears `nameplate`; but for the firmware, once there is another."""

    def __init__(self, inner: Behaviour, nameplate: Nameplate) -> None:
        super().__init__(inner)
        self._nameplate = nameplate
        self._factory: str | None = None

    def said(self, actions: list[Action]) -> list[Action]:
        """Everything as it is, but for the boot."""
        return [self._engraved(a) if isinstance(a, Ask) and a.action == "BootNotification" else a for a in actions]

    def _engraved(self, ask: Ask) -> Ask:
        version = ask.payload.get("chargingStation", ask.payload).get("firmwareVersion")
        self._factory = self._factory or version
        installed = {} if version == self._factory else {"firmware": ""}
        nameplate = msgspec.structs.replace(self._nameplate, **installed)
        return Ask(ask.action, engraved(ask.payload, nameplate), ask.number)


def engraved(boot: Payload, nameplate: Nameplate) -> Payload:
    """A BootNotification's payload with what the nameplate says; 2.x keeps that under `chargingStation`."""
    if "chargingStation" in boot:
        return {**boot, "chargingStation": {**boot["chargingStation"], **_words(_V2, nameplate)}}
    return {**boot, **_words(_V1, nameplate)}


def check(nameplate: Nameplate, version: Version) -> Violation | None:
    """Why a BootNotification of this version cannot bear the nameplate, or None."""
    schema = schemas.table(version)["BootNotification", schemas.REQUEST]
    plain = next(boot for boot in _PLAIN if not schema.check(encode(boot)))
    return schema.check(encode(engraved(plain, nameplate)))


def _words(names: dict[str, str], nameplate: Nameplate) -> dict[str, str]:
    said = msgspec.structs.asdict(nameplate)
    return {names[field]: value for field, value in said.items() if value}
