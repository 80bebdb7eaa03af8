import pytest
from msgspec import Raw

from csms_webhook_relay import outcomes, reply
from csms_webhook_relay.outcomes import complaint, outcome

NOW = 1000.0
ANSWERED = reply.Answered(Raw(b"{}"))
REFUSED = reply.Refused("GenericError", "I do not want to")
NONSENSE = reply.Failed("the reply is about another station", replied=True)


@pytest.mark.parametrize("found", [ANSWERED, REFUSED, NONSENSE])
def test_a_2xx_that_can_be_read_takes_the_letter(found: reply.Reply) -> None:
    assert outcome(found, NOW) == outcomes.Taken()


def test_what_will_never_be_taken_is_refused() -> None:
    assert outcome(reply.Final("HTTP status 400"), NOW) == outcomes.Refused("HTTP status 400")


@pytest.mark.parametrize("reason", ["HTTP status 500", "the reply cannot be read"])
def test_a_failure_is_a_failure(reason: str) -> None:
    assert outcome(reply.Failed(reason), NOW) == outcomes.Failed(reason)


@pytest.mark.parametrize("sent", [False, True])
def test_an_endpoint_that_is_to_be_left_alone_is_shut_until_then(sent: bool) -> None:
    assert outcome(reply.Failed("wait", 7.0, sent=sent), NOW) == outcomes.Shut(NOW + 7, "wait", sent)


def test_nothing_sent_costs_no_attempt_even_if_nobody_knows_how_long() -> None:
    assert outcome(reply.Failed("too many calls wait", sent=False), NOW) == outcomes.Shut(NOW, "too many calls wait")


@pytest.mark.parametrize(
    ("found", "words"),
    [(ANSWERED, ""), (REFUSED, "CALLERROR GenericError: I do not want to"), (NONSENSE, NONSENSE.reason)],
)
def test_a_taken_letter_s_reply_may_be_complained_about(found: reply.Reply, words: str) -> None:
    assert complaint(found) == words
