"""What tags are told, and in which words."""

import pytest

from csms_platform.ports import Tag
from csms_platform.times import iso_8601, seconds
from csms_router.authorize import Decision, decide, id_tag_info, id_token_info

NOON = seconds("2026-01-01T12:00:00Z")


@pytest.mark.parametrize("status", ["Accepted", "Blocked", "Expired", "Invalid"])
def test_a_tag_is_told_its_status_on_the_list(status: str) -> None:
    decision = decide(Tag("A1", status=status), now=NOON, accept_unknown=True)

    assert decision == Decision(status)


@pytest.mark.parametrize(("accept_unknown", "status"), [(True, "Accepted"), (False, "Unknown")])
def test_a_tag_that_is_not_on_the_list_is_accepted_only_by_policy(accept_unknown: bool, status: str) -> None:
    decision = decide(None, now=NOON, accept_unknown=accept_unknown)

    assert decision == Decision(status)


@pytest.mark.parametrize(
    ("expires", "status"),
    [
        ("2026-01-01T12:00:00Z", "Expired"),
        ("2026-01-01T11:59:59Z", "Expired"),
        ("2026-01-01T12:00:01Z", "Accepted"),
        ("2026-01-01T13:30:00+02:00", "Expired"),
        ("2026-01-01T12:00:01", "Accepted"),
    ],
)
def test_a_tag_expires_at_its_time_and_without_a_zone_that_is_utc(expires: str, status: str) -> None:
    decision = decide(Tag("A1", expires=expires), now=NOON, accept_unknown=False)

    assert decision == Decision(status, expires=iso_8601(seconds(expires)))


def test_a_tag_with_an_unreadable_expiry_may_not_charge() -> None:
    decision = decide(Tag("A1", expires="tomorrow"), now=NOON, accept_unknown=True)

    assert decision == Decision("Invalid")


def test_a_blocked_tag_stays_blocked_after_it_expired() -> None:
    decision = decide(Tag("A1", status="Blocked", expires="2020-01-01T00:00:00Z"), now=NOON, accept_unknown=True)

    assert decision.status == "Blocked"


def test_a_status_that_no_version_knows_is_invalid() -> None:
    decision = decide(Tag("A1", status="Sleeping"), now=NOON, accept_unknown=True)

    assert decision == Decision("Invalid")


@pytest.mark.parametrize(
    ("limit", "active", "status"),
    [(1, 0, "Accepted"), (1, 1, "ConcurrentTx"), (2, 1, "Accepted"), (2, 3, "ConcurrentTx"), (0, 99, "Accepted")],
)
def test_a_tag_charges_as_often_at_once_as_its_limit_says_and_zero_is_any_number(
    limit: int, active: int, status: str
) -> None:
    decision = decide(Tag("A1", limit=limit), now=NOON, accept_unknown=False, active=active)

    assert decision == Decision(status)


def test_1_x_says_expiry_and_parent_in_its_own_words() -> None:
    info = id_tag_info(Decision("Accepted", expires="2027-01-01T00:00:00.000Z", parent="FLEET"))

    assert info == {"status": "Accepted", "expiryDate": "2027-01-01T00:00:00.000Z", "parentIdTag": "FLEET"}


def test_1_x_has_no_word_for_unknown_and_no_room_for_a_long_parent() -> None:
    info = id_tag_info(Decision("Unknown", parent="P" * 21))

    assert info == {"status": "Invalid"}


def test_2_x_says_expiry_and_group_in_its_own_words() -> None:
    info = id_token_info(Decision("Unknown", expires="2027-01-01T00:00:00.000Z", parent="FLEET"))

    assert info == {
        "status": "Unknown",
        "cacheExpiryDateTime": "2027-01-01T00:00:00.000Z",
        "groupIdToken": {"idToken": "FLEET", "type": "Central"},
    }
