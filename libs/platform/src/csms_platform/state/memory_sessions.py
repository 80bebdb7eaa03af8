"""`ports.Sessions` in memory. Live sessions end with the process; the last epoch of each station is a journaled row.

So is, in the table `known`, that there is such a station.
"""

from collections import defaultdict
from collections.abc import Callable
from itertools import islice

import msgspec

from csms_ocpp.version import StationId
from csms_platform.ports import Claim, GatewayId, SessionRecord, without_connection
from csms_platform.state.memory_leases import MemoryLeases
from csms_platform.state.memory_stations import know
from csms_platform.state.tables import Tables

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(SessionRecord).decode


class MemorySessions:
    """See `ports.Sessions`. A gateway that never renewed has no lease: its sessions count as expired at once.

    A station's first epoch is the time in milliseconds, so that it is higher than any that an earlier process gave,
    journal or not.
    """

    def __init__(self, tables: Tables, clock: Callable[[], float]) -> None:
        self._tables = tables
        self._clock = clock
        self._live: dict[StationId, bytes] = {}
        self._held: defaultdict[GatewayId, dict[StationId, None]] = defaultdict(dict)
        self._leases = MemoryLeases(clock)

    async def open(self, claim: Claim) -> tuple[SessionRecord, SessionRecord | None]:
        now = int(self._clock() * 1000)
        epoch = (self._epoch(claim.identity) or max(now - 1, 0)) + 1
        record = SessionRecord(**msgspec.structs.asdict(claim), epoch=epoch, since=now)
        return record, self._begin(record)

    async def resume(self, claim: Claim, epoch: int) -> bool:
        if self._epoch(claim.identity) > epoch:
            return False
        self._begin(SessionRecord(**msgspec.structs.asdict(claim), epoch=epoch, since=int(self._clock() * 1000)))
        return True

    async def release(self, identity: StationId, epoch: int) -> bool:
        if self._epoch(identity) != epoch:
            return False
        return self._end(identity, None) is not None

    async def get(self, identity: StationId) -> SessionRecord | None:
        return self.live(identity)

    def live(self, identity: StationId) -> SessionRecord | None:
        """What `get` answers, for stores that must not wait between asking and changing something."""
        value = self._live.get(identity)
        record = None if value is None else _decode(value)
        return record if record and self._leases.lives(record.gateway) else None

    async def renew(self, gateway: GatewayId, seconds: float) -> bool:
        lived = self._leases.lives(gateway)
        self._leases.renew(gateway, seconds)
        return lived

    async def retire(self, gateway: GatewayId) -> None:
        self._leases.end(gateway)

    async def sweep(self, limit: int = 1000) -> list[SessionRecord]:
        swept: list[SessionRecord] = []
        for gateway in self._leases.ended():
            identities = list(islice(self._held.get(gateway, ()), limit - len(swept)))
            swept += [record for identity in identities if (record := self._end(identity, None))]
            if gateway in self._held:
                self._leases.end(gateway)
            else:
                self._leases.drop(gateway)
            if len(swept) >= limit:
                break
        return swept

    def _epoch(self, identity: StationId) -> int:
        value = self._tables.get("epochs", identity)
        return 0 if value is None else int(value)

    def _begin(self, record: SessionRecord) -> SessionRecord | None:
        """Make it the station's session; answers the one it replaced."""
        replaced = self._end(record.identity, record.gateway)
        know(self._tables, record.identity)
        self._tables.put("epochs", record.identity, _encode(record.epoch))
        self._live[record.identity] = _encode(record)
        self._held[record.gateway][record.identity] = None
        self._leases.expect(record.gateway)
        return replaced

    def _end(self, identity: StationId, following: GatewayId | None) -> SessionRecord | None:
        """End the station's session, if there is one; `following` is the gateway of the next one."""
        value = self._live.pop(identity, None)
        if value is None:
            return None
        record = _decode(value)
        held = self._held[record.gateway]
        del held[identity]
        if not held:
            del self._held[record.gateway]
        if record.gateway == without_connection(identity) != following:
            self._leases.drop(record.gateway)
        return record
