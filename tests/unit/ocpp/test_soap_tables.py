"""The tables of SOAP types against what else is known: the catalog, and 1.6's official JSON schemas."""

from typing import Any

import pytest

from csms_ocpp.catalog import Role, asked_by
from csms_ocpp.schemas import REQUEST, RESPONSE, document
from csms_ocpp.soap.tables import Complex, Field, Service, Tables, tables
from csms_ocpp.version import Version

BOTH = [(version, service) for version in (Version.V1_5, Version.V1_6) for service in Service]
SECURITY_EXTENSION = {
    Role.STATION: {
        "LogStatusNotification", "SecurityEventNotification", "SignCertificate", "SignedFirmwareStatusNotification",
    },
    Role.CSMS: {
        "CertificateSigned", "DeleteCertificate", "ExtendedTriggerMessage", "GetInstalledCertificateIds", "GetLog",
        "InstallCertificate", "SignedUpdateFirmware",
    },
}  # fmt: skip
MESSAGES = [
    (service, action, part)
    for service in Service
    for action in tables(Version.V1_6, service).operations
    for part in (REQUEST, RESPONSE)
]
# Where 1.6's JSON schema asks for what its XML type leaves out, and the other way round.
STRICTER_IN_JSON = {("MeterValues", REQUEST, "meterValue"): True}
# Words that only the JSON schemas have; the first is a spelling mistake, which their errata correct.
ONLY_IN_JSON = {"Celcius", "Hertz"}


@pytest.mark.parametrize(("version", "service"), BOTH)
def test_a_service_has_the_operations_of_the_catalog(version: Version, service: Service) -> None:
    asked = set(asked_by(service.asker, version))

    beyond_soap = SECURITY_EXTENSION[service.asker] if version is Version.V1_6 else set()
    assert set(tables(version, service).operations) == asked - beyond_soap


@pytest.mark.parametrize(("version", "service"), BOTH)
def test_every_type_that_a_message_reaches_is_there(version: Version, service: Service) -> None:
    known = tables(version, service)
    reached, left = set(), [name for name in known.complex if name.endswith(("Request", "Response"))]

    while left:
        name = left.pop()
        if name not in reached:
            reached.add(name)
            left += [field.type for field in known.fields(name)]

    assert reached <= known.simple.keys() | known.complex.keys()


@pytest.mark.parametrize("version", [Version.V2_0_1, Version.V2_1])
def test_versions_without_soap_have_none(version: Version) -> None:
    with pytest.raises(KeyError):
        tables(version, Service.CENTRAL_SYSTEM)


@pytest.mark.parametrize(("service", "action", "part"), MESSAGES)
def test_1_6_s_types_are_those_of_its_json_schemas(service: Service, action: str, part: str) -> None:
    known = tables(Version.V1_6, service)
    message = known.complex[action + part.capitalize()]

    differences = _compare(known, message, document(Version.V1_6, action, part), (action, part))

    assert differences == {place: True for place in STRICTER_IN_JSON if place[:2] == (action, part)}


def _compare(known: Tables, type: Complex, schema: dict[str, Any], at: tuple[str, ...]) -> dict[tuple[str, ...], bool]:
    """Where the two differ in what they require; anything else fails at once."""
    properties = schema.get("properties", {})
    assert {field.name for field in type.fields} == properties.keys(), at
    found: dict[tuple[str, ...], bool] = {}
    for field in type.fields:
        place = (*at, field.name)
        # A repeated element that may be missing altogether is an array that may be.
        if field.required != (field.name in schema.get("required", ())):
            found[place] = not field.required
        found |= _compare_field(known, field, properties[field.name], place)
    return found


def _compare_field(
    known: Tables, field: Field, schema: dict[str, Any], at: tuple[str, ...]
) -> dict[tuple[str, ...], bool]:
    if field.many:
        assert schema["type"] == "array", at
        schema = schema["items"]
    if field.type in known.complex:
        return _compare(known, known.complex[field.type], schema, at)
    simple = known.simple[field.type]
    kind = {"int": "integer", "decimal": "number", "boolean": "boolean"}.get(simple.base, "string")
    assert schema["type"] == kind, at
    assert set(simple.values) == set(schema.get("enum", ())) - ONLY_IN_JSON, at
    assert simple.longest == schema.get("maxLength"), at
    return {}
