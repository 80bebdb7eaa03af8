"""`ports.Deliveries` in memory: `spooled/<lane>` and `dead` are journaled rows."""

import msgspec

from csms_platform.ports import DeadLetter
from csms_platform.state.paging import Positions, cut, name_at, position, position_at
from csms_platform.state.tables import Tables

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(DeadLetter).decode


class MemoryDeliveries:
    """See `ports.Deliveries`."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._died = Positions(_position(_decode(value)) for value in tables.all("dead").values())

    async def waits(self, lane: str, id: str, at: int) -> None:
        self._tables.put(f"spooled/{lane}", id, b"%d" % at)

    async def done(self, lane: str, id: str) -> bool:
        waiting = self._tables.all(f"spooled/{lane}")
        if left := waiting.get(id):
            for each, at in waiting.items():
                if each == id or int(at) < int(left):
                    self._tables.drop(f"spooled/{lane}", each)
        return await self.pending(lane)

    async def pending(self, lane: str) -> bool:
        return bool(self._tables.all(f"spooled/{lane}"))

    async def bury(self, letter: DeadLetter) -> None:
        self._unlist(letter.id)
        self._tables.put("dead", letter.id, _encode(letter))
        self._died.add(_position(letter))

    async def dead(self, *, after: str = "", limit: int = 100) -> tuple[list[DeadLetter], str]:
        found, following = cut(self._died.after(position_at(after) if after else "", limit + 1), limit)
        letters = [await self.dead_letter(name_at(where)) for where in found]
        return [letter for letter in letters if letter], following

    async def dead_letter(self, id: str) -> DeadLetter | None:
        value = self._tables.get("dead", id)
        return None if value is None else _decode(value)

    async def discard(self, id: str, died: int | None = None) -> bool:
        letter = await self.dead_letter(id)
        if letter is None or died not in (None, letter.died):
            return False
        self._unlist(id)
        return self._tables.drop("dead", id)

    def _unlist(self, id: str) -> None:
        value = self._tables.get("dead", id)
        if value is not None:
            self._died.discard(_position(_decode(value)))


def _position(letter: DeadLetter) -> str:
    return position(letter.died, letter.id)
