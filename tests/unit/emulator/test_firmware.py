"""UpdateFirmware."""

from tests.unit.emulator.driving import Central, booted

WHOLE = ["Downloading", "Downloaded", "Installing", "Installed"]


def update(central: Central, at: str) -> object:
    return central.command("UpdateFirmware", {"location": "ftp://example.org/", "retrieveDate": at})


def told(central: Central) -> list[str]:
    return [payload["status"] for payload in central.payloads("FirmwareStatusNotification")]


def test_an_update_tells_its_statuses_in_order() -> None:
    central = booted()

    answer = update(central, "2023-11-14T00:00:00Z")
    central.run(240)

    assert (answer, told(central)) == ({}, WHOLE)


def test_an_update_waits_for_its_time() -> None:
    central = booted()

    update(central, "2023-11-14T22:16:00")
    central.run(59)
    before = told(central)
    central.run(2)

    assert (before, told(central)) == ([], ["Downloading"])


def test_a_trigger_tells_how_far_it_is() -> None:
    central = booted()
    update(central, "2023-11-14T00:00:00Z")
    central.run(1)
    central.take()

    central.command("TriggerMessage", {"requestedMessage": "FirmwareStatusNotification"})

    assert told(central) == ["Downloading"]


def test_a_restart_forgets_the_update() -> None:
    central = booted()
    update(central, "2023-11-14T00:00:00Z")
    central.run(1)
    central.command("Reset", {"type": "Hard"})
    central.disconnect()
    central.connect()
    central.settle()
    central.take()

    central.command("TriggerMessage", {"requestedMessage": "FirmwareStatusNotification"})
    central.run(300)

    assert told(central) == ["Idle"]


def test_a_time_that_no_calendar_knows_means_now() -> None:
    central = booted()

    update(central, "2016-12-31T23:59:60Z")
    central.run(1)

    assert told(central) == ["Downloading"]
