"""`expect`, `never` and `wait`: the sentences of a step, in the order in which one says them."""

from typing import get_args

import msgspec

from csms_emulator.messages import Kind, Sender
from csms_emulator.scenarios.conditions import Condition, condition
from csms_emulator.scenarios.durations import next_span
from csms_emulator.scenarios.words import Words

WITHIN = 10.0  # seconds
LISTENS = 1.0  # seconds, for `never`


class Expectation(msgspec.Struct, frozen=True):
    """A message: `StopTransaction [call] [from station] within 5s where reason == Remote`."""

    action: str
    kind: Kind = "call"
    sender: Sender | None = None
    within: float = WITHIN
    where: Condition | None = None


class Wait(msgspec.Struct, frozen=True):
    """A condition of what is seen: `status == Charging within 10s`."""

    condition: Condition
    within: float = WITHIN


def expectation(sentence: str, within: float = WITHIN) -> Expectation:
    """What is expected; `within` where the sentence is silent. Raises `WordsError`."""
    words = Words(sentence)
    action = words.word("an action, such as StopTransaction,").said
    kind: Kind = next((kind for kind in get_args(Kind) if words.takes(kind)), "call")
    sender: Sender | None = None
    if words.takes("from"):
        sender = next((one for one in get_args(Sender) if words.takes(one)), None)
        if sender is None:
            raise words.refused("station or csms is wanted")
    within = next_span(words) if words.takes("within") else within
    where = condition(words) if words.takes("where") else None
    words.ends()
    return Expectation(action, kind, sender, within, where)


def wait(sentence: str) -> Wait:
    """What is waited for. Raises `WordsError`."""
    words = Words(sentence)
    wanted = condition(words)
    within = next_span(words) if words.takes("within") else WITHIN
    words.ends()
    return Wait(wanted, within)
