"""What was said, and finding in it what a test expects: each message once, and none from before the last deeds."""

from typing import Any

from csms_emulator.expectations import MOST_KEPT, Heard
from csms_emulator.messages import Kind, Message, Sender

BOOT = Message(at=1.0, sender="station", kind="call", action="BootNotification")
ACCEPTED = Message(at=2.0, sender="csms", kind="result", action="BootNotification", payload={"status": "Accepted"})
RESET = Message(at=3.0, sender="csms", kind="call", action="Reset", payload={"type": "Soft"})


def beat(at: float) -> Message:
    return Message(at=at, sender="station", kind="call", action="Heartbeat")


def hearing(*messages: Message) -> Heard:
    heard = Heard()
    for message in messages:
        heard.hear(message)
    return heard


def take(heard: Heard, action: str, kind: Kind = "call", sender: Sender | None = None, where: Any = None) -> Any:
    return heard.take(action, sender, kind, where)


def test_what_was_said_is_found_by_its_action_and_its_kind() -> None:
    heard = hearing(BOOT, ACCEPTED, RESET)

    assert take(heard, "BootNotification", "result") == ACCEPTED
    assert take(heard, "BootNotification") == BOOT
    assert take(heard, "Heartbeat") is None


def test_each_message_is_given_once_the_oldest_first() -> None:
    heard = hearing(beat(1), beat(2))

    assert [take(heard, "Heartbeat") for _ in range(3)] == [beat(1), beat(2), None]


def test_it_may_matter_who_said_it() -> None:
    heard = hearing(BOOT, RESET)

    assert (take(heard, "Reset", sender="station"), take(heard, "Reset", sender="csms")) == (None, RESET)


def test_a_condition_passes_over_what_does_not_fulfil_it_and_leaves_it_for_others() -> None:
    heard = hearing(beat(1), beat(2))

    assert take(heard, "Heartbeat", where=lambda m: m.at > 1) == beat(2)
    assert take(heard, "Heartbeat") == beat(1)


def test_messages_may_be_found_in_another_order_than_they_were_said() -> None:
    heard = hearing(BOOT, beat(1), RESET)

    assert [take(heard, action) for action in ("Reset", "BootNotification", "Heartbeat")] == [RESET, BOOT, beat(1)]


def test_what_was_said_since_the_deeds_just_before_counts() -> None:
    heard = hearing()
    heard.deed()
    heard.hear(beat(1))
    heard.deed()
    heard.hear(beat(2))

    assert [take(heard, "Heartbeat") for _ in range(2)] == [beat(1), beat(2)]


def test_a_deed_after_an_expectation_leaves_behind_what_was_said_before_it() -> None:
    heard = hearing(BOOT, beat(1))
    take(heard, "BootNotification")
    heard.deed()
    heard.hear(beat(2))

    assert [take(heard, "Heartbeat") for _ in range(2)] == [beat(2), None]


def test_an_expectation_that_was_not_met_ends_the_deeds_before_it_too() -> None:
    heard = hearing(beat(1))
    take(heard, "Reset")
    heard.deed()

    assert take(heard, "Heartbeat") is None


def test_everything_is_kept_for_the_reader_whatever_was_given_away() -> None:
    heard = hearing(BOOT, ACCEPTED)
    take(heard, "BootNotification")
    heard.deed()

    assert heard.messages == [BOOT, ACCEPTED]
    assert heard.told() == "  → BootNotification call {}\n  ← BootNotification result {'status': 'Accepted'}"


def test_a_reader_gets_the_last_messages_and_errors_with_their_code() -> None:
    refused = Message(
        at=4.0, sender="csms", kind="error", action="Reset", code="NotSupported", description="not this one"
    )

    assert hearing(BOOT, RESET, refused).told(2) == (
        "  ← Reset call {'type': 'Soft'}\n  ← Reset error NotSupported: not this one"
    )
    assert hearing().told() == "  nothing was said"


def test_what_is_too_old_is_forgotten_and_what_was_left_behind_stays_behind() -> None:
    heard = hearing(BOOT, RESET)
    take(heard, "Reset")
    heard.deed()  # the BootNotification is behind now
    for n in range(MOST_KEPT):
        heard.hear(beat(n))

    assert len(heard.messages) == MOST_KEPT
    assert take(heard, "BootNotification") is None
    assert take(heard, "Heartbeat") == beat(0)


def test_a_change_without_a_message_is_news_and_no_message() -> None:
    heard = hearing()

    heard.hear(None)

    assert (heard.news.is_set(), heard.messages) == (True, [])
