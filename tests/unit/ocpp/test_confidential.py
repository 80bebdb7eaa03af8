"""Passwords in commands: hidden from everybody but the station, and found when the station has taken them over."""

import json
from typing import Any

import pytest
from msgspec import Raw

from csms_ocpp.confidential import hidden, new_password

KEY = "4f43415f4f4354545f61646d696e5f74657374"
COMPONENT = {"name": "SecurityCtrlr"}
VARIABLE = {"name": "BasicAuthPassword"}
PASSWORD = {"component": COMPONENT, "variable": VARIABLE, "attributeValue": "a station's password"}
INTERVAL = {"component": {"name": "OCPPCommCtrlr"}, "variable": {"name": "HeartbeatInterval"}, "attributeValue": "60"}


def raw(document: Any) -> Raw:
    return Raw(json.dumps(document).encode())


@pytest.mark.parametrize(
    ("action", "payload", "expected"),
    [
        ("ChangeConfiguration", {"key": "AuthorizationKey", "value": KEY}, {"key": "AuthorizationKey", "value": "***"}),
        ("ChangeConfiguration", {"key": "authorizationKEY", "value": KEY}, {"key": "authorizationKEY", "value": "***"}),
        ("ChangeConfiguration", {"key": "WifiPassword", "value": "x"}, {"key": "WifiPassword", "value": "***"}),
        (
            "SetVariables",
            {"setVariableData": [INTERVAL, PASSWORD]},
            {"setVariableData": [INTERVAL, PASSWORD | {"attributeValue": "***"}]},
        ),
        (
            "SetNetworkProfile",
            {
                "configurationSlot": 1,
                "connectionData": {
                    "ocppCsmsUrl": "wss://example.com/ocpp",
                    "basicAuthPassword": "one",
                    "apn": {"apn": "internet", "apnPassword": "two", "simPin": 1234},
                    "vpn": {"server": "vpn.example.com", "user": "me", "password": "three", "key": "four"},
                },
            },
            {
                "configurationSlot": 1,
                "connectionData": {
                    "ocppCsmsUrl": "wss://example.com/ocpp",
                    "basicAuthPassword": "***",
                    "apn": {"apn": "internet", "apnPassword": "***", "simPin": "***"},
                    "vpn": {"server": "vpn.example.com", "user": "me", "password": "***", "key": "***"},
                },
            },
        ),
    ],
)
def test_a_password_is_hidden_and_nothing_else(action: str, payload: Any, expected: Any) -> None:
    told = hidden(action, raw(payload))

    assert json.loads(bytes(told)) == expected


@pytest.mark.parametrize(
    ("action", "payload"),
    [
        ("Reset", b'{ "type":"Soft" }'),
        ("ChangeConfiguration", b'{ "key":"HeartbeatInterval", "value":"60" }'),
        ("SetVariables", b'{"setVariableData": [ ]}'),
        ("SetVariables", b'{"setVariableData": [1, {"variable": 2}, {"variable": {"name": 3}}]}'),
        ("SetNetworkProfile", b'{"connectionData": {"apn": 1}}'),
    ],
)
def test_a_payload_without_a_password_stays_as_it_came(action: str, payload: bytes) -> None:
    assert bytes(hidden(action, Raw(payload))) == payload


@pytest.mark.parametrize("payload", [b"", b"[]", b"{", b"\xff", b"[" * 10_000])
def test_nothing_of_an_unreadable_payload_that_may_hold_a_password_is_shown(payload: bytes) -> None:
    assert bytes(hidden("SetVariables", Raw(payload))) == b"{}"


@pytest.mark.parametrize(
    ("status", "expected"), [("Accepted", KEY), ("RebootRequired", KEY), ("Rejected", None), ("NotSupported", None)]
)
def test_an_authorization_key_is_the_password_once_the_station_has_changed_it(
    status: str, expected: str | None
) -> None:
    found = new_password("ChangeConfiguration", raw({"key": "AuthorizationKey", "value": KEY}), raw({"status": status}))

    assert found == expected


@pytest.mark.parametrize(
    ("status", "expected"),
    [("Accepted", "a station's password"), ("RebootRequired", "a station's password"), ("Rejected", None)],
)
def test_the_variable_s_own_result_counts(status: str, expected: str | None) -> None:
    results = [
        {"component": COMPONENT, "variable": VARIABLE, "attributeStatus": status},
        {"component": INTERVAL["component"], "variable": INTERVAL["variable"], "attributeStatus": "Accepted"},
    ]

    found = new_password(
        "SetVariables", raw({"setVariableData": [INTERVAL, PASSWORD]}), raw({"setVariableResult": results})
    )

    assert found == expected


@pytest.mark.parametrize(
    ("action", "payload", "answer"),
    [
        ("ChangeConfiguration", b'{"key":"HeartbeatInterval","value":"60"}', b'{"status":"Accepted"}'),
        ("ChangeConfiguration", b'{"key":"AuthorizationKey","value":7}', b'{"status":"Accepted"}'),
        ("ChangeConfiguration", b'{"key":"AuthorizationKey","value":"x"}', b"[]"),
        ("SetVariables", b'{"setVariableData":{}}', b'{"setVariableResult":1}'),
        ("Reset", b"{}", b'{"status":"Accepted"}'),
    ],
)
def test_everything_else_leaves_the_password_as_it_is(action: str, payload: bytes, answer: bytes) -> None:
    assert new_password(action, Raw(payload), Raw(answer)) is None
