"""Orders of operators, read: what they ask for, and in which sentence they are refused."""

import json
from typing import Any

import pytest
from msgspec import Raw
from msgspec.structs import replace

from csms_ocpp.catalog import Role, actions, asked_by
from csms_ocpp.version import StationId, Version
from csms_platform.ports import Command, Order, Waiter
from csms_router.orders import MOST_COMMANDS, askable, read
from csms_router.settings import Settings

NOW = 1_767_268_800.0
AT = 1_767_268_800_000
RESET = {"identity": "CS-1", "action": "Reset", "payload": {"type": "Soft"}, "uniqueId": "r-1"}
COMMAND = Command(
    StationId("CS-1"),
    "r-1",
    "Reset",
    Raw(b'{"type": "Soft"}'),
    created=AT,
    deadline=AT + 60_000,
    overdue=AT + 120_000,
)


def order(body: Any, **properties: Any) -> Order:
    return Order(body if isinstance(body, bytes) else json.dumps(body).encode(), **properties)


def told(body: Any, **properties: Any) -> tuple[str, str]:
    """Outcome and sentence of the only command in an order."""
    (command,) = read(order(body, **properties), NOW, Settings())
    return command.outcome, command.error_description


def test_an_order_is_a_command_with_the_settings_deadlines() -> None:
    assert read(order(RESET), NOW, Settings()) == [COMMAND]


def test_whoever_names_a_queue_is_told() -> None:
    (command,) = read(order(RESET, reply_to="answers", correlation_id="c-1"), NOW, Settings())

    assert command == replace(COMMAND, waiters=(Waiter("answers", "c-1", public=True),))


def test_the_identity_is_the_routing_key_unless_the_body_names_it() -> None:
    (command,) = read(order({key: RESET[key] for key in RESET if key != "identity"}, key="CS-7"), NOW, Settings())

    assert command == replace(COMMAND, identity=StationId("CS-7"))


def test_its_own_timeout_is_how_long_it_may_wait_to_be_sent() -> None:
    (command,) = read(order(RESET | {"timeout": 1.5}), NOW, Settings(command_grace=40))

    assert command == replace(COMMAND, deadline=AT + 1500, overdue=AT + 41_500)


@pytest.mark.parametrize(("expiration", "deadline"), [(1000, AT + 60_000), (600_000, AT + 600_000)])
def test_its_expiration_is_how_long_it_may_wait_for_an_offline_station(expiration: int, deadline: int) -> None:
    (command,) = read(order(RESET, expiration=expiration), NOW, Settings())

    assert command == replace(COMMAND, offline_until=AT + expiration, deadline=deadline, overdue=deadline + 60_000)


def test_several_orders_come_in_their_order_and_a_bad_one_spoils_no_other() -> None:
    commands = read(order([RESET, {"action": "Nonsense"}, RESET | {"uniqueId": "r-2"}], key="CS-1"), NOW, Settings())

    assert [(command.id, command.outcome) for command in commands] == [("r-1", ""), ("", "Invalid"), ("r-2", "")]


def test_without_an_id_it_is_named_by_the_message_if_that_holds_one_order_only() -> None:
    nameless = {"identity": "CS-1", "action": "ClearCache"}

    ids = [
        [command.id for command in read(order(body, message_id=message_id), NOW, Settings())]
        for body, message_id in ((nameless, "m-1"), (nameless, ""), (nameless, "m" * 37), ([nameless] * 2, "m-1"))
    ]

    assert ids == [["m-1"], [""], [""], ["", ""]]


def test_what_it_does_not_know_is_ignored_and_no_payload_is_an_empty_one() -> None:
    (command,) = read(order({"action": "ClearCache", "urgent": True}, key="CS-1"), NOW, Settings())

    assert command == replace(COMMAND, id="", action="ClearCache", payload=Raw(b"{}"))


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"", "The order cannot be read: Input data was truncated."),
        (b"7", "The order cannot be read: Expected `object`, got `int`."),
        (b"[", "The order cannot be read: Input data was truncated."),
        (b"[]", "An order must hold between 1 and 1000 commands."),
        (json.dumps([RESET] * (MOST_COMMANDS + 1)).encode(), "An order must hold between 1 and 1000 commands."),
        (b'{"payload":' + b"[" * 100_000, "The order's JSON is nested too deeply."),
        ({"identity": "CS-1"}, "The order cannot be read: Object missing required field `action`."),
        (RESET | {"action": 7}, "The order cannot be read: Expected `str`, got `int` - at `$.action`."),
        (RESET | {"identity": ""}, "The order cannot be read: Expected `str` of length >= 1 - at `$.identity`."),
        (
            RESET | {"identity": "x" * 256},
            "The order cannot be read: Expected `str` of length <= 255 - at `$.identity`.",
        ),
        (RESET | {"uniqueId": "x" * 37}, "The order cannot be read: Expected `str` of length <= 36 - at `$.uniqueId`."),
        (RESET | {"timeout": 0}, "The order cannot be read: Expected `float` > 0.0 - at `$.timeout`."),
        (RESET | {"timeout": 86401}, "The order cannot be read: Expected `float` <= 86400.0 - at `$.timeout`."),
        (RESET | {"payload": []}, "`payload` must be a JSON object."),
        (RESET | {"payload": None}, "`payload` must be a JSON object."),
        (RESET | {"action": "Heartbeat"}, "`action` must be one that a central system asks, not 'Heartbeat'."),
        (RESET | {"action": "reset"}, "`action` must be one that a central system asks, not 'reset'."),
        ({"action": "Reset"}, "`identity` must have between 1 and 255 characters."),
    ],
)
def test_a_wrong_order_is_invalid_and_the_sentence_names_the_field(body: Any, sentence: str) -> None:
    assert told(body) == ("Invalid", sentence)


def test_a_payload_that_is_no_text_is_invalid() -> None:
    assert told(b'{"identity":"CS-1","action":"Reset","payload":{"type":"\xff"}}')[0] == "Invalid"


def test_the_routing_key_and_the_body_must_name_the_same_station() -> None:
    assert told(RESET, key="CS-2") == ("Invalid", "`identity` differs from the message's routing key.")


def test_an_identity_in_the_routing_key_has_the_same_limit() -> None:
    assert told({"action": "Reset"}, key="x" * 256)[0] == "Invalid"


def test_who_sent_a_wrong_order_recognises_it() -> None:
    (command,) = read(order(RESET | {"timeout": -1}, reply_to="answers"), NOW, Settings())

    assert (command.identity, command.id, command.action, command.waiters) == (
        "CS-1",
        "r-1",
        "Reset",
        (Waiter("answers", public=True),),
    )


@pytest.mark.parametrize("version", Version)
def test_every_command_of_every_version_may_be_ordered(version: Version) -> None:
    assert asked_by(Role.CSMS, version).keys() <= askable() <= actions().keys()
