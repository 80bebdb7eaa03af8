"""`ports.Sessions` in memory. Live sessions end with the process; the last epoch of each station is a journaled row.

So is, in the table `known`, that there is such a station.
"""

from collections import defaultdict
from collections.abc import Callable

import msgspec

from csms_ocpp.version import StationId
from csms_platform.ports import Claim, GatewayId, SessionRecord
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
        self._leases: dict[GatewayId, float] = {}

    async def open(self, claim: Claim) -> tuple[SessionRecord, SessionRecord | None]:
        replaced = self._end(claim.identity)
        now = int(self._clock() * 1000)
        record = SessionRecord(
            **msgspec.structs.asdict(claim), epoch=(self._epoch(claim.identity) or max(now - 1, 0)) + 1, since=now
        )
        self._begin(record)
        return record, replaced

    async def resume(self, claim: Claim, epoch: int) -> bool:
        if self._epoch(claim.identity) > epoch:
            return False
        self._end(claim.identity)
        self._begin(SessionRecord(**msgspec.structs.asdict(claim), epoch=epoch, since=int(self._clock() * 1000)))
        return True

    async def release(self, identity: StationId, epoch: int) -> bool:
        return self._epoch(identity) == epoch and self._end(identity) is not None

    async def get(self, identity: StationId) -> SessionRecord | None:
        return self.live(identity)

    def live(self, identity: StationId) -> SessionRecord | None:
        """What `get` answers, for stores that must not wait between asking and changing something."""
        value = self._live.get(identity)
        record = None if value is None else _decode(value)
        return record if record and self._alive(record.gateway) else None

    async def renew(self, gateway: GatewayId, seconds: float) -> bool:
        alive = self._alive(gateway)
        self._leases[gateway] = self._clock() + seconds
        return alive

    async def retire(self, gateway: GatewayId) -> None:
        self._leases.pop(gateway, None)

    async def sweep(self, limit: int = 1000) -> list[SessionRecord]:
        swept: list[SessionRecord] = []
        for gateway in {*self._leases, *self._held}:
            if self._alive(gateway):
                continue
            for identity in list(self._held.get(gateway, ()))[: limit - len(swept)]:
                record = self._end(identity)
                assert record is not None
                swept.append(record)
            if gateway not in self._held:
                self._leases.pop(gateway, None)
        return swept

    def _alive(self, gateway: GatewayId) -> bool:
        return self._leases.get(gateway, 0.0) > self._clock()

    def _epoch(self, identity: StationId) -> int:
        value = self._tables.get("epochs", identity)
        return 0 if value is None else int(value)

    def _begin(self, record: SessionRecord) -> None:
        know(self._tables, record.identity)
        know(self._tables, record.identity)
        self._tables.put("epochs", record.identity, _encode(record.epoch))
        self._live[record.identity] = _encode(record)
        self._held[record.gateway][record.identity] = None

    def _end(self, identity: StationId) -> SessionRecord | None:
        value = self._live.pop(identity, None)
        if value is None:
            return None
        record = _decode(value)
        held = self._held[record.gateway]
        del held[identity]
        if not held:
            del self._held[record.gateway]
        return record
