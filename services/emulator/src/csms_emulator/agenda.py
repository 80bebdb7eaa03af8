"""The instants at which a station has something to do: one entry per occasion and connector, on the caller's clock."""

Entry = tuple[str, int]


class Agenda:
    """Entries are (occasion, connector); setting one again moves it."""

    __slots__ = ("_entries",)

    def __init__(self) -> None:
        self._entries: dict[Entry, float] = {}

    @property
    def timer(self) -> float | None:
        """When the first entry is due; None when there is none."""
        return min(self._entries.values(), default=None)

    def set(self, at: float, occasion: str, connector: int = 0) -> None:
        """Enter the occasion, or move it."""
        self._entries[occasion, connector] = at

    def cancel(self, occasion: str, connector: int = 0) -> None:
        """Take the occasion out, if it is there."""
        self._entries.pop((occasion, connector), None)

    def clear(self) -> None:
        """Take everything out."""
        self._entries.clear()

    def __contains__(self, entry: Entry) -> bool:
        """Whether this occasion is entered."""
        return entry in self._entries

    def take_due(self, now: float) -> Entry | None:
        """The earliest entry that is due, taken out; None when none is."""
        if not self._entries:
            return None
        entry = min(self._entries, key=self._entries.__getitem__)
        if self._entries[entry] > now:
            return None
        del self._entries[entry]
        return entry
