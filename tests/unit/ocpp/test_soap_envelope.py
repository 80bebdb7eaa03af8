"""Envelopes of foreign make are understood, however they are written; ours say what they must."""

import re
from io import BytesIO
from xml.etree import ElementTree

import pytest
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
from csms_ocpp.soap.faults import MAX_REASON
from csms_ocpp.soap.namespaces import ADDRESSING, ADDRESSING_2004, SOAP, SOAP_1_1
from csms_ocpp.version import Version

CS_1_5, CP_1_5 = "urn://Ocpp/Cs/2012/06/", "urn://Ocpp/Cp/2012/06/"
CS_1_6, CP_1_6 = "urn://Ocpp/Cs/2015/10/", "urn://Ocpp/Cp/2015/10/"
NAMESPACES = [
    (CS_1_5, Version.V1_5, Service.CENTRAL_SYSTEM),
    (CP_1_5, Version.V1_5, Service.CHARGE_POINT),
    (CS_1_6, Version.V1_6, Service.CENTRAL_SYSTEM),
    (CP_1_6, Version.V1_6, Service.CHARGE_POINT),
]
HEARTBEAT = f'<c:heartbeatRequest xmlns:c="{CS_1_6}"/>'
RESET = f'<c:resetResponse xmlns:c="{CP_1_6}"><c:status>Accepted</c:status></c:resetResponse>'
ASKED = Request(Version.V1_6, Role.STATION, "CP1", "Heartbeat", Raw(b"{}"))


def envelope(body: str = HEARTBEAT, header: str = "", soap: str = SOAP) -> bytes:
    return f'<s:Envelope xmlns:s="{soap}"><s:Header>{header}</s:Header><s:Body>{body}</s:Body></s:Envelope>'.encode()


def identity(text: str = "CP1") -> str:
    return f'<c:chargeBoxIdentity xmlns:c="{CS_1_6}" s:mustUnderstand="true">{text}</c:chargeBoxIdentity>'


def addressing(blocks: str, namespace: str = ADDRESSING) -> str:
    """Header blocks, written in the prefix `w`."""
    return re.sub(r"<w:(\w+)", rf'<w:\1 xmlns:w="{namespace}"', blocks)


def asked(body: str = HEARTBEAT, header: str = "") -> Request:
    request = read_request(envelope(body, header))
    assert isinstance(request, Request), request
    return request


def refused(body: bytes) -> Fault:
    fault = read_request(body)
    assert isinstance(fault, Fault), fault
    return fault


def headers_of(text: bytes) -> list[tuple[str, str]]:
    """Every header block's name and text, in order; a reference's text is its address."""
    header = ElementTree.fromstring(text).find(f"{{{SOAP}}}Header")
    assert header is not None
    return [(block.tag, block.text or block.findtext(f"{{{ADDRESSING}}}Address") or "") for block in header]


# Requests


def test_a_request_is_read_with_all_its_headers():
    header = identity() + addressing(
        "<w:MessageID>urn:uuid:1</w:MessageID><w:RelatesTo>urn:uuid:0</w:RelatesTo><w:Action>/Heartbeat</w:Action>"
        "<w:To>http://csms/Ocpp</w:To><w:From><w:Address>http://cp/from</w:Address></w:From>"
        "<w:ReplyTo><w:Address>http://cp/reply</w:Address></w:ReplyTo>"
    )

    request = read_request(envelope(HEARTBEAT, header))

    assert request == Request(
        Version.V1_6,
        Role.STATION,
        "CP1",
        "Heartbeat",
        Raw(b"{}"),
        Addressing("urn:uuid:1", "urn:uuid:0", "/Heartbeat", "http://csms/Ocpp", "http://cp/from", "http://cp/reply"),
    )


@pytest.mark.parametrize(("namespace", "version", "service"), NAMESPACES)
@pytest.mark.parametrize("name", ["dataTransferRequest", "DataTransferRequest"])
def test_the_bodys_element_tells_version_service_and_action(namespace, version, service, name):
    payload = "<vendorId>V</vendorId>"

    requests = [
        asked(f'<{name} xmlns="{namespace}">{payload}</{name}>'),
        asked(f'<{name} xmlns="{namespace.rstrip("/")}">{payload}</{name}>'),
    ]

    assert requests == [Request(version, service.asker, "", "DataTransfer", Raw(b'{"vendorId":"V"}'))] * 2


def test_a_request_without_any_header_is_read():
    request = read_request(f'<Envelope xmlns="{SOAP}"><Body>{HEARTBEAT}</Body></Envelope>'.encode())

    assert request == Request(Version.V1_6, Role.STATION, "", "Heartbeat", Raw(b"{}"))


def test_the_charset_of_the_http_header_is_used():
    body = envelope(f'<c:dataTransferRequest xmlns:c="{CS_1_6}"><c:vendorId>é</c:vendorId></c:dataTransferRequest>')

    request = read_request(body.decode().encode("iso-8859-1"), "iso-8859-1")

    assert isinstance(request, Request)
    assert bytes(request.payload) == '{"vendorId":"é"}'.encode()


@pytest.mark.parametrize(
    "block",
    [
        '<chargeBoxIdentity xmlns="urn://Ocpp/Cs/2015/10/">CP1</chargeBoxIdentity>',
        "<chargeBoxIdentity>CP1</chargeBoxIdentity>",
        '<x:ChargeBoxIdentity xmlns:x="urn:somewhere" s:mustUnderstand="1">\n CP1\t</x:ChargeBoxIdentity>',
        "<CHARGEBOXIDENTITY>CP1</CHARGEBOXIDENTITY><chargeBoxIdentity>CP2</chargeBoxIdentity>",
        "<chargeBoxIdentity/><chargeBoxIdentity>CP1</chargeBoxIdentity>",
    ],
)
def test_the_identity_is_found_by_its_name_in_any_case_and_namespace(block):
    assert asked(header=block).identity == "CP1"


def test_the_action_header_is_kept_but_does_not_decide():
    request = asked(header=addressing("<w:Action>/BootNotification</w:Action>"))

    assert (request.action, request.addressing.action) == ("Heartbeat", "/BootNotification")


@pytest.mark.parametrize("namespace", [ADDRESSING, ADDRESSING_2004])
def test_addressing_of_2004_is_as_good_and_space_around_values_is_nothing(namespace):
    request = asked(
        header=addressing(
            "<w:MessageID>\n  m1 </w:MessageID><w:From><w:Address> http://cp/ </w:Address></w:From>", namespace
        )
    )

    assert request.addressing == Addressing(message_id="m1", source="http://cp/")


@pytest.mark.parametrize(
    "address",
    [f"{ADDRESSING}/anonymous", f" {ADDRESSING}/none\n", f"{ADDRESSING_2004}/role/anonymous", "", " "],
)
def test_an_anonymous_address_is_no_address(address):
    request = asked(
        header=addressing(
            f"<w:From><w:Address>{address}</w:Address></w:From><w:ReplyTo><w:Address>{address}</w:Address></w:ReplyTo>"
        )
    )

    assert request.addressing == Addressing()


def test_a_reference_without_an_address_and_repeated_blocks_do_no_harm():
    request = asked(
        header=addressing("<w:From/><w:From><w:Address>http://b/</w:Address></w:From><w:To>1</w:To><w:To>2</w:To>")
    )

    assert request.addressing == Addressing(to="1")


@pytest.mark.parametrize(
    "attributes",
    [
        's:mustUnderstand="true"',
        's:mustUnderstand="1" s:role=""',
        f's:mustUnderstand=" true " s:role="{SOAP}/role/next"',
        f's:mustUnderstand="1" s:role="{SOAP}/role/ultimateReceiver"',
    ],
)
def test_a_header_that_must_be_understood_and_is_not_is_a_fault(attributes):
    header = addressing("<w:MessageID>m1</w:MessageID>") + f'<x:Security xmlns:x="urn:x" {attributes}/>'

    fault = read_request(envelope(HEARTBEAT, header))

    assert fault == Fault(
        Subcode.MUST_UNDERSTAND,
        "The header Security is not understood here.",
        version=Version.V1_6,
        message_id="m1",
    )


@pytest.mark.parametrize(
    "block",
    [
        '<x:Security xmlns:x="urn:x"><x:Token/></x:Security>',
        '<x:Security xmlns:x="urn:x" s:mustUnderstand="false"/>',
        '<x:Security xmlns:x="urn:x" s:mustUnderstand="0"/>',
        '<x:Security xmlns:x="urn:x" mustUnderstand="true"/>',
        f'<x:Security xmlns:x="urn:x" s:mustUnderstand="true" s:role="{SOAP}/role/none"/>',
        '<x:Security xmlns:x="urn:x" s:mustUnderstand="true" s:role="urn:somebody-else"/>',
        f'<w:FaultTo xmlns:w="{ADDRESSING}" s:mustUnderstand="true"><w:Address>http://f/</w:Address></w:FaultTo>',
    ],
)
def test_other_headers_are_ignored(block):
    assert asked(header=identity() + block) == ASKED


# Refusals


@pytest.mark.parametrize("body", [b"", b"{}", b"<a", b"\xff\xfe", b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'])
def test_what_is_no_xml_is_a_protocol_error(body):
    fault = refused(body)

    assert (fault.subcode, fault.sender, fault.version, fault.status) == (Subcode.PROTOCOL_ERROR, True, None, 400)
    assert fault.reason.endswith(".")


def test_a_soap_1_1_envelope_is_a_version_mismatch():
    fault = read_request(envelope(HEARTBEAT, addressing("<w:MessageID>m1</w:MessageID>"), SOAP_1_1))

    reason = "This is a SOAP 1.1 envelope, and SOAP 1.2 is spoken here."
    assert fault == Fault(Subcode.VERSION_MISMATCH, reason, version=Version.V1_6, message_id="m1")


@pytest.mark.parametrize("root", ["<html/>", "<Envelope/>", f'<Body xmlns="{SOAP}"/>', '<Envelope xmlns="urn:x"/>'])
def test_another_root_is_a_protocol_error(root):
    name = root.strip("</>").partition(" ")[0]

    assert refused(root.encode()) == Fault(Subcode.PROTOCOL_ERROR, f"{name} is not a SOAP 1.2 envelope.")


@pytest.mark.parametrize(
    ("document", "count"),
    [
        (f'<s:Envelope xmlns:s="{SOAP}"/>', 0),
        (f'<s:Envelope xmlns:s="{SOAP}"><s:Body/></s:Envelope>', 0),
        (f'<s:Envelope xmlns:s="{SOAP}"><s:Body> text <!-- {HEARTBEAT} --></s:Body></s:Envelope>', 0),
        (f'<s:Envelope xmlns:s="{SOAP}"><s:Body>{HEARTBEAT * 3}</s:Body></s:Envelope>', 3),
    ],
)
def test_a_body_has_exactly_one_element(document, count):
    fault = Fault(Subcode.PROTOCOL_ERROR, f"The SOAP body has {count} elements, expected one.")

    assert refused(document.encode()) == fault


def test_an_unknown_namespace_is_a_protocol_error_that_says_what_is_spoken():
    fault = refused(
        envelope('<heartbeatRequest xmlns="urn://Ocpp/Cs/2010/08/"/>', addressing("<w:MessageID>m</w:MessageID>"))
    )

    assert fault == Fault(
        Subcode.PROTOCOL_ERROR,
        "The namespace urn://Ocpp/Cs/2010/08/ is not one of OCPP 1.5 and 1.6: urn://Ocpp/Cs/2012/06/, "
        "urn://Ocpp/Cp/2012/06/, urn://Ocpp/Cs/2015/10/, urn://Ocpp/Cp/2015/10/.",
        message_id="m",
    )


@pytest.mark.parametrize(("namespace", "version", "service"), NAMESPACES)
@pytest.mark.parametrize(
    "name", ["teapotRequest", "heartbeat", "heartbeatResponse", "resetResponse", "hEARTBEATRequest"]
)
def test_an_unknown_operation_is_not_supported(namespace, version, service, name):
    fault = refused(envelope(f'<{name} xmlns="{namespace}"/>', addressing("<w:MessageID>m</w:MessageID>")))

    reason = f"{name} is not a request to the {service}."
    assert fault == Fault(Subcode.NOT_SUPPORTED, reason, True, version, service.asker, "m")


def test_one_services_operation_is_not_anothers():
    fault = refused(envelope(f'<resetRequest xmlns="{CS_1_6}"/>'))

    assert fault.subcode == Subcode.NOT_SUPPORTED


def test_names_that_are_made_up_do_not_make_long_reasons():
    name = "n" * 10_000

    faults = [
        refused(f"<{name}/>".encode()),
        refused(envelope(f'<a xmlns="urn:{name}"/>')),
        refused(envelope(f'<{name} xmlns="{CS_1_6}"/>')),
        refused(envelope(HEARTBEAT, f'<{name} s:mustUnderstand="1"/>')),
    ]

    assert max(len(fault.reason) for fault in faults) <= MAX_REASON


# Answers


def read(body: bytes, action: str = "Reset") -> Response | Fault | Unreadable:
    return read_response(body, Version.V1_6, Service.CHARGE_POINT, action)


def test_an_answer_is_read_with_its_headers():
    header = addressing("<w:MessageID>m2</w:MessageID><w:RelatesTo>m1</w:RelatesTo><w:Action>/ResetResponse</w:Action>")

    response = read(envelope(RESET, header))

    assert response == Response(
        Version.V1_6,
        Role.CSMS,
        "Reset",
        Raw(b'{"status":"Accepted"}'),
        Addressing("m2", "m1", "/ResetResponse"),
    )


@pytest.mark.parametrize("namespace", [CP_1_5, CS_1_6, "urn:other", ""])
@pytest.mark.parametrize("name", ["resetResponse", "ResetResponse"])
@pytest.mark.parametrize("soap", [SOAP, SOAP_1_1])
def test_only_the_name_of_an_answer_counts(namespace, name, soap):
    response = read(envelope(f'<{name} xmlns="{namespace}"><status>Accepted</status></{name}>', "", soap))

    assert response == Response(Version.V1_6, Role.CSMS, "Reset", Raw(b'{"status":"Accepted"}'))


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "The body is not well-formed XML: no element found."),
        (b"<html/>", "html is not a SOAP envelope."),
        (envelope(""), "The SOAP body is empty."),
        (f'<s:Envelope xmlns:s="{SOAP}"/>'.encode(), "The SOAP body is empty."),
        (envelope(HEARTBEAT), "The answer is heartbeatRequest, expected resetResponse."),
        (envelope("<Fault/>"), "The answer is Fault, expected resetResponse."),
    ],
)
def test_what_is_no_answer_is_unreadable(body, reason):
    assert read(body) == Unreadable(reason)


def soap_fault(code: str, subcode: str = "", reason: str = "Because.") -> bytes:
    inner = f"<s:Subcode><s:Value>{subcode}</s:Value></s:Subcode>" if subcode else ""
    return envelope(
        f"<s:Fault><s:Code><s:Value>{code}</s:Value>{inner}</s:Code>"
        f'<s:Reason><s:Text xml:lang="en"> {reason} </s:Text></s:Reason></s:Fault>',
        addressing("<w:RelatesTo>m1</w:RelatesTo>"),
    )


@pytest.mark.parametrize(
    ("body", "subcode", "sender"),
    [
        (soap_fault("s:Sender", "cp:NotSupported"), "NotSupported", True),
        (soap_fault("s:Receiver", "cp:InternalError"), "InternalError", False),
        (soap_fault("Receiver", " InternalError\n"), "InternalError", False),
        (soap_fault("s:Receiver"), "", False),
        (soap_fault("s:MustUnderstand"), "MustUnderstand", True),
        (soap_fault("s:VersionMismatch"), "VersionMismatch", True),
    ],
)
def test_a_fault_is_read(body, subcode, sender):
    fault = read(body)

    assert fault == Fault(subcode, "Because.", sender, Version.V1_6, Role.CSMS, "m1")


@pytest.mark.parametrize(
    ("code", "subcode", "sender"),
    [("s:Client", "", True), ("s:Server", "", False), ("cp:InternalError", "InternalError", False)],
)
def test_a_soap_1_1_fault_is_read(code, subcode, sender):
    body = f"<s:Fault><faultcode>{code}</faultcode><faultstring>Because.</faultstring></s:Fault>"

    fault = read(envelope(body, "", SOAP_1_1))

    assert fault == Fault(subcode, "Because.", sender, Version.V1_6, Role.CSMS)


def test_a_fault_that_says_nothing_is_a_fault_and_a_talkative_one_is_cut():
    silent = read(envelope("<s:Fault/>"))
    talkative = read(soap_fault("s:Sender", "NotSupported", "x" * 1000))

    assert silent == Fault("", "", False, Version.V1_6, Role.CSMS)
    assert isinstance(talkative, Fault)
    assert talkative.reason == "x" * MAX_REASON


# What we write


@pytest.mark.parametrize(("namespace", "version", "service"), NAMESPACES)
def test_a_request_is_written_with_its_headers(namespace, version, service):
    request = Request(
        version,
        service.asker,
        "CP<1>",
        "DataTransfer",
        Raw(b'{"vendorId":"V&W"}'),
        Addressing("urn:uuid:1", to="http://cp/?a&b", source="http://csms/Ocpp"),
    )

    text = write_request(request)

    assert headers_of(text) == [
        (f"{{{namespace}}}chargeBoxIdentity", "CP<1>"),
        (f"{{{ADDRESSING}}}Action", "/DataTransfer"),
        (f"{{{ADDRESSING}}}MessageID", "urn:uuid:1"),
        (f"{{{ADDRESSING}}}To", "http://cp/?a&b"),
        (f"{{{ADDRESSING}}}From", "http://csms/Ocpp"),
        (f"{{{ADDRESSING}}}ReplyTo", f"{ADDRESSING}/anonymous"),
    ]
    header = ElementTree.fromstring(text)[0]
    assert [block.get(f"{{{SOAP}}}mustUnderstand") for block in header] == ["true", "true", None, None, None, None]


def test_a_request_is_read_as_it_was_written():
    addressed = Addressing("urn:uuid:1", "", "/DataTransfer", "http://cp/", "http://csms/Ocpp", "http://csms/reply")
    request = Request(Version.V1_5, Role.CSMS, "Ü & <x>", "DataTransfer", Raw(b'{"vendorId":"V"}'), addressed)

    assert read_request(write_request(request)) == request


def test_headers_that_have_nothing_to_say_are_left_out_of_a_request():
    text = write_request(Request(Version.V1_6, Role.STATION, "CP1", "Heartbeat", Raw(b"{}")))

    assert headers_of(text) == [
        (f"{{{CS_1_6}}}chargeBoxIdentity", "CP1"),
        (f"{{{ADDRESSING}}}Action", "/Heartbeat"),
        (f"{{{ADDRESSING}}}ReplyTo", f"{ADDRESSING}/anonymous"),
    ]


@pytest.mark.parametrize(("namespace", "version", "service"), NAMESPACES)
def test_a_response_is_written_with_its_headers_and_read_as_it_was_written(namespace, version, service):
    addressed = Addressing("m2", "m1", "/DataTransferResponse")
    response = Response(version, service.asker, "DataTransfer", Raw(b'{"status":"Accepted"}'), addressed)

    text = write_response(response)

    assert headers_of(text) == [
        (f"{{{ADDRESSING}}}Action", "/DataTransferResponse"),
        (f"{{{ADDRESSING}}}MessageID", "m2"),
        (f"{{{ADDRESSING}}}RelatesTo", "m1"),
    ]
    body = ElementTree.fromstring(text)[1][0]
    assert (body.tag, body[0].tag) == (f"{{{namespace}}}dataTransferResponse", f"{{{namespace}}}status")
    assert read_response(text, version, service, "DataTransfer") == response


def test_a_response_to_a_request_without_a_message_id_relates_to_nothing():
    text = write_response(Response(Version.V1_6, Role.CSMS, "Reset", Raw(b'{"status":"Accepted"}'), Addressing("m2")))

    assert [name for name, _ in headers_of(text)] == [f"{{{ADDRESSING}}}Action", f"{{{ADDRESSING}}}MessageID"]


def codes_of(text: bytes) -> list[str]:
    """Code/Value and Code/Subcode/Value with their prefixes resolved."""
    namespaces: dict[str, str] = {}
    codes = []
    for event, item in ElementTree.iterparse(BytesIO(text), ("start-ns", "end")):
        if event == "start-ns":
            namespaces[item[0]] = item[1]
        elif item.tag == f"{{{SOAP}}}Value":
            prefix, _, name = item.text.partition(":")
            codes.append(f"{{{namespaces[prefix]}}}{name}")
    return codes


@pytest.mark.parametrize(("namespace", "version", "service"), NAMESPACES)
def test_a_fault_is_written_with_codes_in_their_namespaces(namespace, version, service):
    fault = Fault(Subcode.SECURITY_ERROR, "No <way> & no \0.", True, version, service.asker, "m1")

    text = write_fault(fault, "m2")

    assert codes_of(text) == [f"{{{SOAP}}}Sender", f"{{{namespace}}}SecurityError"]
    assert headers_of(text) == [
        (f"{{{ADDRESSING}}}Action", f"{ADDRESSING}/soap/fault"),
        (f"{{{ADDRESSING}}}MessageID", "m2"),
        (f"{{{ADDRESSING}}}RelatesTo", "m1"),
    ]
    reason = ElementTree.fromstring(text).find(f".//{{{SOAP}}}Text")
    assert reason is not None
    assert reason.text == "No <way> & no \ufffd."
    assert reason.attrib == {"{http://www.w3.org/XML/1998/namespace}lang": "en"}


@pytest.mark.parametrize(
    ("fault", "codes"),
    [
        (Fault(Subcode.INTERNAL_ERROR, "", False), [f"{{{SOAP}}}Receiver", f"{{{CS_1_6}}}InternalError"]),
        (Fault("", ""), [f"{{{SOAP}}}Sender"]),
        (Fault("not a <name>", ""), [f"{{{SOAP}}}Sender", f"{{{CS_1_6}}}GenericError"]),
        (Fault(Subcode.VERSION_MISMATCH, ""), [f"{{{SOAP}}}VersionMismatch"]),
        (Fault(Subcode.MUST_UNDERSTAND, ""), [f"{{{SOAP}}}MustUnderstand"]),
    ],
)
def test_soaps_own_faults_have_no_subcode_and_an_unknown_version_speaks_1_6(fault, codes):
    assert codes_of(write_fault(fault, "")) == codes


def test_a_version_mismatch_names_the_envelope_that_is_understood():
    header = ElementTree.fromstring(write_fault(Fault(Subcode.VERSION_MISMATCH, ""), ""))[0]

    supported = header.find(f"{{{SOAP}}}Upgrade/{{{SOAP}}}SupportedEnvelope")
    assert supported is not None
    assert supported.get("qname") == "s:Envelope"


def test_a_fault_is_read_as_it_was_written():
    fault = Fault(Subcode.NOT_SUPPORTED, "Because.", True, Version.V1_6, Role.CSMS, "m1")

    assert read(write_fault(fault, "m2")) == fault
