"""The states of a connector, and which occasion leads from which to which: one table.

Only what this emulator can live through is in it; a transition that is missing here is missing in OCPP 1.6 §4.9, too,
or leads to or from Faulted: a fault comes at any time, and what was before it is there again after it.
"""

from enum import StrEnum


class Status(StrEnum):
    """OCPP 1.6 §7.7 ChargePointStatus, as far as it is lived."""

    AVAILABLE = "Available"
    PREPARING = "Preparing"
    CHARGING = "Charging"
    SUSPENDED_EV = "SuspendedEV"
    SUSPENDED_EVSE = "SuspendedEVSE"
    FINISHING = "Finishing"
    RESERVED = "Reserved"
    UNAVAILABLE = "Unavailable"
    FAULTED = "Faulted"


class Occasion(StrEnum):
    """What can happen to a connector."""

    PLUGGED_IN = "plugged in"
    CARD_SHOWN = "card shown"
    ENERGY_FLOWS = "energy flows"
    CAR_FULL = "car full"
    WITHHELD = "energy withheld"
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
        Occasion.CARD_SHOWN: Status.PREPARING,  # A2
        Occasion.RESERVED: Status.RESERVED,  # A7
        Occasion.TAKEN_OUT: Status.UNAVAILABLE,  # A8
    },
    Status.PREPARING: {
        Occasion.UNPLUGGED: Status.AVAILABLE,  # B1
        Occasion.ENERGY_FLOWS: Status.CHARGING,  # B3
    },
    Status.CHARGING: {
        Occasion.CAR_FULL: Status.SUSPENDED_EV,  # C4
        Occasion.WITHHELD: Status.SUSPENDED_EVSE,  # C5
        Occasion.STOPPED: Status.FINISHING,  # C6
    },
    Status.SUSPENDED_EV: {
        Occasion.STOPPED: Status.FINISHING,  # D6
    },
    Status.SUSPENDED_EVSE: {
        Occasion.ENERGY_FLOWS: Status.CHARGING,  # E3
        Occasion.STOPPED: Status.FINISHING,  # E6
    },
    Status.FINISHING: {
        Occasion.CARD_SHOWN: Status.PREPARING,  # F2
        Occasion.UNPLUGGED: Status.AVAILABLE,  # F1
    },
    Status.RESERVED: {
        Occasion.RELEASED: Status.AVAILABLE,  # G1
        Occasion.PLUGGED_IN: Status.PREPARING,  # G2
        Occasion.CARD_SHOWN: Status.PREPARING,  # G2
        Occasion.TAKEN_OUT: Status.UNAVAILABLE,  # G8
    },
    Status.UNAVAILABLE: {
        Occasion.BROUGHT_BACK: Status.AVAILABLE,  # H1
    },
}
