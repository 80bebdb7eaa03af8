"""RemoteStartTransaction and RemoteStopTransaction."""

import pytest

from tests.unit.emulator.driving import Central, booted, charging

ACCEPTED = {"status": "Accepted"}
REJECTED = {"status": "Rejected"}


def test_remote_start_charges_for_the_tag_without_asking_for_it() -> None:
    central = booted(connectors=2)

    answer = central.command("RemoteStartTransaction", {"connectorId": 2, "idTag": "TAG"})
    central.run(15)

    assert answer == ACCEPTED
    assert central.payloads("Authorize") == []
    assert [(p["connectorId"], p["idTag"]) for p in central.payloads("StartTransaction")] == [(2, "TAG")]
    assert central.statuses(2) == ["Preparing", "Charging"]


def test_remote_start_asks_for_the_tag_when_configured_so() -> None:
    central = booted()
    central.command("ChangeConfiguration", {"key": "AuthorizeRemoteTxRequests", "value": "true"})

    central.command("RemoteStartTransaction", {"idTag": "TAG"})
    central.run(15)

    assert central.payloads("Authorize") == [{"idTag": "TAG"}]
    assert [p["idTag"] for p in central.payloads("StartTransaction")] == ["TAG"]


def test_remote_start_takes_a_free_connector_when_none_is_named() -> None:
    central = charging(connectors=2)

    central.command("RemoteStartTransaction", {"idTag": "OTHER"})
    central.run(15)

    assert [(p["connectorId"], p["idTag"]) for p in central.payloads("StartTransaction")] == [(2, "OTHER")]


def test_remote_start_takes_the_connector_of_a_driver_who_has_plugged_in() -> None:
    central = booted(seed=4)
    central.run_until(lambda: central.statuses() == ["Preparing"])

    answer = central.command("RemoteStartTransaction", {"connectorId": 1, "idTag": "TAG"})
    central.run(15)

    assert answer == ACCEPTED
    assert [p["idTag"] for p in central.payloads("StartTransaction")] == ["TAG"]


@pytest.mark.parametrize("connector", [0, 1, 7])
def test_remote_start_is_rejected_where_nobody_can_charge(connector: int) -> None:
    """Connector 0 is none, 1 is busy, 7 does not exist."""
    central = charging()

    answer = central.command("RemoteStartTransaction", {"connectorId": connector, "idTag": "OTHER"})

    assert answer == REJECTED


def test_remote_start_and_stop_are_rejected_while_pending() -> None:
    central = Central()
    central.replies["BootNotification"] = {"status": "Pending", "currentTime": "2024-01-01T00:00:00Z", "interval": 60}
    central.connect()
    central.settle()

    start = central.command("RemoteStartTransaction", {"idTag": "TAG"})
    stop = central.command("RemoteStopTransaction", {"transactionId": 1})

    assert (start, stop) == (REJECTED, REJECTED)


def test_remote_stop_ends_the_transaction_and_the_driver_leaves() -> None:
    central = charging()
    central.run(90)

    answer = central.command("RemoteStopTransaction", {"transactionId": 1})
    central.run(31)

    assert answer == ACCEPTED
    assert [(p["reason"], p["transactionId"]) for p in central.payloads("StopTransaction")] == [("Remote", 1)]
    assert central.statuses() == ["Finishing", "Available"]


def test_remote_stop_of_an_unknown_transaction_is_rejected() -> None:
    assert charging().command("RemoteStopTransaction", {"transactionId": 2}) == REJECTED
