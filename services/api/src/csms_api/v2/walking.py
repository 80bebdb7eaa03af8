"""Pages of stations and transactions that pass a filter, with bounded work for each request."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from csms_api.v2 import shapes, views
from csms_ocpp.version import StationId
from csms_platform.ports import Ports, SessionRecord, Station, Transaction

_CHUNK = 500
_MOST_LOOKED_AT = 5000
_MOST_ROUNDS = 20

Looked = tuple[Station | None, SessionRecord | None]


class StationFilter(NamedTuple):
    """What a station must be; None or "": anything."""

    online: bool | None = None
    account: str = ""
    prefix: str = ""

    @property
    def is_picky(self) -> bool:
        """Whether it leaves out any of those with the prefix."""
        return self.online is not None or bool(self.account)

    def takes(self, looked: Looked) -> bool:
        """Whether a station with this record and session is one."""
        record, session = looked
        if self.online is not None and self.online is not (session is not None):
            return False
        account = (record.account if record else "") or (session.account if session else "")
        return not self.account or account == self.account


async def stations(
    ports: Ports, wanted: StationFilter, after: str, limit: int, now: float
) -> tuple[list[shapes.Station], str]:
    """Up to `limit` stations after `after`, and where the next page begins: "" at the end.

    Looks at 5,000 at most, so that a page may be short and have a next one.
    """
    found: list[tuple[StationId, Looked]] = []
    at, looked_at, more = max(after, _below(wanted.prefix)), 0, True
    while more and len(found) < limit and looked_at < _MOST_LOOKED_AT:
        size = _CHUNK if wanted.is_picky else min(_CHUNK, limit + 1 - len(found))
        known = await ports.stations.known(after=at, limit=size)
        chunk = [identity for identity in known if identity.startswith(wanted.prefix)]
        more = len(chunk) == size
        for identity, looked in zip(chunk, await asyncio.gather(*[_look(ports, one) for one in chunk]), strict=True):
            if len(found) == limit:
                more = True
                break
            at, looked_at = identity, looked_at + 1
            if wanted.takes(looked):
                found.append((identity, looked))
    shown = await asyncio.gather(*[_show(ports, identity, looked, now) for identity, looked in found])
    return shown, at if more else ""


async def station(ports: Ports, identity: StationId, now: float) -> shapes.Station | None:
    """One station; None when nobody knows it."""
    looked, notes = await asyncio.gather(_look(ports, identity), ports.stations.recall(identity))
    if not (any(looked) or notes):
        return None
    return views.station(identity, *looked, notes, now)


async def transactions(
    page: Callable[[str, int], Awaitable[tuple[list[Transaction], str]]],
    takes: Callable[[Transaction], bool],
    after: str,
    limit: int,
) -> tuple[list[Transaction], str]:
    """Up to `limit` of those that `takes` takes, and the next cursor; `page(after, limit)` gets them from the store.

    Looks at 20 pages at most, so that a page may be short and have a next one.
    """
    found: list[Transaction] = []
    for _ in range(_MOST_ROUNDS):
        records, after = await page(after, limit - len(found))
        found += filter(takes, records)
        if not after or len(found) == limit:
            break
    return found, after


async def _look(ports: Ports, identity: StationId) -> Looked:
    return await asyncio.gather(ports.stations.get(identity), ports.sessions.get(identity))


async def _show(ports: Ports, identity: StationId, looked: Looked, now: float) -> shapes.Station:
    return views.station(identity, *looked, await ports.stations.recall(identity), now)


def _below(prefix: str) -> str:
    """A text after which, among printable ones, the first with this prefix comes."""
    if not prefix:
        return ""
    before = prefix[:-1] + chr(ord(prefix[-1]) - 1) if prefix[-1] != "\0" else prefix[:-1]
    return before + "\U0010ffff"
