"""WSDL 1.1 descriptions of both services, of our own making: the same tables that read and write the messages.

One file each, with its schema inside, so that a client needs nothing more than the address it was given.
"""

from collections.abc import Iterator
from functools import cache

from csms_ocpp.soap.headers import IDENTITY
from csms_ocpp.soap.namespaces import element
from csms_ocpp.soap.tables import Complex, Field, Service, Simple, Tables, tables
from csms_ocpp.soap.xml import escape
from csms_ocpp.version import Version

CONTENT_TYPE = "text/xml; charset=utf-8"

_DEFINITIONS = """\
<?xml version="1.0" encoding="UTF-8"?>
<wsdl:definitions name="{name}" targetNamespace="{namespace}" xmlns:tns="{namespace}"
    xmlns:wsdl="http://schemas.xmlsoap.org/wsdl/" xmlns:soap12="http://schemas.xmlsoap.org/wsdl/soap12/"
    xmlns:wsam="http://www.w3.org/2007/05/addressing/metadata" xmlns:wsaw="http://www.w3.org/2006/05/addressing/wsdl">
<wsdl:types>
<xs:schema targetNamespace="{namespace}" elementFormDefault="qualified"
    xmlns:tns="{namespace}" xmlns:xs="http://www.w3.org/2001/XMLSchema">
{schema}
</xs:schema>
</wsdl:types>
<wsdl:message name="Identity"><wsdl:part name="{identity}" element="tns:{identity}"/></wsdl:message>
{messages}
<wsdl:portType name="{name}">
{operations}
</wsdl:portType>
<wsdl:binding name="{name}Soap" type="tns:{name}">
<soap12:binding style="document" transport="http://schemas.xmlsoap.org/soap/http"/>
<wsaw:UsingAddressing wsdl:required="false"/>
{bindings}
</wsdl:binding>
<wsdl:service name="{name}"><wsdl:port name="{name}Soap12" binding="tns:{name}Soap"><soap12:address location=\""""

_END = """"/></wsdl:port></wsdl:service>
</wsdl:definitions>
"""

_OPERATION = """\
<wsdl:operation name="{0}">
<wsdl:input message="tns:{0}Request" wsam:Action="/{0}" wsaw:Action="/{0}"/>
<wsdl:output message="tns:{0}Response" wsam:Action="/{0}Response" wsaw:Action="/{0}Response"/>
</wsdl:operation>"""

_BINDING = """\
<wsdl:operation name="{0}">
<soap12:operation soapAction="/{0}" style="document"/>
<wsdl:input><soap12:body use="literal"/><soap12:header message="tns:Identity" part="{1}" use="literal"/></wsdl:input>
<wsdl:output><soap12:body use="literal"/></wsdl:output>
</wsdl:operation>"""


def wsdl(version: Version, service: Service, location: str) -> bytes:
    """The description of a service that is called at the URL `location`. `version` is one that has SOAP."""
    return f"{_description(version, service)}{escape(location)}{_END}".encode()


@cache
def _description(version: Version, service: Service) -> str:
    types = tables(version, service)
    messages = [f"{name}{kind}" for name in types.operations for kind in ("Request", "Response")]
    return _DEFINITIONS.format(
        name=service,
        namespace=types.namespace,
        identity=IDENTITY,
        schema="\n".join(_schema(types, messages)),
        messages="\n".join(_message(name) for name in messages),
        operations="\n".join(_OPERATION.format(name) for name in types.operations),
        bindings="\n".join(_BINDING.format(name, IDENTITY) for name in types.operations),
    )


def _message(name: str) -> str:
    part = f'<wsdl:part name="parameters" element="tns:{element(name, "")}"/>'
    return f'<wsdl:message name="{name}">{part}</wsdl:message>'


def _schema(types: Tables, messages: list[str]) -> Iterator[str]:
    used = _used(types, messages)
    for simple in types.simple.values():
        if simple.name in used and not _is_builtin(simple):
            yield _simple(simple)
    for whole in types.complex.values():
        if whole.name in used:
            yield _complex(whole, types)
    yield f'<xs:element name="{IDENTITY}" type="xs:string"/>'
    for message in messages:
        yield f'<xs:element name="{element(message, "")}" type="tns:{message}"/>'


def _used(types: Tables, messages: list[str]) -> set[str]:
    """The names of all types that these messages need, their own included; the tables have both services' types."""
    used: set[str] = set()
    waiting = list(messages)
    while waiting:
        name = waiting.pop()
        if name in types.complex and name not in used:
            waiting += [types.complex[name].text, *(field.type for field in types.fields(name))]
        used.add(name)
    return used


def _is_builtin(simple: Simple) -> bool:
    return simple.name == simple.base


def _simple(simple: Simple) -> str:
    longest = "" if simple.longest is None else f'<xs:maxLength value="{simple.longest}"/>'
    values = "".join(f'<xs:enumeration value="{escape(value)}"/>' for value in simple.values)
    digits = "" if simple.digits is None else f'<xs:fractionDigits value="{simple.digits}"/>'
    restriction = f'<xs:restriction base="xs:{simple.base}">{longest}{digits}{values}</xs:restriction>'
    return f'<xs:simpleType name="{simple.name}">{restriction}</xs:simpleType>'


def _complex(whole: Complex, types: Tables) -> str:
    elements = "".join(_element(field, types) for field in whole.fields if not field.attribute)
    attributes = "".join(_attribute(field, types) for field in whole.fields if field.attribute)
    content = f"<xs:sequence>{elements}</xs:sequence>{attributes}"
    if whole.text:
        extension = f'<xs:extension base="{_reference(whole.text, types)}">{attributes}</xs:extension>'
        content = f"<xs:simpleContent>{extension}</xs:simpleContent>"
    return f'<xs:complexType name="{whole.name}">{content}</xs:complexType>'


def _element(field: Field, types: Tables) -> str:
    least = "" if field.required else ' minOccurs="0"'
    most = ' maxOccurs="unbounded"' if field.many else ""
    return f'<xs:element name="{field.name}" type="{_reference(field.type, types)}"{least}{most}/>'


def _attribute(field: Field, types: Tables) -> str:
    use = ' use="required"' if field.required else ""
    return f'<xs:attribute name="{field.name}" type="{_reference(field.type, types)}"{use}/>'


def _reference(name: str, types: Tables) -> str:
    ours = name in types.complex or (name in types.simple and not _is_builtin(types.simple[name]))
    return f"tns:{name}" if ours else f"xs:{name}"
