"""The device model of one 2.x station: the values of its variables, and what the central system had it keep.

What a variable is stands in `variables`; this knows what changed since the factory. Nothing here knows the time: it is
told, on the station's clock, and `time` writes it.
"""

from collections.abc import Callable
from datetime import UTC, datetime

from csms_emulator.actions import Payload
from csms_emulator.v2.memory import Memory
from csms_emulator.v2.variables import ACTUAL, Component, Place, Variable, key, layout
from csms_ocpp.version import Version

Calls = list[tuple[str, Payload]]  # action and payload of each, to be sent in this order

_Slot = tuple[Place, tuple[str, str], str]


def utc(now: float) -> str:
    """Seconds since 1970 in the form of the wire."""
    return datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _seconds(text: str) -> float:
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


class Device:
    """A station with `evses` EVSEs of `connectors_per_evse` connectors.

    `time` writes an instant of the station's clock as the wire has it; without one, that clock counts from 1970.
    """

    def __init__(
        self,
        evses: int,
        connectors_per_evse: int,
        *,
        time: Callable[[float], str] = utc,
        version: Version = Version.V2_1,
    ) -> None:
        self.evses = evses
        self.time = time
        self.version = version
        self.memory = Memory()
        self.components = layout(evses, connectors_per_evse)
        self._values: dict[_Slot, str] = {}

    def get(
        self,
        component: str,
        variable: str,
        *,
        evse: int | None = None,
        connector: int | None = None,
        instance: str | None = None,
    ) -> str:
        """The Actual value, "" where there is none yet. Raises `KeyError` when the table has no such variable."""
        at = self._place(component, evse, connector)
        return self.value(self.components[at], self.components[at].variables[key(variable, instance)]) or ""

    def number(
        self,
        component: str,
        variable: str,
        *,
        evse: int | None = None,
        connector: int | None = None,
        instance: str | None = None,
    ) -> int:
        """The Actual value of an integer."""
        return int(self.get(component, variable, evse=evse, connector=connector, instance=instance))

    def flag(
        self,
        component: str,
        variable: str,
        *,
        evse: int | None = None,
        connector: int | None = None,
        instance: str | None = None,
    ) -> bool:
        """The Actual value of a boolean."""
        return self.get(component, variable, evse=evse, connector=connector, instance=instance) == "true"

    def set(
        self,
        component: str,
        variable: str,
        value: str,
        *,
        evse: int | None = None,
        connector: int | None = None,
        instance: str | None = None,
    ) -> None:
        """Set an Actual value from within the station: read-only ones too, limits are not looked at.

        Raises `KeyError` when the table has no such variable.
        """
        at = self._place(component, evse, connector)
        found = self.components[at].variables[key(variable, instance)]
        self.keep(self.components[at], found, value)

    def value(self, component: Component, variable: Variable, attribute: str = ACTUAL) -> str | None:
        """An attribute's value; None when it has none."""
        default = variable.value if attribute == ACTUAL else variable.attributes.get(attribute)
        return self._values.get(_slot(component, variable, attribute), default)

    def keep(self, component: Component, variable: Variable, value: str, attribute: str = ACTUAL) -> None:
        """Set an attribute's value."""
        self._values[_slot(component, variable, attribute)] = value

    def find(self, component: Payload) -> Component | None:
        """The component that a ComponentType names, if there is one at just this place."""
        evse = component.get("evse", {})
        place = (*key(component["name"], component.get("instance")), evse.get("id", 0), evse.get("connectorId", 0))
        return self.components.get(place)

    def adjust(self, now: float) -> None:
        """Set what only a look at the clock can tell, before values are read."""
        self.set("ClockCtrlr", "DateTime", self.time(now))

    def since_1970(self, now: float) -> float:
        """An instant of the station's clock, in seconds since 1970."""
        return _seconds(self.time(now))

    def reached(self, text: str, now: float) -> bool:
        """Whether the wire's time has come; UTC without a zone. What is no time (a leap second) is long past."""
        try:
            return _seconds(text) <= self.since_1970(now)
        except ValueError:
            return True

    def _place(self, component: str, evse: int | None, connector: int | None) -> Place:
        return (*key(component, None), evse or 0, connector or 0)


def _slot(component: Component, variable: Variable, attribute: str) -> _Slot:
    place = (*key(component.name, None), component.evse, component.connector)
    return place, key(variable.name, variable.instance), attribute
