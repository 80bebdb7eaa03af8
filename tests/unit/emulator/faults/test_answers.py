"""What becomes of answers while something is wrong with them."""

from csms_emulator.faults.answers import Answers, Fate
from csms_emulator.faults.troubles import GarbledAnswers, NoAnswers, SlowAnswers, TwiceAnswered, WrongIds


def test_without_trouble_an_answer_goes_out_once_and_at_once() -> None:
    answers = Answers()

    assert (bool(answers), answers.fate("Reset")) == (False, Fate((0.0,)))


def test_different_troubles_add_up() -> None:
    answers = Answers()
    for trouble in (SlowAnswers(seconds=2.0), TwiceAnswered(after=3.0), WrongIds(), GarbledAnswers()):
        answers.begin(trouble)

    assert answers.fate("Reset") == Fate((2.0, 5.0), wrong_id=True, garbled=True)


def test_the_same_trouble_again_replaces_it() -> None:
    answers = Answers()
    answers.begin(SlowAnswers(seconds=2.0))
    answers.begin(SlowAnswers(seconds=1.0))

    assert answers.fate("Reset") == Fate((1.0,))


def test_a_trouble_of_one_action_leaves_the_others_alone() -> None:
    answers = Answers()
    answers.begin(NoAnswers("Reset"))

    assert [answers.fate(action) for action in ("Reset", "ClearCache")] == [Fate(()), Fate()]


def test_only_so_many_answers_are_lost() -> None:
    answers = Answers()
    answers.begin(NoAnswers(count=2))

    assert [answers.fate("Reset").delays for _ in range(4)] == [(), (), (0.0,), (0.0,)]


def test_after_the_end_answers_are_sound_again() -> None:
    answers = Answers()
    answers.begin(NoAnswers())
    answers.end()

    assert (bool(answers), answers.fate("Reset")) == (False, Fate())
