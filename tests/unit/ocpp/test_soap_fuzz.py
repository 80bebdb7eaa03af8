"""Whatever bytes come: a request, an answer or a fault, never an exception; and whatever is refused can be told."""

import json
from xml.etree.ElementTree import fromstring

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Raw

from csms_ocpp.catalog import Role
from csms_ocpp.soap import (
    Addressing,
    Fault,
    Request,
    Response,
    Service,
    Subcode,
    Unreadable,
    read_request,
    read_response,
    write_fault,
    write_request,
    write_response,
)
from csms_ocpp.soap.namespaces import ADDRESSING, ADDRESSING_2004, SOAP, SOAP_1_1, VERSIONS, namespace
from csms_ocpp.soap.tables import tables
from csms_ocpp.version import Version

BOUNDED = settings(derandomize=True, deadline=None, max_examples=300)

BOTH = [(version, service) for version in VERSIONS for service in Service]
anything = st.text(st.characters(exclude_categories=[]), max_size=30)
charsets = st.sampled_from(["", "utf-8", "utf-16", "iso-8859-1", "x"])

VALID = [
    write_request(
        Request(Version.V1_6, Role.STATION, "CP1", "MeterValues", Raw(payload), Addressing("m1", "", "", "t", "s", "r"))
    )
    for payload in (
        b'{"connectorId":1,"meterValue":[{"timestamp":"2026-01-01T00:00:00Z","sampledValue":[{"value":"1","unit":"Wh"}]}]}',
        b'{"connectorId":1,"meterValue":[]}',
    )
] + [write_request(Request(Version.V1_5, Role.CSMS, "CP1", "GetConfiguration", Raw(b'{"key":["a","b"]}')))]
ANSWERS = [
    write_response(Response(Version.V1_6, Role.CSMS, "Reset", Raw(b'{"status":"Accepted"}'), Addressing("m2", "m1"))),
    write_fault(Fault(Subcode.NOT_SUPPORTED, "Because.", True, Version.V1_6, Role.CSMS, "m1"), "m2"),
]

PIECES = b"< > / \" & &amp; &#0; <a> </a> <!-- --> <![CDATA[ ]]> \0 <?xml?> <!DOCTYPE xmlns:a='b' \xff wsa: %s"
NAMES = (
    "Envelope Header Body Fault Code Value Subcode Reason Text chargeBoxIdentity MessageID From Address ReplyTo "
    "heartbeatRequest meterValuesRequest sendLocalListRequest startTransactionRequest resetResponse x "
    "values value localAuthorisationList idTagInfo connectorId status"
)

pieces = st.sampled_from([*PIECES.split(b" "), b"\xef\xbb\xbf", b"<!DOCTYPE a>", b" s:mustUnderstand='1'"])


@st.composite
def mutated(draw, messages: list[bytes]) -> bytes:
    """A message that was valid, with bytes cut out, put in or moved."""
    text = bytearray(draw(st.sampled_from(messages)))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        end = start + draw(st.integers(0, 12))
        text[start:end] = draw(st.binary(max_size=3) | pieces | st.just(bytes(text[end : end + 40])))
    return bytes(text)


names = st.sampled_from(NAMES.split())
uris = st.sampled_from([SOAP, SOAP_1_1, ADDRESSING, ADDRESSING_2004, "", "urn:x", *(namespace(*each) for each in BOTH)])
texts = st.sampled_from(["", " ", "1", "true", "CP1", "2026-01-01T00:00:00Z", "&#9;", "é", "s:Sender", "x" * 300])
attributes = st.sampled_from(["", f' xmlns:s="{SOAP}" s:mustUnderstand="true"', ' unit="Wh"', ' value="1"'])


def element(name: str, uri: str, attribute: str, text: str, children: list[str]) -> str:
    return f'<{name} xmlns="{uri}"{attribute}>{text}{"".join(children)}{text}</{name}>'


trees = st.recursive(
    st.builds(element, names, uris, attributes, texts, st.just([])),
    lambda inner: st.builds(element, names, uris, attributes, texts, st.lists(inner, max_size=4)),
    max_leaves=12,
)


def envelope(header: str, body: list[str]) -> bytes:
    inner = f"<s:Header>{header}</s:Header><s:Body>{''.join(body)}</s:Body>"
    return f'<s:Envelope xmlns:s="{SOAP}">{inner}</s:Envelope>'.encode()


envelopes = trees.map(str.encode) | st.builds(envelope, trees, st.lists(trees, max_size=2))


@given(st.binary(max_size=200) | mutated(VALID) | mutated(ANSWERS) | envelopes, charsets)
@BOUNDED
def test_any_bytes_are_a_request_or_a_fault_that_can_be_sent(body, charset):
    read = read_request(body, charset)

    if isinstance(read, Request):
        assert isinstance(json.loads(bytes(read.payload)), dict)
    else:
        assert isinstance(read, Fault)
        assert read.reason.endswith(".")
        assert fromstring(write_fault(read, "m")).tag == f"{{{SOAP}}}Envelope"


@given(st.binary(max_size=200) | mutated(ANSWERS) | mutated(VALID) | envelopes, charsets, st.sampled_from(VERSIONS))
@BOUNDED
def test_any_bytes_are_an_answer_of_some_kind(body, charset, version):
    read = read_response(body, version, Service.CHARGE_POINT, "Reset", charset)

    if isinstance(read, Response):
        assert isinstance(json.loads(bytes(read.payload)), dict)
    else:
        assert isinstance(read, Fault | Unreadable)


@given(
    st.builds(
        Fault,
        anything | st.sampled_from(Subcode),
        anything,
        st.booleans(),
        st.sampled_from([None, *VERSIONS]),
        st.sampled_from(Role),
        anything,
    ),
    anything,
)
@BOUNDED
def test_any_fault_can_be_written_and_read(fault, message_id):
    text = write_fault(fault, message_id)

    assert isinstance(read_response(text, Version.V1_6, Service.CHARGE_POINT, "Reset"), Fault)


@given(
    st.sampled_from(BOTH),
    anything,
    st.builds(Addressing, anything, anything, anything, anything, anything, anything),
)
@BOUNDED
def test_any_headers_can_be_written_and_read(both, identity, addressing):
    version, service = both
    text = write_request(Request(version, service.asker, identity, "DataTransfer", Raw(b"{}"), addressing))

    read = read_request(text)

    assert isinstance(read, Request)
    assert (read.version, read.asker, read.action) == (version, service.asker, "DataTransfer")


@pytest.mark.parametrize(("version", "service"), BOTH)
def test_every_empty_message_is_read_and_written(version, service):
    for action in tables(version, service).operations:
        asked = read_request(write_request(Request(version, service.asker, "CP1", action, Raw(b"{}"))))
        answered = write_response(Response(version, service.asker, action, Raw(b"{}")))
        read = read_response(answered, version, service, action)

        assert asked == Request(version, service.asker, "CP1", action, Raw(b"{}"), asked.addressing)
        assert read == Response(version, service.asker, action, Raw(b"{}"), read.addressing)
