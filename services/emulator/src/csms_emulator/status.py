"""The states of a connector, and which occasion leads from which to which: one table.

Only what this emulator can live through is in it; a transition that is missing here is missing in OCPP 1.6 §4.9, too,
or is one of the cells for faults.
"""

from enum import StrEnum


class Status(StrEnum):
    """OCPP 1.6 §7.7 ChargePointStatus, as far as it is lived."""

    AVAILABLE = "Available"
    PREPARING = "Preparing"
    CHARGING = "Charging"
    SUSPENDED_EV = "SuspendedEV"
    FINISHING = "Finishing"
    RESERVED = "Reserved"
    UNAVAILABLE = "Unavailable"


class Occasion(StrEnum):
    """What can happen to a connector."""

    PLUGGED_IN = "plugged in"
    ENERGY_FLOWS = "energy flows"
    CAR_FULL = "car full"
    STOPPED = "stopped"
    UNPLUGGED = "unplugged"
    RESERVED = "reserved"
    RELEASED = "reservation over"
    TAKEN_OUT = "taken out of service"
    BROUGHT_BACK = "brought back into service"


# OCPP 1.6 §4.9, the table of status transitions; its cell names are the comments.
TRANSITIONS: dict[Status, dict[Occasion, Status]] = {
    Status.AVAILABLE: {
        Occasion.PLUGGED_IN: Status.PREPARING,  # A2
        Occasion.RESERVED: Status.RESERVED,  # A7
        Occasion.TAKEN_OUT: Status.UNAVAILABLE,  # A8
    },
    Status.PREPARING: {
        Occasion.UNPLUGGED: Status.AVAILABLE,  # B1
        Occasion.ENERGY_FLOWS: Status.CHARGING,  # B3
    },
    Status.CHARGING: {
        Occasion.CAR_FULL: Status.SUSPENDED_EV,  # C4
        Occasion.STOPPED: Status.FINISHING,  # C6
    },
    Status.SUSPENDED_EV: {
        Occasion.STOPPED: Status.FINISHING,  # D6
    },
    Status.FINISHING: {
        Occasion.UNPLUGGED: Status.AVAILABLE,  # F1
    },
    Status.RESERVED: {
        Occasion.RELEASED: Status.AVAILABLE,  # G1
        Occasion.PLUGGED_IN: Status.PREPARING,  # G2
        Occasion.TAKEN_OUT: Status.UNAVAILABLE,  # G8
    },
    Status.UNAVAILABLE: {
        Occasion.BROUGHT_BACK: Status.AVAILABLE,  # H1
    },
}
