"""TxStartPoint and TxStopPoint: what is so at an EVSE, and what a transaction begins and ends with.

DataSigned is never so: the meters here sign nothing.
"""

PARKED = "ParkingBayOccupancy"
CONNECTED = "EVConnected"
AUTHORIZED = "Authorized"
CLOSED = "PowerPathClosed"
FLOWS = "EnergyTransfer"

_REAL = frozenset({PARKED, CONNECTED, AUTHORIZED, CLOSED, FLOWS})
_AFTER_THE_CABLE = {AUTHORIZED, CLOSED, FLOWS}


def holding(*, parked: bool, connected: bool, authorized: bool, flows: bool) -> frozenset[str]:
    """The points that are so now."""
    # OCPP 2.0.1 TxStartPoint: PowerPathClosed is "the logical AND of EVConnected and Authorized".
    closed = connected and authorized
    facts = {PARKED: parked, CONNECTED: connected, AUTHORIZED: authorized, CLOSED: closed, FLOWS: flows}
    return frozenset(name for name, fact in facts.items() if fact)


def real(names: list[str]) -> frozenset[str]:
    """Of a variable's points those that can be so. Where there are none, the cable and the card decide."""
    return _REAL.intersection(names) or frozenset({CLOSED})


def wait_for_a_card(names: frozenset[str]) -> bool:
    """Whether a transaction may begin after the cable is in."""
    return bool(names & _AFTER_THE_CABLE)
