"""What can be seen of a station from outside: values, the same for all versions."""

import msgspec


class ConnectorView(msgspec.Struct, frozen=True, kw_only=True):
    """A connector of 1.x, an EVSE of 2.x. `status` is in the version's own words.

    `transaction` is its id as text ("": none; "?": begun, and the central system has not named it yet), `id_tag` whose
    it is. `meter` is in Wh, `power` in W, `soc` in percent (None: no car, or it does not tell). `error` is "" when
    nothing is broken. `state` is 2.x's chargingState ("" without a transaction, and in 1.x).
    """

    number: int
    status: str
    state: str = ""
    parked: bool = False
    plugged: bool = False
    transaction: str = ""
    id_tag: str = ""
    meter: int = 0
    power: float = 0.0
    soc: float | None = None
    error: str = ""


class View(msgspec.Struct, frozen=True):
    """`registration` is the last BootNotification's status ("": none yet), `waiting` how many messages are unsent."""

    connected: bool
    registration: str
    waiting: int
    clock: str
    connectors: tuple[ConnectorView, ...]

    def connector(self, number: int) -> ConnectorView:
        """The one with this number. Raises `LookupError`, with a sentence."""
        for one in self.connectors:
            if one.number == number:
                return one
        raise LookupError(f"There is no connector {number}.")
