"""`ports.Stations` and `ports.Tags` in memory: `stations`, `known`, `notes/<identity>`, `tags` are journaled rows."""

from collections.abc import Sequence

import msgspec

from csms_ocpp.version import StationId
from csms_platform.ports import Note, Station, Tag
from csms_platform.state.paging import first_after
from csms_platform.state.rules import fold
from csms_platform.state.tables import Tables

_encode = msgspec.json.Encoder().encode
_station = msgspec.json.Decoder(Station).decode
_tag = msgspec.json.Decoder(Tag).decode


def know(tables: Tables, identity: str) -> None:
    """The station exists: `Stations.known` answers it until it is deleted."""
    if tables.get("known", identity) is None:
        tables.put("known", identity, b"1")


class MemoryStations:
    """See `ports.Stations`."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def get(self, identity: StationId) -> Station | None:
        value = self._tables.get("stations", identity)
        return None if value is None else _station(value)

    async def put(self, station: Station) -> None:
        know(self._tables, station.identity)
        self._tables.put("stations", station.identity, _encode(station))

    async def delete(self, identity: StationId) -> bool:
        for field in self._tables.all(f"notes/{identity}"):
            self._tables.drop(f"notes/{identity}", field)
        self._tables.drop("known", identity)
        return self._tables.drop("stations", identity)

    async def note(self, notes: Sequence[Note]) -> None:
        for note in notes:
            if note.field == "boot":
                know(self._tables, note.identity)
            self._tables.put(f"notes/{note.identity}", note.field, bytes(note.value))

    async def recall(self, identity: StationId) -> dict[str, bytes]:
        return self._tables.all(f"notes/{identity}")

    async def forget(self, identity: StationId, fields: Sequence[str]) -> None:
        for field in fields:
            self._tables.drop(f"notes/{identity}", field)

    async def known(self, *, after: str = "", limit: int = 100) -> list[StationId]:
        return [StationId(identity) for identity in first_after(self._tables.all("known"), after, limit)]


class MemoryTags:
    """See `ports.Tags`. Rows are found by the folded id."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def get(self, id: str) -> Tag | None:
        value = self._tables.get("tags", fold(id))
        return None if value is None else _tag(value)

    async def put(self, tag: Tag) -> None:
        self._tables.put("tags", fold(tag.id), _encode(tag))

    async def delete(self, id: str) -> bool:
        return self._tables.drop("tags", fold(id))

    async def page(self, *, after: str = "", limit: int = 100) -> list[Tag]:
        tags = self._tables.all("tags")
        return [_tag(tags[folded]) for folded in first_after(tags, fold(after), limit)]
