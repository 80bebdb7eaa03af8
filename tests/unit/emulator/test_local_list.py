"""SendLocalList and GetLocalListVersion, and who may charge offline because of them."""

from typing import Any

import pytest

from tests.unit.emulator.driving import Central, booted

ACCEPTED = {"status": "Accepted"}


def send(central: Central, version: int, kind: str, **tags: str) -> Any:
    """`tags` is a status for each idTag, "" for none."""
    entries = [{"idTag": tag, **({"idTagInfo": {"status": word}} if word else {})} for tag, word in tags.items()]
    request: dict[str, Any] = {"listVersion": version, "updateType": kind}
    return central.command("SendLocalList", request | ({"localAuthorizationList": entries} if entries else {}))


def version(central: Central) -> Any:
    return central.command("GetLocalListVersion")


def charges_offline(central: Central) -> bool:
    """Whether the next driver may charge although nobody can be asked."""
    central.take()
    central.disconnect()
    central.run(3600)
    central.connect()
    central.settle()
    return bool(central.payloads("StartTransaction"))


def test_updates_count_up_and_a_full_one_starts_anew() -> None:
    central = booted()

    answers = [
        (send(central, 3, "Full", A="Accepted"), version(central)),
        (send(central, 4, "Differential", B="Accepted"), version(central)),
        (send(central, 4, "Differential", C="Accepted"), version(central)),
        (send(central, 1, "Full"), version(central)),
    ]

    assert answers == [
        (ACCEPTED, {"listVersion": 3}),
        (ACCEPTED, {"listVersion": 4}),
        ({"status": "VersionMismatch"}, {"listVersion": 4}),
        (ACCEPTED, {"listVersion": 1}),
    ]


def test_a_list_that_is_too_long_changes_nothing() -> None:
    central = booted()

    answer = send(central, 1, "Full", **{f"TAG{n}": "Accepted" for n in range(1001)})

    assert (answer, version(central)) == ({"status": "Failed"}, {"listVersion": 0})


@pytest.mark.parametrize(("word", "charges"), [("Accepted", True), ("Blocked", False)])
def test_the_list_says_who_charges_offline(word: str, charges: bool) -> None:
    central = booted(seed=4, id_tags=("TAG",))
    unknown = "false" if charges else "true"
    central.command("ChangeConfiguration", {"key": "AllowOfflineTxForUnknownId", "value": unknown})

    send(central, 1, "Full", TAG=word)

    assert charges_offline(central) is charges


def test_who_was_taken_off_the_list_is_unknown() -> None:
    central = booted(seed=4, id_tags=("TAG",))
    central.command("ChangeConfiguration", {"key": "AllowOfflineTxForUnknownId", "value": "false"})

    send(central, 1, "Full", TAG="Accepted")
    send(central, 2, "Differential", TAG="")

    assert not charges_offline(central)


def test_a_list_that_is_switched_off_says_nothing() -> None:
    central = booted(seed=4, id_tags=("TAG",))
    send(central, 1, "Full", TAG="Blocked")

    central.command("ChangeConfiguration", {"key": "LocalAuthListEnabled", "value": "false"})

    assert charges_offline(central)
