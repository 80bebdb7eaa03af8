import pytest

from csms_ocpp import schemas
from csms_ocpp.catalog import Role, asked_by
from csms_ocpp.version import Version
from csms_webhook_relay.specimens import asked, specimen

ALL = [(version, action) for version in Version for action in asked(version)]


@pytest.mark.parametrize(("version", "action"), ALL)
def test_every_specimen_is_valid(version: Version, action: str) -> None:
    assert schemas.table(version)[action, schemas.REQUEST].check(specimen(version, action)) is None


@pytest.mark.parametrize("version", list(Version))
def test_everything_that_a_station_asks_has_a_specimen(version: Version) -> None:
    expected = {action.name for action in asked_by(Role.STATION, version).values() if not action.send}

    assert set(asked(version)) == expected


def test_what_nobody_answers_has_none() -> None:
    with pytest.raises(KeyError):
        specimen(Version.V2_1, "NotifyPeriodicEventStream")


def test_a_transaction_event_says_who_and_where_and_how_much() -> None:
    payload = bytes(specimen(Version.V2_0_1, "TransactionEvent")).decode()

    for told in ('"eventType":"Started"', '"idToken":"WEBHOOKTEST"', '"evse":{"id":1}', '"value":1000.0'):
        assert told in payload
