"""Troubles are values that REST and scenarios can write."""

import msgspec
import pytest

from csms_emulator.faults import troubles
from csms_emulator.faults.troubles import (
    HalfOpen,
    Malformed,
    NoAnswers,
    Raw,
    RestartingIds,
    SlowReader,
    Storm,
    SuddenDeath,
    Trouble,
    TwoCalls,
)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ({"trouble": "halfopen"}, HalfOpen()),
        ({"trouble": "slowreader", "pause": 0.5}, SlowReader(0.5)),
        ({"trouble": "suddendeath", "after": 2, "returns": False}, SuddenDeath(2.0, False)),
        ({"trouble": "storm", "times": 3}, Storm(3)),
        ({"trouble": "noanswers", "action": "Reset", "count": 1}, NoAnswers("Reset", 1)),
        ({"trouble": "restartingids"}, RestartingIds()),
        ({"trouble": "malformed", "kind": "not-json"}, Malformed("not-json")),
        ({"trouble": "raw", "binary": "AAE="}, Raw(binary=b"\x00\x01")),
        ({"trouble": "twocalls", "same_id": True}, TwoCalls(same_id=True)),
    ],
)
def test_a_trouble_is_read_by_its_name_and_written_the_same(written: dict[str, object], meant: Trouble) -> None:
    read = msgspec.convert(written, Trouble)
    again = msgspec.json.decode(msgspec.json.encode(read), type=Trouble)

    assert (read, again) == (meant, meant)


def test_every_trouble_has_a_name_of_its_own() -> None:
    names = [one.__struct_config__.tag for one in Trouble.__args__]

    assert len(set(names)) == len(names)
    assert all(hasattr(troubles, one.__name__) for one in Trouble.__args__)


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        ({"trouble": "malformed", "kind": "rude"}, "'rude' is no kind of malformed message."),
        ({"trouble": "slowreader", "pause": -1}, "pause is -1, which is less than 0 or has no end."),
        ({"trouble": "suddendeath", "after": float("inf")}, "after is inf, which is less than 0 or has no end."),
        ({"trouble": "storm", "times": 0}, "times is 0, which is less than 1 or has no end."),
        ({"trouble": "storm", "every": 0.01}, "every is 0.01, which is less than 0.1 or has no end."),
        ({"trouble": "slowanswers", "seconds": float("nan")}, "seconds is nan, which is less than 0 or has no end."),
    ],
)
def test_what_can_never_be_is_refused_with_a_sentence(written: dict[str, object], sentence: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=r".") as refusal:
        msgspec.convert(written, Trouble)

    assert str(refusal.value) == sentence
