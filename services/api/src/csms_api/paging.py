"""Reads what stores hand out page by page, many stations at a time."""

import asyncio
from collections.abc import AsyncIterator

from csms_ocpp.version import StationId
from csms_platform.ports import Ports, SessionRecord, Transaction

_PAGE = 500

Known = tuple[StationId, SessionRecord | None, dict[str, bytes]]


async def stations(ports: Ports, only: StationId | None = None) -> AsyncIterator[Known]:
    """Every known station with its session and notes, in byte order of the identities; or `only` this one."""
    if only is not None:
        yield await _look_up(ports, only)
        return
    after = ""
    while page := await ports.stations.known(after=after, limit=_PAGE):
        for known in await look_up(ports, page):
            yield known
        after = page[-1]


async def look_up(ports: Ports, identities: list[StationId]) -> list[Known]:
    """These stations with their sessions and notes; all asked at once, which the stores turn into one question."""
    return await asyncio.gather(*(_look_up(ports, identity) for identity in identities))


async def _look_up(ports: Ports, identity: StationId) -> Known:
    session, notes = await asyncio.gather(ports.sessions.get(identity), ports.stations.recall(identity))
    return identity, session, notes


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
