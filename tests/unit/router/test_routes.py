"""The routes are the catalog's, and no table holds more."""

from csms_ocpp.catalog import Role, asked_by
from csms_ocpp.version import Version
from csms_router.answers import v1, v2
from csms_router.routes import routes


def test_there_is_a_route_for_every_action_that_stations_send() -> None:
    assert set(routes()) == {
        (version.value, action) for version in Version for action in asked_by(Role.STATION, version)
    }


def test_no_table_answers_what_nobody_asks() -> None:
    asked_v1 = {*asked_by(Role.STATION, Version.V1_5), *asked_by(Role.STATION, Version.V1_6)}
    asked_v2 = {*asked_by(Role.STATION, Version.V2_0_1), *asked_by(Role.STATION, Version.V2_1)}

    assert (set(v1.ANSWERS), set(v2.ANSWERS)) == (asked_v1, asked_v2)


def test_only_boot_and_the_messages_that_are_never_refused_pass_before_a_station_was_accepted() -> None:
    ungated = {action for (_, action), route in routes().items() if not route.gated}

    assert ungated == {"BootNotification", "StopTransaction", "TransactionEvent"}


def test_what_a_repeat_is_answered_again_and_the_boot_is_settled_when_an_endpoint_answers() -> None:
    settled = {action for (_, action), route in routes().items() if route.settles}
    repeatable = {action for (_, action), route in routes().items() if route.repeatable}

    assert repeatable == {"StartTransaction", "StopTransaction", "TransactionEvent"}
    assert settled == {"BootNotification", *repeatable}
