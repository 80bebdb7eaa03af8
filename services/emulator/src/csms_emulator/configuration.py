"""The configuration keys of a station: what they hold, which of them may change, and to what (OCPP 1.6 §9).

A key that nothing behind it obeys is read-only, so that an Accepted always means something.
"""

from collections.abc import Callable

import msgspec

from csms_emulator.actions import Payload
from csms_emulator.certificates16 import MOST_ROOTS
from csms_emulator.charging import ALL_MEASURANDS, ENERGY, MEASURANDS
from csms_emulator.local_list import MOST_ENTRIES, MOST_SENT
from csms_emulator.profiles import MOST_PERIODS, MOST_PROFILES, MOST_STACK_LEVEL

Reader = Callable[[str], str]

LONGEST_NAME = 64  # of an organization in an X.509 certificate


def _number(text: str) -> str:
    return str(_within(text, 0))


def _positive(text: str) -> str:
    return str(_within(text, 1))


def _within(text: str, least: int) -> int:
    number = int(text)
    if not least <= number < 2**31:
        raise ValueError(text)
    return number


def _flag(text: str) -> str:
    if text.lower() not in ("true", "false"):
        raise ValueError(text)
    return text.lower()


def _measurands(text: str) -> str:
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not set(names) <= set(ALL_MEASURANDS):
        raise ValueError(text)
    return ",".join(names)


def _name(text: str) -> str:
    if not 0 < len(text) <= LONGEST_NAME or not text.isprintable():
        raise ValueError(text)
    return text


class _Key(msgspec.Struct, frozen=True):
    name: str
    value: str
    read: Reader | None = None  # None: read-only


FEATURES = "Core,FirmwareManagement,LocalAuthListManagement,Reservation,SmartCharging,RemoteTrigger"

_KEYS = (
    _Key("AllowOfflineTxForUnknownId", "true", _flag),
    _Key("AuthorizationCacheEnabled", "true", _flag),
    _Key("AuthorizeRemoteTxRequests", "false", _flag),
    _Key("CertificateStoreMaxLength", str(MOST_ROOTS)),
    _Key("ChargeProfileMaxStackLevel", str(MOST_STACK_LEVEL)),
    _Key("ChargingScheduleAllowedChargingRateUnit", "Current,Power"),
    _Key("ChargingScheduleMaxPeriods", str(MOST_PERIODS)),
    _Key("ClockAlignedDataInterval", "0", _number),
    _Key("ConnectionTimeOut", "60", _number),
    _Key("ConnectorPhaseRotation", "NotApplicable"),
    _Key("CpoName", "CSMS", _name),
    _Key("GetConfigurationMaxKeys", "50"),
    _Key("HeartbeatInterval", "300", _positive),
    _Key("LocalAuthListEnabled", "true", _flag),
    _Key("LocalAuthListMaxLength", str(MOST_ENTRIES)),
    _Key("LocalAuthorizeOffline", "true", _flag),
    _Key("LocalPreAuthorize", "false", _flag),
    _Key("MaxChargingProfilesInstalled", str(MOST_PROFILES)),
    _Key("MaxEnergyOnInvalidId", "0", _number),
    _Key("MeterValueSampleInterval", "60", _number),
    _Key("MeterValuesAlignedData", ENERGY, _measurands),
    _Key("MeterValuesSampledData", ",".join(MEASURANDS), _measurands),
    _Key("NumberOfConnectors", "1"),
    _Key("ReserveConnectorZeroSupported", "true"),
    _Key("ResetRetries", "0"),
    _Key("SendLocalListMaxLength", str(MOST_SENT)),
    _Key("StopTransactionOnEVSideDisconnect", "true"),
    _Key("StopTransactionOnInvalidId", "true", _flag),
    _Key("StopTxnAlignedData", "", _measurands),
    _Key("StopTxnSampledData", "", _measurands),
    _Key("SupportedFeatureProfiles", FEATURES),
    _Key("SupportedFileTransferProtocols", "FTP,FTPS,HTTP,HTTPS"),
    _Key("TransactionMessageAttempts", "3", _positive),
    _Key("TransactionMessageRetryInterval", "10", _number),
    _Key("UnlockConnectorOnEVSideDisconnect", "true"),
)


class Configuration:
    """The keys of one station. Names are compared without regard to case (in OCPP 1.6 a key is a CiString50Type)."""

    def __init__(self, connectors: int) -> None:
        self._keys = {key.name.lower(): key for key in _KEYS}
        self._values = {key.name: key.value for key in _KEYS}
        self._values["NumberOfConnectors"] = str(connectors)

    def text(self, name: str) -> str:
        """The value of a key."""
        return self._values[name]

    def number(self, name: str) -> int:
        """The value of a key that holds a number; seconds where it is an interval."""
        return int(self._values[name])

    def flag(self, name: str) -> bool:
        """The value of a key that holds a boolean."""
        return self._values[name] == "true"

    def names(self, name: str) -> list[str]:
        """The value of a key that holds a comma-separated list."""
        return [item for item in self._values[name].split(",") if item]

    def set(self, name: str, value: int) -> None:
        """Set a number from within the station."""
        self._values[name] = str(value)

    def change(self, name: str, value: str) -> str:
        """What ChangeConfiguration answers: Accepted, Rejected or NotSupported."""
        key = self._keys.get(name.lower())
        if key is None:
            return "NotSupported"
        if key.read is None:
            return "Rejected"
        try:
            self._values[key.name] = key.read(value)
        except ValueError:
            return "Rejected"
        return "Accepted"

    def report(self, wanted: list[str]) -> Payload:
        """What GetConfiguration answers.

        OCPP 1.6 §5.8: an empty or missing list asks for every key; unrecognized ones come back as `unknownKey`.
        """
        keys = [self._keys[name.lower()] for name in wanted if name.lower() in self._keys] if wanted else [*_KEYS]
        unknown = [name for name in wanted if name.lower() not in self._keys]
        known = [{"key": k.name, "readonly": k.read is None, "value": self._values[k.name]} for k in keys]
        return {"configurationKey": known, **({"unknownKey": unknown} if unknown else {})}
