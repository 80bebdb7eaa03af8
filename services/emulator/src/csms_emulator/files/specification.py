"""What a file says about stations, whatever the file's form: a fleet's settings, and what its stations have besides.

Values only: who reads them is `reading.py`, who lives by them is `dressing.py`.
"""

from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from csms_emulator.actions import Payload
from csms_emulator.settings import Settings

# The types that a `station.toml` may name; the reference system's files may hold 2.x's words (cCCS2, sType2), too.
TYPES = frozenset(
    {
        "Schuko",
        "Type1",
        "Type2",
        "Type3",
        "Tesla",
        "NACS",
        "GBT-AC",
        "GBT-DC",
        "CCS1",
        "CCS2",
        "CHAdeMO",
        "ChaoJi",
        "MCS",
    }
)
Drivers = bool | Literal["remote"]
_DIRECT_CURRENT = frozenset({"CCS1", "CCS2", "CHAdeMO", "G105", "ChaoJi", "GBT", "GBT-DC", "MCS"})


class Connector(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A connector as a file names it; `power_kw` and `phases` are None where it is silent. `evse` counts from 1.

    `number` is what the central system calls it, where it is not its place in the list. `meter` is what the register
    shows at the start, in Wh.
    """

    type: Annotated[str, msgspec.Meta(min_length=1, max_length=50)] = "Type2"
    power_kw: Annotated[float, msgspec.Meta(gt=0, le=10_000)] | None = None
    phases: Literal[1, 3] | None = None
    direct: bool | None = None
    evse: Annotated[int, msgspec.Meta(ge=1)] | None = None
    number: Annotated[int, msgspec.Meta(ge=1)] | None = None
    meter: Annotated[float, msgspec.Meta(ge=0)] | None = None

    def __post_init__(self) -> None:
        if self.phases and self.is_direct:
            raise ValueError("phases is for alternating current only")

    @property
    def is_direct(self) -> bool:
        """Whether it charges with direct current: as it says, or else as its type does."""
        return self.type.removeprefix("c") in _DIRECT_CURRENT if self.direct is None else self.direct


class Key(msgspec.Struct, frozen=True):
    """A configuration key, or a variable of 2.x as `Component.Variable`; `readonly`: nobody may change it."""

    name: str
    value: str
    readonly: bool = False


class Nameplate(msgspec.Struct, frozen=True):
    """What a station says about itself in its BootNotification; "" leaves the emulator's word.

    `serial` is a format string over `n`, the station's number in its fleet.
    """

    vendor: str = ""
    model: str = ""
    serial: str = ""
    firmware: str = ""

    def numbered(self, n: int) -> "Nameplate":
        """The nameplate of the fleet's station `n`. Raises `ValueError` for a `serial` that is no such string."""
        try:
            return msgspec.structs.replace(self, serial=self.serial.format(n=n))
        except (ValueError, LookupError) as error:
            raise ValueError(f"serial is a format string over n, such as SN-{{n:05}}: {error!r}") from None


class Specification(msgspec.Struct, frozen=True, kw_only=True):
    """A fleet of like stations, and the file that describes it.

    `answers` are payloads, by command, that are answered whatever the station would do. `connectors` is empty where
    the file gives only their number. `drivers` come by themselves (True), come when a remote start calls them
    ("remote"), or never come: then everything is done by hand (False).
    """

    origin: Path
    settings: Settings
    connectors: tuple[Connector, ...] = ()
    nameplate: Nameplate = Nameplate()
    keys: tuple[Key, ...] = ()
    answers: dict[str, Payload] = {}
    drivers: Drivers = True


def escaped(text: str) -> str:
    """The format string that stands for `text` itself."""
    return text.replace("{", "{{").replace("}", "}}")


def settings_of(origin: Path, fields: dict[str, Any], within: str = "") -> Settings:
    """The fleet's settings; a `ValueError`, with a sentence that begins with the file, where they cannot work."""
    try:
        return msgspec.convert(fields, Settings)
    except ValueError as error:
        raise refused(origin, error, within) from None


def refused(origin: Path, error: Exception | str, within: str = "") -> ValueError:
    """The sentence of an error: the file, the key, the reason. `within` is where the error's own path starts."""
    reason, _, path = str(error).partition(" - at `$")
    where = f"{within}{path.rstrip('`')}".strip(".")
    return ValueError(f"{origin}: {f'{where}: ' if where else ''}{reason}.")
