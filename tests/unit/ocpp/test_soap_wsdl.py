"""`zeep`, which is not ours, understands our descriptions: what it writes we read, and what we write it reads."""

import copy
import json
from datetime import datetime
from decimal import Decimal
from io import BytesIO
from typing import Any

import pytest
import requests
import zeep
from lxml import etree
from msgspec import Raw
from zeep.helpers import serialize_object
from zeep.transports import Transport

from csms_ocpp.soap import Fault, Request, Response, Service, Subcode, read_request, write_fault, write_response
from csms_ocpp.soap.codec import writer
from csms_ocpp.soap.namespaces import VERSIONS
from csms_ocpp.soap.tables import Tables, tables
from csms_ocpp.soap.wsdl import wsdl
from csms_ocpp.version import Version

LOCATION = "http://csms.example:9220/Ocpp?a=1&b=2"
WHEN = "2026-01-02T03:04:05Z"
BOTH = [(version, service) for version in VERSIONS for service in Service]
OPERATIONS = [(version, service, action) for version, service in BOTH for action in tables(version, service).operations]
PLAIN = {"int": 7, "decimal": 1.5, "boolean": True, "dateTime": WHEN, "anyURI": "ftp://h/?a&b", "string": "é & <b>"}


def sample(types: Tables, name: str, *, full: bool) -> Any:
    """A value of the type as the JSON of its version has it: with everything that is optional, or without."""
    whole = types.complex.get(name)
    if whole is None:
        simple = types.simple.get(name)
        if simple is None:
            return PLAIN[name]
        return simple.values[-1] if simple.values else PLAIN[simple.base]
    fields = [field for field in whole.fields if field.required or full]
    values = {field.name: sample(types, field.type, full=full) for field in fields}
    answer = {field.name: [values[field.name]] * 2 if field.many else values[field.name] for field in fields}
    return answer | ({"value": "text"} if whole.text else {})


def messages(version: Version, service: Service, action: str, suffix: str) -> list[dict[str, Any]]:
    types = tables(version, service)
    return [sample(types, f"{action}{suffix}", full=full) for full in (False, True)]


def raw(payload: dict[str, Any]) -> Raw:
    return Raw(json.dumps(payload, ensure_ascii=False).encode())


def for_zeep(types: Tables, name: str, value: Any) -> Any:
    """`value` as zeep wants it: text beside attributes is called `_value_1`, decimals are `Decimal`."""
    whole = types.complex.get(name)
    if whole is None:
        return Decimal(str(value)) if isinstance(value, float) else value
    given = {
        field.name: [for_zeep(types, field.type, each) for each in value[field.name]]
        if field.many
        else for_zeep(types, field.type, value[field.name])
        for field in whole.fields
        if field.name in value
    }
    return given | ({"_value_1": value["value"]} if whole.text else {})


def from_zeep(value: Any) -> Any:
    """What zeep read, in JSON's words, without what was not there."""
    match serialize_object(value, dict):
        case dict() as found:
            return {name: from_zeep(part) for name, part in found.items() if part is not None and part != []}
        case list() as found:
            return [from_zeep(part) for part in found]
        case datetime() as found:
            return found.isoformat().replace("+00:00", "Z")
        case Decimal() as found:
            return float(found)
        case found:
            return found


class Loopback(Transport):
    """Posts to `serve` instead of the network; `posted` is every (address, body, headers)."""

    def __init__(self, serve):
        super().__init__()
        self.posted: list[tuple[str, bytes, dict[str, str]]] = []
        self._serve = serve

    def post(self, address, message, headers):
        self.posted.append((address, message, headers))
        response = requests.Response()
        response.status_code, response._content = self._serve(message)
        response.headers["Content-Type"] = "application/soap+xml; charset=utf-8"
        return response


def client(version: Version, service: Service, transport: Transport | None = None) -> zeep.Client:
    return zeep.Client(BytesIO(wsdl(version, service, LOCATION)), transport=transport or Transport())


@pytest.mark.parametrize(("version", "service"), BOTH)
def test_every_operation_is_described_with_its_actions_and_the_address(version, service):
    described = client(version, service).wsdl.services[service].ports[f"{service}Soap12"]

    operations = described.binding.all()
    types = tables(version, service)
    assert described.binding_options["address"] == LOCATION
    assert sorted(operations) == sorted(types.operations)
    assert [operations[name].soapaction for name in types.operations] == [f"/{name}" for name in types.operations]
    assert [operations[name].abstract.wsa_action for name in types.operations] == [f"/{n}" for n in types.operations]


@pytest.mark.parametrize(("version", "service", "action"), OPERATIONS)
def test_what_zeep_asks_we_read_and_what_we_answer_it_reads(version, service, action):
    types = tables(version, service)
    asked: list[Request | Fault] = []
    answers = messages(version, service, action, "Response")
    rest = iter(answers)

    def serve(body: bytes) -> tuple[int, bytes]:
        asked.append(read_request(body))
        return 200, write_response(Response(version, service.asker, action, raw(next(rest))))

    transport = Loopback(serve)
    operation = getattr(client(version, service, transport).service, action)
    questions = messages(version, service, action, "Request")

    heard = [
        operation(**for_zeep(types, f"{action}Request", question), _soapheaders={"chargeBoxIdentity": "CP1"})
        for question in questions
    ]

    assert [type(each) for each in asked] == [Request, Request]
    assert [(each.version, each.asker, each.identity, each.action) for each in asked] == [
        (version, service.asker, "CP1", action)
    ] * 2
    assert [json.loads(bytes(each.payload)) for each in asked] == questions
    assert [(each.addressing.action, each.addressing.to) for each in asked] == [(f"/{action}", LOCATION)] * 2
    assert all(each.addressing.message_id.startswith("urn:uuid:") for each in asked)
    assert {address for address, _, _ in transport.posted} == {LOCATION}
    assert [from_zeep(each) for each in heard] == [zeeps_answer(types, action, answer) for answer in answers]


def zeeps_answer(types: Tables, action: str, answer: dict[str, Any]) -> Any:
    """zeep hands out the only field of an answer by itself, and None for an answer that has none."""
    fields = types.complex[f"{action}Response"].fields
    if len(fields) == 1:
        return answer.get(fields[0].name, [] if fields[0].many else None)
    return answer if fields else None


@pytest.mark.parametrize(("version", "service"), BOTH)
def test_a_fault_of_ours_is_one_to_zeep(version, service):
    def serve(body: bytes) -> tuple[int, bytes]:
        asked = read_request(body)
        assert isinstance(asked, Request)
        fault = Fault(
            Subcode.SECURITY_ERROR, "Unknown station.", True, version, service.asker, asked.addressing.message_id
        )
        return fault.status, write_fault(fault, "urn:uuid:1")

    operation = client(version, service, Loopback(serve)).service.DataTransfer

    with pytest.raises(zeep.exceptions.Fault) as raised:
        operation(vendorId="V", _soapheaders={"chargeBoxIdentity": "CP1"})

    fault = raised.value
    namespace = tables(version, service).namespace
    assert (fault.message, [str(code) for code in fault.subcodes]) == (
        "Unknown station.",
        [f"{{{namespace}}}SecurityError"],
    )


def published(version: Version, service: Service) -> etree.XMLSchema:
    """The schema inside the description, by itself."""
    found = etree.fromstring(wsdl(version, service, LOCATION)).find(".//{http://www.w3.org/2001/XMLSchema}schema")
    return etree.XMLSchema(copy.deepcopy(found))


@pytest.mark.parametrize(("version", "service"), BOTH)
def test_all_that_we_write_is_valid_by_the_schema_that_we_publish(version, service):
    schema = published(version, service)

    wrong = [
        f"{message}: {schema.error_log.last_error}"
        for action in tables(version, service).operations
        for message in (f"{action}Request", f"{action}Response")
        for full in (False, True)
        if not schema.validate(
            etree.fromstring(
                writer(version, service, message)(raw(sample(tables(version, service), message, full=full)))
            )
        )
    ]

    assert wrong == []


def test_the_schema_refuses_what_is_too_long_unknown_or_out_of_order():
    schema = published(Version.V1_6, Service.CENTRAL_SYSTEM)

    def valid(inner: str, name: str = "bootNotificationRequest") -> bool:
        return schema.validate(etree.fromstring(f'<{name} xmlns="urn://Ocpp/Cs/2015/10/">{inner}</{name}>'))

    vendor, model = "<chargePointVendor>V</chargePointVendor>", "<chargePointModel>M</chargePointModel>"
    assert valid(vendor + model)
    assert not valid(model + vendor)
    assert not valid(vendor)
    assert not valid(vendor + f"<chargePointModel>{'M' * 21}</chargePointModel>")
    assert valid("<status>Idle</status>", "diagnosticsStatusNotificationRequest")
    assert not valid("<status>Sleepy</status>", "diagnosticsStatusNotificationRequest")


@pytest.mark.parametrize(("version", "service"), BOTH)
def test_only_the_services_own_types_are_described(version, service):
    document = etree.fromstring(wsdl(version, service, LOCATION))

    names = {found.get("name") for found in document.iter("{*}simpleType", "{*}complexType")}

    uses = {
        found.get(key)
        for found in document.iter("{*}element", "{*}attribute", "{*}extension")
        for key in ("type", "base")
    }
    assert names == {use.removeprefix("tns:") for use in uses if use and use.startswith("tns:")}


def test_a_decimal_has_as_many_digits_as_its_type_allows():
    def limit(text: str) -> bytes:
        return (
            '<setChargingProfileRequest xmlns="urn://Ocpp/Cp/2015/10/"><connectorId>1</connectorId><csChargingProfiles>'
            "<chargingProfileId>1</chargingProfileId><stackLevel>0</stackLevel>"
            "<chargingProfilePurpose>TxProfile</chargingProfilePurpose>"
            "<chargingProfileKind>Relative</chargingProfileKind><chargingSchedule><chargingRateUnit>A</chargingRateUnit>"
            f"<chargingSchedulePeriod><startPeriod>0</startPeriod><limit>{text}</limit></chargingSchedulePeriod>"
            "</chargingSchedule></csChargingProfiles></setChargingProfileRequest>"
        ).encode()

    schema = published(Version.V1_6, Service.CHARGE_POINT)

    valid = [schema.validate(etree.fromstring(limit(text))) for text in ("16.5", "16", "16.55", "lots")]

    assert valid == [True, True, False, False]
