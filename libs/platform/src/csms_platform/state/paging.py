"""How pages of rows in the order of time are cut, the same way by every adapter.

A position is fifteen digits of milliseconds since 1970, a space and a name: text order is the order of time, and no two
rows have the same one. A cursor is a position in a form that may stand in a URL as it is.
"""

import heapq
import re
from base64 import b64decode, urlsafe_b64encode
from bisect import bisect_left, insort
from collections.abc import Iterable

_LATEST = 10**15 - 1
_POSITION = re.compile(r"[0-9]{15} .*", re.DOTALL)


def moment(milliseconds: int) -> str:
    """What every position of that millisecond begins with; a time that does not fit counts as the nearest that does."""
    return f"{min(max(milliseconds, 0), _LATEST):015d}"


def position(milliseconds: int, name: str) -> str:
    """Where the row with this name stands."""
    return f"{moment(milliseconds)} {name}"


def name_at(where: str) -> str:
    """The name in a position."""
    return where[16:]


def cursor(where: str) -> str:
    """The position as opaque text."""
    return urlsafe_b64encode(where.encode()).decode().rstrip("=")


def position_at(cursor: str) -> str:
    """The position in a cursor. Raises `ValueError`, in one sentence, for other text."""
    try:
        where = b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
    except ValueError:
        where = ""
    if not _POSITION.fullmatch(where):
        raise ValueError(f"{cursor!r} is not a cursor that an earlier page came with.")
    return where


def ceiling(until: int | None, after: str) -> str | None:
    """Before which position a page, latest first, begins: at a time, or after a cursor; None: at the end."""
    bounds = [moment(until)] if until is not None else []
    return min([*bounds, position_at(after)] if after else bounds, default=None)


def cut(found: list[str], limit: int) -> tuple[list[str], str]:
    """A page of up to `limit` of `found`, and the cursor of the next page: "" when it has everything."""
    return found[:limit], cursor(found[limit - 1]) if len(found) > limit else ""


def first_after(names: Iterable[str], after: str, limit: int) -> list[str]:
    """The `limit` names that follow `after`, in byte order (which for text in UTF-8 is the order of code points)."""
    return heapq.nsmallest(limit, (name for name in names if name > after))


class Positions:
    """Positions in order. Adding the latest one is cheap; so is cutting a page."""

    def __init__(self, positions: Iterable[str] = ()) -> None:
        self._sorted = sorted(positions)

    def add(self, where: str) -> None:
        """Put it in its place; it is not there yet."""
        insort(self._sorted, where)

    def discard(self, where: str) -> None:
        """Remove it, if it is there."""
        at = bisect_left(self._sorted, where)
        if self._sorted[at : at + 1] == [where]:
            del self._sorted[at]

    def before(self, high: str | None, low: str, limit: int) -> list[str]:
        """The last `limit` positions from `low` to before `high` (None: to the end), latest first."""
        end = len(self._sorted) if high is None else bisect_left(self._sorted, high)
        begin = max(bisect_left(self._sorted, low), end - limit)
        return self._sorted[begin:end][::-1] if begin < end else []

    def after(self, low: str, limit: int) -> list[str]:
        """The first `limit` positions after `low`."""
        begin = bisect_left(self._sorted, low)
        if self._sorted[begin : begin + 1] == [low]:
            begin += 1
        return self._sorted[begin : begin + limit]
