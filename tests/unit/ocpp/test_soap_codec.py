"""Elements ↔ the JSON shape: what is read however it is written, and what is written however it was given."""

import json
import time
from typing import Any

import pytest

from csms_ocpp.soap.codec import reader, writer
from csms_ocpp.soap.tables import Service
from csms_ocpp.soap.xml import parse
from csms_ocpp.version import Version

CENTRAL, POINT = Service.CENTRAL_SYSTEM, Service.CHARGE_POINT
WHEN = "2026-03-01T10:00:00Z"


def read(message: str, body: str, version: Version = Version.V1_6, service: Service = CENTRAL) -> Any:
    root = parse(body.encode())
    assert not isinstance(root, str), root
    return json.loads(reader(version, service, message)(root))


def write(message: str, payload: object, version: Version = Version.V1_6, service: Service = CENTRAL) -> str:
    text = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return writer(version, service, message)(text)


def body(version: Version, service: Service, name: str, inner: str) -> str:
    year = {Version.V1_5: "2012/06", Version.V1_6: "2015/10"}[version]
    namespace = f"urn://Ocpp/{'Cs' if service is CENTRAL else 'Cp'}/{year}/"
    return f'<{name} xmlns="{namespace}">{inner}</{name}>'


# --- reading ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("7", 7),
        (" 7\n", 7),
        ("+07", 7),
        ("-1", -1),
        ("7.0", "7.0"),
        ("x", "x"),
        ("1e3", "1e3"),
        ("٧", "٧"),
        ("0" * 5000 + "7", 7),
        ("-000", 0),
        (str(2**63 - 1), 2**63 - 1),
        (str(-(2**63)), -(2**63)),
        (str(2**63), str(2**63)),
        ("9" * 5000, "9" * 5000),
    ],
)
def test_integers_are_numbers_and_what_is_none_stays_text(written: str, value: object) -> None:
    found = read("MeterValuesRequest", f"<r><connectorId>{written}</connectorId></r>")

    assert found == {"connectorId": value}


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("16", 16),
        ("8.5", 8.5),
        (" .5 ", 0.5),
        ("+1.", 1),
        ("NaN", "NaN"),
        ("INF", "INF"),
        ("1" * 400, "1" * 400),
        ("8,5", "8,5"),
    ],
)
def test_decimals_are_numbers_and_what_is_none_stays_text(written: str, value: object) -> None:
    schedule = f"<chargingSchedule><minChargingRate>{written}</minChargingRate></chargingSchedule>"
    found = read("GetCompositeScheduleResponse", f"<r>{schedule}</r>", service=POINT)

    assert found == {"chargingSchedule": {"minChargingRate": value}}


@pytest.mark.parametrize(
    ("written", "value"), [("true", True), ("1", True), (" FALSE ", False), ("0", False), ("yes", "yes"), ("", "")]
)
def test_booleans_are_booleans_and_what_is_none_stays_text(written: str, value: object) -> None:
    key = f"<configurationKey><readonly>{written}</readonly></configurationKey>"
    found = read("GetConfigurationResponse", f"<r>{key}</r>", service=POINT)

    assert found == {"configurationKey": [{"readonly": value}]}


@pytest.mark.parametrize(
    "written", [WHEN, "2026-03-01T10:00:00", "2026-03-01T10:00:00.123+05:30", "2026-03-01T10:00:00-14:00"]
)
def test_times_keep_their_zone_whatever_it_is(written: str) -> None:
    assert read("HeartbeatResponse", f"<r><currentTime>\n{written} </currentTime></r>") == {"currentTime": written}


def test_names_count_without_prefix_namespace_or_order_and_unknown_ones_are_left_out() -> None:
    found = read(
        "StartTransactionRequest",
        '<x:r xmlns:x="urn://a" xmlns:y="urn://b" z="1"><meterStart>5</meterStart><y:idTag a="b">T</y:idTag>'
        "<shoe><idTag>other</idTag></shoe><x:connectorId>1</x:connectorId></x:r>",
    )

    assert found == {"meterStart": 5, "idTag": "T", "connectorId": 1}


def test_comments_instructions_and_cdata_are_part_of_no_text_and_all_of_it() -> None:
    found = read(
        "DataTransferRequest",
        "<r><!-- a --><vendorId>o<!-- b -->rg<?pi?>.x</vendorId><data> <![CDATA[<a>&amp;]]>&lt;/a&gt; </data></r>",
    )

    assert found == {"vendorId": "org.x", "data": " <a>&amp;</a> "}


def test_an_empty_element_of_an_optional_type_is_absent_but_an_empty_text_is_one() -> None:
    found = read(
        "StatusNotificationRequest",
        '<r xmlns:i="http://www.w3.org/2001/XMLSchema-instance"><connectorId/><info/><timestamp> </timestamp>'
        '<vendorId i:nil="true"/><vendorErrorCode i:nil="false">7</vendorErrorCode></r>',
    )

    assert found == {"connectorId": "", "info": "", "vendorErrorCode": "7"}


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("<idTagInfo/>", {}),
        ("<idTagInfo> \n </idTagInfo>", {}),
        ("<idTagInfo>Accepted</idTagInfo>", {"idTagInfo": {}}),
        ("<idTagInfo><shoe/></idTagInfo>", {"idTagInfo": {}}),
    ],
)
def test_an_element_without_what_it_must_have_is_absent_if_it_may_be_and_has_nothing_else(
    written: str, found: object
) -> None:
    assert read("StopTransactionResponse", f"<r>{written}</r>") == found


def test_an_empty_element_stays_where_it_must_be_or_may_be_empty() -> None:
    must_be = read("AuthorizeResponse", "<r><idTagInfo/></r>")
    may_be_empty = read("StopTransactionRequest", "<r><transactionData/></r>", Version.V1_5)

    assert (must_be, may_be_empty) == ({"idTagInfo": {}}, {"transactionData": [{}]})


def test_what_repeats_is_an_array_also_once_and_of_a_single_element_the_last_counts() -> None:
    keys = read("GetConfigurationRequest", "<r><key>A</key></r>", service=POINT)
    tags = read("AuthorizeRequest", "<r><idTag>A</idTag><idTag>B</idTag></r>")

    assert (keys, tags) == ({"key": ["A"]}, {"idTag": "B"})


@pytest.mark.parametrize(
    ("written", "tag"),
    [
        ("\n  T 1\n ", "T 1"),
        ("\r\nT1", "T1"),
        (" T1 ", " T1 "),
        (" T1\n", " T1"),
        ("\nT1 ", "T1 "),
        ("T\n1", "T\n1"),
        (" \n ", ""),
    ],
)
def test_line_breaks_around_an_id_tag_are_pretty_printing(written: str, tag: str) -> None:
    assert read("AuthorizeRequest", f"<r><idTag>{written}</idTag></r>") == {"idTag": tag}


def test_1_5_s_values_have_their_attributes_beside_them() -> None:
    inner = (
        f'<connectorId>1</connectorId><values><timestamp>{WHEN}</timestamp><value unit=" Amp" b:measurand="Voltage" '
        'xmlns:b="urn://b">16</value><value>17</value></values>'
    )

    found = read("MeterValuesRequest", f"<r>{inner}</r>", Version.V1_5)

    value = [{"value": "16", "unit": "Amp", "measurand": "Voltage"}, {"value": "17"}]
    assert found == {"connectorId": 1, "values": [{"timestamp": WHEN, "value": value}]}


def test_blank_attributes_are_absent() -> None:
    inner = '<values><value unit="" context=" " format="Raw">16</value></values>'

    found = read("MeterValuesRequest", f"<r>{inner}</r>", Version.V1_5)

    assert found == {"values": [{"value": [{"value": "16", "format": "Raw"}]}]}


MILLION = 1_000_000
HOSTILE = {
    "line breaks inside an id tag": ("AuthorizeRequest", CENTRAL, "<idTag>a%sb</idTag>", "\n"),
    "an id tag of line breaks": ("AuthorizeRequest", CENTRAL, "<idTag>%s</idTag>", "\n"),
    "digits that are no integer": ("ReserveNowRequest", POINT, "<connectorId>%sx</connectorId>", "1"),
    "an endless integer": ("ReserveNowRequest", POINT, "<connectorId>%s</connectorId>", "1"),
    "zeros that are no integer": ("ReserveNowRequest", POINT, "<connectorId>%sx</connectorId>", "0"),
    "digits that are no decimal": (
        "GetCompositeScheduleResponse",
        POINT,
        "<chargingSchedule><minChargingRate>%sx</minChargingRate></chargingSchedule>",
        "1",
    ),
    "a time of spaces": ("HeartbeatResponse", CENTRAL, "<currentTime>a%sb</currentTime>", " "),
}


@pytest.mark.parametrize(("message", "service", "inner", "filling"), HOSTILE.values(), ids=HOSTILE)
def test_a_megabyte_of_malice_costs_little(message: str, service: Service, inner: str, filling: str) -> None:
    root = parse(f"<r>{inner % (filling * MILLION)}</r>".encode())
    assert not isinstance(root, str), root

    began = time.process_time()
    found = reader(Version.V1_6, service, message)(root)
    seconds = time.process_time() - began

    assert isinstance(json.loads(found), dict)
    assert seconds < 1


# --- writing ----------------------------------------------------------------------------------------------------------


def test_elements_come_in_wire_order() -> None:
    payload = {"meterStart": 5, "timestamp": WHEN, "idTag": "T", "connectorId": 1}

    assert write("StartTransactionRequest", payload) == body(
        Version.V1_6,
        CENTRAL,
        "startTransactionRequest",
        f"<connectorId>1</connectorId><idTag>T</idTag><timestamp>{WHEN}</timestamp><meterStart>5</meterStart>",
    )


def test_a_message_without_parts_is_an_empty_element() -> None:
    assert write("HeartbeatRequest", {}) == '<heartbeatRequest xmlns="urn://Ocpp/Cs/2015/10/"/>'


@pytest.mark.parametrize(
    ("limit", "written"),
    [
        (16, "16.0"),
        (-16, "-16.0"),
        (8.5, "8.5"),
        (0.1, "0.1"),
        (1e16, "10000000000000000.0"),
        (int("1" * 400), f"{'1' * 400}.0"),
    ],
)
def test_limits_have_one_digit_after_the_point(limit: float, written: str) -> None:
    period = {"chargingSchedulePeriod": [{"startPeriod": 0, "limit": limit}], "chargingRateUnit": "A"}

    text = write("GetCompositeScheduleResponse", {"status": "Accepted", "chargingSchedule": period}, service=POINT)

    assert f"<startPeriod>0</startPeriod><limit>{written}</limit>" in text


def test_what_xml_reserves_is_escaped_and_what_it_cannot_hold_is_replaced() -> None:
    text = write("DataTransferRequest", b'{"vendorId":"<&>\\"\'","data":"a\\u0000\\uffff\\r\\n\\tb"}')

    inner = "<vendorId>&lt;&amp;&gt;&quot;'</vendorId><data>a\ufffd\ufffd&#13;\n\tb</data>"
    assert text == body(Version.V1_6, CENTRAL, "dataTransferRequest", inner)


def test_attributes_keep_their_line_breaks() -> None:
    value = {"value": "1", "unit": 'a"\n\tb'}
    payload = {"connectorId": 1, "values": [{"timestamp": WHEN, "value": [value]}]}

    text = write("MeterValuesRequest", payload, Version.V1_5)

    assert '<value unit="a&quot;&#10;&#9;b">1</value>' in text
    assert read("MeterValuesRequest", text, Version.V1_5) == payload


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"{",
        b"[]",
        b"7",
        b'"x"',
        b"null",
        b'{"idTag":{"a":[1]}}',
        b'{"idTag":[1,true]}',
        b'{"idTag":1e400}',
        b'{"idTag":"\\ud800"}',
    ],
)
def test_whatever_it_is_given_writing_does_not_raise_and_gives_xml(payload: bytes) -> None:
    assert not isinstance(parse(write("AuthorizeRequest", payload).encode()), str)


@pytest.mark.parametrize(
    "payload", [b'{"values":7}', b'{"values":[1,null,[]]}', b'{"values":[{"value":"x"}]}', b'{"values":{}}']
)
def test_parts_of_the_wrong_kind_do_not_raise_either(payload: bytes) -> None:
    assert not isinstance(parse(write("MeterValuesRequest", payload, Version.V1_5).encode()), str)


def test_messages_that_a_service_has_not_are_no_messages() -> None:
    for make in (reader, writer):
        with pytest.raises(KeyError):
            make(Version.V1_6, CENTRAL, "ResetRequest")
        with pytest.raises(KeyError):
            make(Version.V1_6, CENTRAL, "IdTagInfo")
