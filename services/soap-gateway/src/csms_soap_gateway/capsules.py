"""What the router last said about stations: with it their next calls need no admission, for as long as it is fresh."""

import hashlib
import secrets
from collections import OrderedDict

import msgspec

from csms_ocpp.version import Version
from csms_platform.envelope import Capsule, ConnectRequest

_encode = msgspec.msgpack.Encoder().encode
_KEY = secrets.token_bytes(32)


def seal_of(arrival: ConnectRequest, version: Version) -> bytes:
    """A digest of all that the router decides on, so that nothing here remembers a password."""
    return hashlib.blake2b(_encode((version.value, arrival)), key=_KEY, digest_size=16).digest()


class Capsules:
    """The capsules of the `most` stations that were heard of last, each with the seal of what it was given for."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._known: OrderedDict[str, tuple[bytes, Capsule]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._known)

    def of(self, identity: str, seal: bytes) -> Capsule | None:
        """The station's capsule, fresh or not, if it was given for just this."""
        known = self._known.get(identity)
        return known[1] if known and known[0] == seal else None

    def fresh(self, identity: str, seal: bytes, now: int) -> Capsule | None:
        """The same if it may still be sent instead of the arrival at `now` (milliseconds since 1970)."""
        capsule = self.of(identity, seal)
        return capsule if capsule is not None and capsule.fresh_until > now else None

    def keep(self, identity: str, seal: bytes, capsule: Capsule) -> None:
        """The router has given this capsule. Answers may overtake each other: that of an older session is not kept."""
        known = self._known.get(identity)
        # A store that was emptied counts from 1 again: an epoch alone does not tell which is older.
        if known and known[1].epoch > capsule.epoch and known[1].fresh_until >= capsule.fresh_until:
            return
        self._known[identity] = seal, capsule
        self._known.move_to_end(identity)
        if len(self._known) > self._most:
            self._known.popitem(last=False)

    def forget(self, identity: str) -> None:
        """What is known about this station is no longer so."""
        self._known.pop(identity, None)
