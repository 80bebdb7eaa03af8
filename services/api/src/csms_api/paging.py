"""Reads what stores hand out page by page, many stations at a time."""

import asyncio
from collections.abc import AsyncIterator
from typing import NamedTuple

from csms_ocpp.version import StationId
from csms_platform.ports import Ports, SessionRecord, Station, Transaction

_PAGE = 500


class Known(NamedTuple):
    """A station: its session, if it is online; its record, if it is registered; and what it told last."""

    identity: StationId
    session: SessionRecord | None
    record: Station | None
    notes: dict[str, bytes]


async def stations(ports: Ports, only: StationId | None = None) -> AsyncIterator[Known]:
    """Every known station, in byte order of the identities; or `only` this one."""
    if only is not None:
        yield await _look_up(ports, only)
        return
    after = ""
    while page := await ports.stations.known(after=after, limit=_PAGE):
        for known in await look_up(ports, page):
            yield known
        after = page[-1]


async def look_up(ports: Ports, identities: list[StationId]) -> list[Known]:
    """These stations; all asked at once, which the stores turn into one question."""
    return await asyncio.gather(*(_look_up(ports, identity) for identity in identities))


async def _look_up(ports: Ports, identity: StationId) -> Known:
    stations = ports.stations
    found = ports.sessions.get(identity), stations.get(identity), stations.recall(identity)
    return Known(identity, *await asyncio.gather(*found))


async def transactions(
    ports: Ports, identity: StationId | None, since: int, until: int | None, limit: int
) -> tuple[list[Transaction], bool]:
    """Up to `limit` transactions, newest first, and whether there are more. Times as in `Transactions.page`."""
    found: list[Transaction] = []
    cursor = ""
    while True:
        room = min(_PAGE, limit - len(found))
        page, cursor = await ports.transactions.page(
            identity=identity, since=since, until=until, after=cursor, limit=room
        )
        found += page
        if not cursor or len(found) >= limit:
            return found, bool(cursor)
