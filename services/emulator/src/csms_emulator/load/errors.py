"""What went wrong, by kind. What a server sends may become part of a kind, so there are only so many of them."""

from collections import Counter
from collections.abc import Mapping

MOST_KINDS = 50
OTHER = "other errors"


class Errors(Counter[str]):
    """`failed` is how many CALLs were not answered with a CALLRESULT; the other errors are not of a CALL."""

    def __init__(self, counts: Mapping[str, int] | None = None) -> None:
        super().__init__(counts)
        self.failed = 0

    def add(self, kind: str, count: int = 1) -> None:
        self[kind if kind in self or len(self) < MOST_KINDS else OTHER] += count

    def call_failed(self, kind: str) -> None:
        self.failed += 1
        self.add(kind)
