"""What goes out on a WebSocket while something is wrong: outgoing texts and the time they take. Pure.

Everything that comes in must be `heard`, so that an answer's action is known; `connected` begins a conversation.
"""

from itertools import count
from typing import assert_never
from uuid import uuid4

import msgspec
from msgspec.structs import replace

from csms_emulator.faults.answers import Answers, Fate
from csms_emulator.faults.troubles import (
    AnswerTrouble,
    HalfOpen,
    Malformed,
    Raw,
    RestartingIds,
    Sentence,
    SlowReader,
    TwoCalls,
)
from csms_emulator.faults.wrong import MALFORMED, Layer, Piece
from csms_ocpp import frames
from csms_ocpp.frames import MAX_MESSAGE_ID, Call, CallError, CallResult
from csms_ocpp.version import Dialect, MessageId

MOST_REMEMBERED = 1000  # CALLs that the central system has not been answered

Lasting = HalfOpen | SlowReader | RestartingIds | AnswerTrouble

_encode = msgspec.json.Encoder().encode


class Speech:
    """One station's, on one connection after the other. `half_open` and `pause` (seconds, before each reading) too."""

    def __init__(self, dialect: Dialect) -> None:
        self.half_open = False
        self.pause = 0.0
        self._dialect = dialect
        self._answers = Answers()
        self._asked: dict[str, str] = {}
        self._restarting = False
        self._numbers = count(1)

    # --- the troubles -------------------------------------------------------------------------------------------------

    def begin(self, trouble: Lasting) -> None:
        """It begins, or begins anew."""
        match trouble:
            case HalfOpen():
                self.half_open = True
            case SlowReader():
                self.pause = trouble.pause
            case RestartingIds():
                self._restarting = True
            case _:
                self._answers.begin(trouble)

    def end(self) -> None:
        """All of them end."""
        self.half_open, self.pause, self._restarting = False, 0.0, False
        self._answers.end()
        self._asked.clear()

    def connected(self) -> None:
        """A new connection: what was wrong with the old socket is over."""
        self.half_open = False
        self._asked.clear()
        self._numbers = count(1)

    # --- what is said -------------------------------------------------------------------------------------------------

    def new_id(self) -> str:
        """The id of the station's next CALL."""
        return str(next(self._numbers)) if self._restarting else str(uuid4())

    def heard(self, text: str) -> None:
        """The central system says this."""
        if self._answers and isinstance(call := frames.decode(text, self._dialect), Call):
            self._asked[call.unique_id] = call.action
            if len(self._asked) > MOST_REMEMBERED:
                del self._asked[next(iter(self._asked))]

    def said(self, text: bytes) -> list[tuple[float, bytes]]:
        """What goes out for this text, and in how many seconds."""
        if not self._asked:
            return [(0.0, text)]
        frame = frames.decode(text, self._dialect)
        if not isinstance(frame, CallResult | CallError) or frame.unique_id not in self._asked:
            return [(0.0, text)]
        fate = self._answers.fate(self._asked.pop(frame.unique_id))
        return [(delay, _spoilt(frame, fate)) for delay in fate.delays]

    def sentence(self, sentence: Sentence) -> list[Piece]:
        """What goes out for something that is said once."""
        match sentence:
            case Malformed():
                return [MALFORMED[sentence.kind]]
            case Raw():
                return [Piece(sentence.binary, Layer.BINARY) if sentence.binary else Piece(sentence.text.encode())]
            case TwoCalls():
                first = self._call(sentence)
                return [first, first if sentence.same_id else self._call(sentence)]
            case _:
                assert_never(sentence)

    def _call(self, wanted: TwoCalls) -> Piece:
        payload = msgspec.Raw(_encode(wanted.payload))
        return Piece(frames.encode(Call(MessageId(self.new_id()), wanted.action, payload)))


def _spoilt(frame: CallResult | CallError, fate: Fate) -> bytes:
    if fate.wrong_id:
        frame = replace(frame, unique_id=f"not-{frame.unique_id}"[:MAX_MESSAGE_ID])
    text = frames.encode(frame)
    return text[: len(text) // 2] if fate.garbled else text
