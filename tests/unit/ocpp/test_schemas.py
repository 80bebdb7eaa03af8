"""Payloads against the official schemas: what passes, and what each violation is called in each version."""

import json

import pytest

from csms_ocpp.errors import Violation
from csms_ocpp.schemas import REQUEST, RESPONSE, check_shape, table
from csms_ocpp.version import DIALECTS
from tests.unit.ocpp.pair import JSON_VERSIONS

V1_6, V2_0_1, V2_1 = JSON_VERSIONS
V2 = [V2_0_1, V2_1]

BOOT_1_6 = {"chargePointVendor": "ACME", "chargePointModel": "Post"}
BOOT_2 = {"reason": "PowerUp", "chargingStation": {"vendorName": "ACME", "model": "Post"}}


def check(version, action, payload, part=REQUEST):
    text = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return table(version)[action, part].check(text)


def code(version, action, payload, part=REQUEST):
    violation = check(version, action, payload, part)
    return violation and (violation.code, violation.rule, violation.where)


def boot(version, **changes):
    return {**(BOOT_1_6 if version is V1_6 else BOOT_2), **changes}


def meter_values(version, **sampled):
    value = {"value": "1" if version is V1_6 else 1.0, **sampled}
    values = [{"timestamp": "2026-01-01T10:00:00Z", "sampledValue": [value]}]
    return {"connectorId" if version is V1_6 else "evseId": 1, "meterValue": values}


@pytest.mark.parametrize("version", JSON_VERSIONS)
class TestCodes:
    def test_a_valid_payload_passes(self, version):
        assert check(version, "BootNotification", boot(version)) is None
        assert check(version, "MeterValues", meter_values(version)) is None

    def test_a_missing_field_is_an_occurrence_violation(self, version):
        violation = code(version, "BootNotification", {})

        assert violation == (DIALECTS[version].occurrence_violation, "required", "")

    def test_an_empty_list_where_one_entry_is_due_is_an_occurrence_violation(self, version):
        payload = meter_values(version) | {"meterValue": []}

        violation = code(version, "MeterValues", payload)

        assert violation == (DIALECTS[version].occurrence_violation, "minItems", "meterValue")

    def test_a_value_of_the_wrong_type(self, version):
        field = "connectorId" if version is V1_6 else "evseId"

        violation = code(version, "MeterValues", meter_values(version) | {field: "1"})

        assert violation == ("TypeConstraintViolation", "type", field)

    def test_null_for_a_field_is_the_wrong_type(self, version):
        field = "connectorId" if version is V1_6 else "evseId"

        violation = code(version, "MeterValues", meter_values(version) | {field: None})

        assert violation == ("TypeConstraintViolation", "type", field)

    def test_a_value_outside_the_enumeration(self, version):
        violation = code(version, "TriggerMessage", {"requestedMessage": "Coffee"})

        assert violation == ("PropertyConstraintViolation", "enum", "requestedMessage")

    def test_enumerations_are_compared_letter_by_letter(self, version):
        violation = code(version, "TriggerMessage", {"requestedMessage": "heartbeat"})

        assert violation == ("PropertyConstraintViolation", "enum", "requestedMessage")

    def test_a_string_that_is_too_long(self, version):
        payload, field = {"vendorId": "v" * 256}, "vendorId"

        assert check(version, "DataTransfer", payload | {"vendorId": "v" * 255}) is None
        assert code(version, "DataTransfer", payload) == ("PropertyConstraintViolation", "maxLength", field)

    def test_length_counts_characters_not_bytes(self, version):
        assert check(version, "DataTransfer", {"vendorId": "🔌" * 255}) is None

    def test_an_unknown_field(self, version):
        violation = code(version, "BootNotification", boot(version, colour="red"))

        assert violation == (DIALECTS[version].formation_violation, "additionalProperties", "")

    def test_an_answer_is_checked_like_a_question(self, version):
        assert code(version, "Heartbeat", {}, RESPONSE) == (DIALECTS[version].occurrence_violation, "required", "")
        assert check(version, "Heartbeat", {"currentTime": "2026-01-01T10:00:00Z"}, RESPONSE) is None

    def test_what_is_not_a_json_object_is_unreadable(self, version):
        formation = DIALECTS[version].formation_violation

        sentence = "The payload is not a JSON object."
        for text in (b"[]", b'"text"', b"7", b"true", b"null"):
            expected = Violation(formation, sentence, "type", unreadable=True)
            assert check(version, "Heartbeat", text) == expected
            assert check_shape(text, DIALECTS[version]) == expected

    @pytest.mark.parametrize(
        "text",
        [
            b"",
            b"{",
            b"{]",
            b'{"a":}',
            b'{"a":01}',
            b'{"a":NaN}',
            b'{"a":"\xff"}',
            b'{"a":"\x00"}',
            b'{"a":"\\ud800"}',
            b'{"a":"\\udc00\\ud800"}',
            b'{"a":1e999}',
            pytest.param(b'{"a":' + b"9" * 5000 + b"}", id="huge"),
            pytest.param(b'{"a":' + b"[" * 100_000, id="bottomless"),
            pytest.param(b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}", id="deep"),
        ],
    )
    def test_what_cannot_be_decoded_is_unreadable_and_never_an_exception(self, version, text):
        violation = check(version, "DataTransfer", text)

        assert violation == check_shape(text, DIALECTS[version])
        assert (violation.code, violation.unreadable) == (DIALECTS[version].formation_violation, True)
        assert len(violation.description) <= 255

    def test_of_repeated_keys_the_last_one_counts(self, version):
        assert check(version, "DataTransfer", b'{"vendorId":5,"vendorId":"A"}') is None
        assert code(version, "DataTransfer", b'{"vendorId":"A","vendorId":5}') == (
            "TypeConstraintViolation",
            "type",
            "vendorId",
        )

    def test_the_description_of_a_violation_fits_its_255_characters(self, version):
        violation = check(version, "TriggerMessage", {"requestedMessage": "x" * 5000})

        assert len(violation.description) == 255


class TestNumbers:
    @pytest.mark.parametrize("limit", [0, 0.1, 0.3, 0.7, 6, 16.0, 21.4, 1000.7, 123456.9, 10**30])
    def test_limits_with_one_decimal_pass(self, limit):
        assert check(V1_6, "SetChargingProfile", charging_profile(limit)) is None

    @pytest.mark.parametrize("limit", [16.15, 0.05, 1e-7, 1000.75])
    def test_limits_with_more_decimals_are_refused(self, limit):
        violation = code(V1_6, "SetChargingProfile", charging_profile(limit))

        where = "csChargingProfiles.chargingSchedule.chargingSchedulePeriod.0.limit"
        assert violation == ("PropertyConstraintViolation", "multipleOf", where)

    @pytest.mark.parametrize("version", JSON_VERSIONS)
    @pytest.mark.parametrize("text", [b"1.0", b"1e0", b"1.5", b"true", b'"1"'])
    def test_an_integer_is_written_as_one(self, version, text):
        """Draft 4's reading, for every version: a payload that passes decodes into an int, and we send no `1.0`."""
        field = "connectorId" if version is V1_6 else "evseId"
        payload = json.dumps(meter_values(version)).encode().replace(b'": 1,', b'": ' + text + b",", 1)

        assert code(version, "MeterValues", payload) == ("TypeConstraintViolation", "type", field)

    @pytest.mark.parametrize("version", JSON_VERSIONS)
    def test_an_integer_may_be_huge(self, version):
        field = "connectorId" if version is V1_6 else "evseId"

        assert check(version, "MeterValues", meter_values(version) | {field: 10**30}) is None

    @pytest.mark.parametrize("version", V2)
    def test_a_number_below_the_range(self, version):
        violation = code(version, "MeterValues", meter_values(version) | {"evseId": -1})

        # 2.0.1's schema leaves the range out.
        expected = ("PropertyConstraintViolation", "minimum", "evseId") if version is V2_1 else None
        assert violation == expected


@pytest.mark.parametrize("version", JSON_VERSIONS)
class TestDates:
    @pytest.mark.parametrize(
        "time",
        [
            "2026-01-01T10:00:00Z",
            "2026-01-01T10:00:00.123Z",
            "2026-01-01T10:00:00.123456789Z",
            "2026-01-01T10:00:00+05:30",
            "2026-01-01T10:00:00.5-03:00",
            "2026-01-01T10:00:00",
            "2026-01-01T10:00:00.123",
            "2026-01-01T10:00:00+0100",
            "2024-02-29T23:59:59Z",
        ],
    )
    def test_iso_8601_passes_with_fractions_with_any_zone_and_without(self, version, time):
        assert check(version, "Heartbeat", {"currentTime": time}, RESPONSE) is None

    @pytest.mark.parametrize(
        "time",
        [
            *("", "now", "2026-01-01", "10:00:00", "2026-13-01T10:00:00Z", "2026-02-30T10:00:00Z"),
            *("2026-01-01T25:00:00Z", "1767261600", "01/01/2026 10:00", "2026-01-01T10:00:00Zulu", "2026-01-01T"),
        ],
    )
    def test_what_is_no_date_is_refused(self, version, time):
        violation = code(version, "Heartbeat", {"currentTime": time}, RESPONSE)

        assert violation == ("PropertyConstraintViolation", "format", "currentTime")

    def test_a_date_without_a_zone_does_not_hide_another_violation(self, version):
        answer = {"currentTime": "2026-01-01T10:00:00", "status": "Perhaps", "interval": 300}

        violation = code(version, "BootNotification", answer, RESPONSE)

        assert violation == ("PropertyConstraintViolation", "enum", "status")


@pytest.mark.parametrize("unit", ["Celsius", "Celcius"])
def test_1_6_takes_both_spellings_of_celsius(unit):
    assert check(V1_6, "MeterValues", meter_values(V1_6, unit=unit)) is None
    stop = {"transactionId": 1, "timestamp": "2026-01-01T10:00:00Z", "meterStop": 1}
    stop["transactionData"] = meter_values(V1_6, unit=unit)["meterValue"]
    assert check(V1_6, "StopTransaction", stop) is None


@pytest.mark.parametrize("uri", ["ftp://user:password@example.com/diagnostics", "https://example.com/a%20b"])
def test_a_location_is_a_uri(uri):
    assert check(V1_6, "GetDiagnostics", {"location": uri}) is None


def test_a_location_that_is_no_uri_is_refused():
    violation = code(V1_6, "GetDiagnostics", {"location": "not a uri"})

    assert violation == ("PropertyConstraintViolation", "format", "location")


@pytest.mark.parametrize("version", V2)
def test_custom_data_with_a_vendor_passes_with_whatever_else_it_holds(version):
    custom = {"vendorId": "com.example", "anything": {"deep": [1, None, "ü"]}}

    assert check(version, "BootNotification", boot(version, customData=custom)) is None
    assert code(version, "BootNotification", boot(version, customData={"anything": 1})) == (
        "OccurrenceConstraintViolation",
        "required",
        "customData",
    )


def charging_profile(limit):
    schedule = {"chargingRateUnit": "A", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": limit}]}
    profile = {"chargingProfileId": 1, "stackLevel": 0, "chargingProfilePurpose": "TxProfile"}
    profile |= {"chargingProfileKind": "Absolute", "chargingSchedule": schedule}
    return {"connectorId": 1, "csChargingProfiles": profile}
