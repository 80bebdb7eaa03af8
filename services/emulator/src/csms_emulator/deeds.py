"""What a person does at a station, or a test: values. `connector` is a connector of 1.x, an EVSE of 2.x.

What cannot be done now changes nothing but the log.
"""

import msgspec


class _Somewhere(msgspec.Struct, frozen=True, tag_field="deed", tag=str.lower):
    connector: int = 1


class Park(_Somewhere, frozen=True):
    """A car drives into the bay."""


class Depart(_Somewhere, frozen=True):
    """The car leaves the bay; first the cable is pulled."""


class Plug(_Somewhere, frozen=True):
    """A car comes and plugs in.

    `vehicle` is what it tells about itself by the cable, its EVCCID or MAC address ("": nothing): a station that knows
    plug and charge presents it instead of a card.
    """

    vehicle: str = ""


class Unplug(_Somewhere, frozen=True):
    """The cable is pulled, which ends a transaction."""


class Swipe(_Somewhere, frozen=True):
    """A card is presented, to begin or to end; before the cable or after it. `kind` is 2.x's type of the idToken."""

    id_tag: str = ""
    kind: str = "ISO14443"


class Fault(_Somewhere, frozen=True):
    """Something breaks; what is broken may break in another way. `error` is an errorCode of OCPP 1.6 §7.6."""

    error: str = "OtherError"


class Clear(_Somewhere, frozen=True):
    """It is mended."""


class PowerCycle(msgspec.Struct, frozen=True, tag_field="deed", tag="powercycle"):
    """The power fails, and comes back; transactions end for "PowerLoss", and are told after the boot."""


class Skew(msgspec.Struct, frozen=True, tag_field="deed", tag="skew"):
    """The clock goes wrong by so many seconds (negative: it is late), until the central system sets it again."""

    seconds: float


PlaceDeed = Park | Depart | Plug | Unplug | Swipe | Fault | Clear
Deed = PlaceDeed | PowerCycle | Skew
