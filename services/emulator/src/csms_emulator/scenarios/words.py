"""The words of a sentence in a scenario, one after the other, each with its column."""

import re
from typing import Literal

import msgspec

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
      | (?P<word>-?\d+\.\d+\w*|-?\w+(?:-\w+)*)
      | (?P<sign>==|!=|<=|>=|[<>()\[\],.$*])
    )""",
    re.VERBOSE,
)
_ESCAPED = re.compile(r"\\(.)")

Kind = Literal["text", "word", "sign", "end"]


class WordsError(ValueError):
    """A sentence that makes no sense; `column` counts from 1."""

    def __init__(self, reason: str, column: int) -> None:
        super().__init__(f"{reason} (column {column})")
        self.column = column


class Token(msgspec.Struct, frozen=True):
    """A word, a sign, or what stands between quotes; "end" is after the last."""

    kind: Kind
    said: str
    column: int

    def __str__(self) -> str:
        """As an error names it."""
        return "the end" if self.kind == "end" else repr(self.said)


class Words:
    """A sentence from its beginning on; `peek` is the next of it."""

    def __init__(self, sentence: str) -> None:
        self._tokens = _tokens(sentence)
        self._place = 0

    @property
    def peek(self) -> Token:
        """What comes next; the end again and again."""
        return self._tokens[self._place]

    def next(self) -> Token:
        """What comes next; it is behind us then."""
        token = self.peek
        self._place = min(self._place + 1, len(self._tokens) - 1)
        return token

    def takes(self, *said: str) -> str:
        """The next word or sign if it is one of these, which is behind us then; otherwise ""."""
        token = self.peek
        return self.next().said if token.kind in ("word", "sign") and token.said in said else ""

    def wants(self, said: str) -> None:
        """This is next. Raises `WordsError`."""
        if not self.takes(said):
            raise self.refused(f"{said!r} is wanted")

    def word(self, what: str) -> Token:
        """The next one, which is a word. Raises `WordsError`."""
        if self.peek.kind != "word":
            raise self.refused(f"{what} is wanted")
        return self.next()

    def ends(self) -> None:
        """There is no more of it. Raises `WordsError`."""
        if self.peek.kind != "end":
            raise self.refused("nothing more is wanted")

    def refused(self, wanted: str) -> WordsError:
        """The error: this is wanted, and something else is there."""
        return WordsError(f"{wanted}, not {self.peek}", self.peek.column)


def _tokens(sentence: str) -> list[Token]:
    found, place, end = [], 0, len(sentence.rstrip())
    while place < end:
        match = _TOKEN.match(sentence, place)
        if match is None:
            column = place + len(sentence[place:]) - len(sentence[place:].lstrip()) + 1
            raise WordsError(f"{sentence[column - 1]!r} is not understood", column)
        found.append(_token(match))
        place = match.end()
    return [*found, Token("end", "", end + 1)]


def _token(match: re.Match[str]) -> Token:
    kind: Kind = "text" if match["text"] else "word" if match["word"] else "sign"
    said, column = match[kind], match.start(kind) + 1
    return Token(kind, _ESCAPED.sub(r"\1", said[1:-1]) if kind == "text" else said, column)
