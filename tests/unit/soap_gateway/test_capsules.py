"""What is remembered about stations, for whom, and for how long."""

import pytest

from csms_ocpp.version import Version
from csms_platform.envelope import Capsule, ConnectRequest
from csms_soap_gateway.capsules import Capsules, seal_of

ARRIVAL = ConnectRequest(
    "192.0.2.1", user="CS-1", password="c2VjcmV0", authorization=True, callback="http://192.0.2.1/"
)
FRESH = Capsule(epoch=3, registration="Accepted", fresh_until=1000)


def test_a_capsule_is_fresh_until_it_is_not() -> None:
    capsules = Capsules(10)
    capsules.keep("CS-1", b"seal", FRESH)

    assert [capsules.fresh("CS-1", b"seal", now) for now in (0, 999, 1000, 1001)] == [FRESH, FRESH, None, None]
    assert capsules.of("CS-1", b"seal") == FRESH


def test_it_is_for_the_one_who_brings_the_same_again() -> None:
    capsules = Capsules(10)
    capsules.keep("CS-1", b"seal", FRESH)

    assert capsules.fresh("CS-1", b"other", 0) is None
    assert capsules.fresh("CS-2", b"seal", 0) is None


@pytest.mark.parametrize(
    ("arrival", "version"),
    [
        (ConnectRequest("192.0.2.2", user="CS-1", password="c2VjcmV0", authorization=True), Version.V1_6),
        (ConnectRequest("192.0.2.1", user="CS-1", password="b3RoZXI=", authorization=True), Version.V1_6),
        (ConnectRequest("192.0.2.1"), Version.V1_6),
        (ARRIVAL, Version.V1_5),
    ],
)
def test_every_difference_breaks_the_seal(arrival: ConnectRequest, version: Version) -> None:
    assert seal_of(ARRIVAL, Version.V1_6) == seal_of(ARRIVAL, Version.V1_6)
    assert seal_of(arrival, version) != seal_of(ARRIVAL, Version.V1_6)


def test_a_seal_tells_nothing_of_the_password() -> None:
    seal = seal_of(ARRIVAL, Version.V1_6)

    assert len(seal) == 16
    assert b"secret" not in seal


def test_the_answer_of_an_older_session_is_not_kept() -> None:
    capsules = Capsules(10)
    newer = Capsule(epoch=4, fresh_until=1000)
    for capsule in (FRESH, newer, FRESH):
        capsules.keep("CS-1", b"seal", capsule)

    assert capsules.fresh("CS-1", b"seal", 0) == newer


def test_a_store_that_begins_to_count_anew_is_believed() -> None:
    capsules = Capsules(10)
    anew = Capsule(epoch=1, fresh_until=2000)
    for capsule in (FRESH, anew):
        capsules.keep("CS-1", b"seal", capsule)

    assert capsules.fresh("CS-1", b"seal", 0) == anew


def test_what_is_forgotten_is_not_known() -> None:
    capsules = Capsules(10)
    capsules.keep("CS-1", b"seal", FRESH)
    for _ in range(2):
        capsules.forget("CS-1")

    assert capsules.of("CS-1", b"seal") is None


def test_as_many_are_remembered_as_are_allowed_and_the_quietest_goes_first() -> None:
    capsules = Capsules(2)
    for identity in ("a", "b", "a", "c"):
        capsules.keep(identity, b"seal", FRESH)

    assert [capsules.of(identity, b"seal") is not None for identity in ("a", "b", "c")] == [True, False, True]
    assert len(capsules) == 2
