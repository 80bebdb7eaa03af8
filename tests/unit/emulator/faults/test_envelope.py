"""What goes back from a SOAP station while something is wrong with its answers."""

from msgspec import Raw

from csms_emulator.conversation import Reply
from csms_emulator.faults.answers import Fate
from csms_emulator.faults.envelope import spoilt
from csms_ocpp.catalog import Role
from csms_ocpp.soap import Addressing, Response, Service, read_response, write_response
from csms_ocpp.version import Version

V = Version.V1_6
BODY = write_response(
    Response(V, Role.CSMS, "ClearCache", Raw(b'{"status":"Accepted"}'), Addressing("urn:1", relates_to="urn:asked"))
)
REPLY = Reply(200, BODY)


def test_a_sound_answer_goes_back_as_it_is() -> None:
    assert spoilt(REPLY, Fate()) == REPLY


def test_a_late_one_later_and_a_missing_one_never() -> None:
    assert spoilt(REPLY, Fate((2.0,))) == Reply(200, BODY, after=2.0)
    assert spoilt(REPLY, Fate(())) == Reply(200, BODY, lost=True)


def test_a_wrong_id_is_all_that_is_wrong() -> None:
    changed = spoilt(REPLY, Fate(wrong_id=True))
    answer = read_response(changed.body, V, Service.CHARGE_POINT, "ClearCache")

    assert changed.body == BODY.replace(b"urn:asked", b"urn:uuid:00000000-0000-0000-0000-000000000000")
    assert isinstance(answer, Response)


def test_half_of_it_goes_back() -> None:
    assert spoilt(REPLY, Fate(garbled=True)).body == BODY[: len(BODY) // 2]
