"""What goes out on a WebSocket while something is wrong, and when."""

import json

import pytest

from csms_emulator.faults.speech import MOST_REMEMBERED, Speech
from csms_emulator.faults.troubles import (
    GarbledAnswers,
    HalfOpen,
    Malformed,
    NoAnswers,
    Raw,
    RestartingIds,
    SlowAnswers,
    SlowReader,
    TwiceAnswered,
    TwoCalls,
    WrongIds,
)
from csms_emulator.faults.wrong import MALFORMED, Layer, Piece
from csms_ocpp.frames import MAX_MESSAGE_ID
from csms_ocpp.version import DIALECTS, Version

ASKED = '[2,"7","ClearCache",{}]'
ANSWER = b'[3,"7",{"status":"Accepted"}]'
CALL = b'[2,"1","Heartbeat",{}]'


def asked(*troubles: SlowAnswers | NoAnswers | TwiceAnswered | WrongIds | GarbledAnswers, call: str = ASKED) -> Speech:
    """With these troubles, and then a CALL of the central system."""
    speech = Speech(DIALECTS[Version.V1_6])
    for trouble in troubles:
        speech.begin(trouble)
    speech.heard(call)
    return speech


def test_a_sound_station_says_what_it_says() -> None:
    assert asked().said(ANSWER) == [(0.0, ANSWER)]


def test_a_late_answer_does_not_delay_what_the_station_asks() -> None:
    speech = asked(SlowAnswers(seconds=4.0))

    assert (speech.said(CALL), speech.said(ANSWER)) == ([(0.0, CALL)], [(4.0, ANSWER)])


def test_a_missing_answer_does_not_go_out_and_the_next_does() -> None:
    speech = asked(NoAnswers(count=1))
    lost = speech.said(ANSWER)
    speech.heard(ASKED)

    assert (lost, speech.said(ANSWER)) == ([], [(0.0, ANSWER)])


def test_an_answer_goes_out_twice() -> None:
    assert asked(TwiceAnswered(after=1.5)).said(ANSWER) == [(0.0, ANSWER), (1.5, ANSWER)]


def test_an_answer_carries_an_id_that_nobody_has_given() -> None:
    assert asked(WrongIds()).said(ANSWER) == [(0.0, b'[3,"not-7",{"status":"Accepted"}]')]


def test_a_wrong_id_is_no_longer_than_an_id_may_be() -> None:
    unique_id = "7" * MAX_MESSAGE_ID
    speech = asked(WrongIds(), call=ASKED.replace('"7"', f'"{unique_id}"'))
    [(_, text)] = speech.said(ANSWER.replace(b'"7"', f'"{unique_id}"'.encode()))

    assert json.loads(text)[1] == f"not-{unique_id}"[:MAX_MESSAGE_ID] != unique_id


def test_an_answer_stops_in_the_middle() -> None:
    assert asked(GarbledAnswers()).said(ANSWER) == [(0.0, ANSWER[: len(ANSWER) // 2])]


def test_a_refusal_is_an_answer() -> None:
    assert asked(NoAnswers()).said(b'[4,"7","NotSupported","",{}]') == []


@pytest.mark.parametrize("action", ["ClearCache", "Reset"])
def test_only_answers_to_the_action_that_was_named_suffer(action: str) -> None:
    said = asked(NoAnswers(action)).said(ANSWER)

    assert said == ([] if action == "ClearCache" else [(0.0, ANSWER)])


def test_a_new_connection_has_nobody_left_to_answer() -> None:
    speech = asked(NoAnswers())
    speech.connected()

    assert speech.said(ANSWER) == [(0.0, ANSWER)]


def test_questions_that_are_never_answered_are_forgotten_in_the_end() -> None:
    speech = asked(NoAnswers())
    for number in range(MOST_REMEMBERED):
        speech.heard(f'[2,"again-{number}","ClearCache",{{}}]')

    assert speech.said(ANSWER) == [(0.0, ANSWER)]


def test_ids_count_from_one_on_each_connection() -> None:
    speech = Speech(DIALECTS[Version.V1_6])
    speech.begin(RestartingIds())
    first = [speech.new_id(), speech.new_id()]
    speech.connected()

    assert (first, speech.new_id()) == (["1", "2"], "1")


def test_a_half_open_socket_ends_with_its_connection_and_a_slow_reader_stays_one() -> None:
    speech = Speech(DIALECTS[Version.V1_6])
    speech.begin(HalfOpen())
    speech.begin(SlowReader(0.5))
    before = speech.half_open, speech.pause
    speech.connected()

    assert (before, (speech.half_open, speech.pause)) == ((True, 0.5), (False, 0.5))


def test_after_the_end_everything_is_sound_again() -> None:
    speech = asked(NoAnswers())
    for trouble in (HalfOpen(), SlowReader(), RestartingIds()):
        speech.begin(trouble)
    speech.end()

    assert (speech.half_open, speech.pause, speech.said(ANSWER)) == (False, 0.0, [(0.0, ANSWER)])
    assert len(speech.new_id()) == MAX_MESSAGE_ID


def test_two_calls_have_two_ids_or_one() -> None:
    speech = Speech(DIALECTS[Version.V1_6])
    speech.begin(RestartingIds())
    two = speech.sentence(TwoCalls("DataTransfer", {"vendorId": "x"}))
    one = speech.sentence(TwoCalls(same_id=True))

    assert [piece.data for piece in two] == [
        b'[2,"1","DataTransfer",{"vendorId":"x"}]',
        b'[2,"2","DataTransfer",{"vendorId":"x"}]',
    ]
    assert [piece.data for piece in one] == [b'[2,"3","Heartbeat",{}]'] * 2


def test_what_is_said_once_goes_out_as_it_is() -> None:
    speech = Speech(DIALECTS[Version.V1_6])

    assert speech.sentence(Raw("hello")) == [Piece(b"hello")]
    assert speech.sentence(Raw(binary=b"\x00")) == [Piece(b"\x00", Layer.BINARY)]
    assert speech.sentence(Malformed("binary")) == [MALFORMED["binary"]]
