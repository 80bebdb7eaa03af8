"""The namespaces on the wire, and which service of which version each of OCPP's own stands for."""

from functools import cache
from xml.etree.ElementTree import Element

from csms_ocpp.catalog import Role
from csms_ocpp.soap.tables import Service, tables
from csms_ocpp.version import Version

SOAP = "http://www.w3.org/2003/05/soap-envelope"
SOAP_1_1 = "http://schemas.xmlsoap.org/soap/envelope/"
ADDRESSING = "http://www.w3.org/2005/08/addressing"
ADDRESSING_2004 = "http://schemas.xmlsoap.org/ws/2004/08/addressing"

VERSIONS = (Version.V1_5, Version.V1_6)


def service_for(asker: Role) -> Service:
    """The service that `asker` asks."""
    return Service.CENTRAL_SYSTEM if asker is Role.STATION else Service.CHARGE_POINT


def namespace(version: Version, service: Service) -> str:
    """The service's own, which qualifies its messages, its identity header and its fault subcodes."""
    return tables(version, service).namespace


def split(tag: str) -> tuple[str, str]:
    """`{namespace}name` as (namespace, name); the namespace is "" for a name that has none."""
    namespace, _, name = tag.rpartition("}")
    return namespace[1:], name


def part(element: Element, name: str) -> Element | None:
    """The first child of this local name, in whatever namespace."""
    return next((child for child in element if child.tag.rpartition("}")[2] == name), None)


def spoken(namespace: str) -> tuple[Version, Service] | None:
    """Whose messages are in `namespace`; None when they are nobody's. A slash forgotten at the end does not matter."""
    return _services().get(namespace.rstrip("/"))


@cache
def _services() -> dict[str, tuple[Version, Service]]:
    both = [(version, service) for version in VERSIONS for service in Service]
    return {tables(*each).namespace.rstrip("/"): each for each in both}


@cache
def requests(version: Version, service: Service) -> dict[str, str]:
    """The names of the elements that ask, to the actions they ask for.

    Written as the specification has it, heartbeatRequest, and with a capital.
    """
    names = tables(version, service).operations
    return {f"{name}Request": name for name in names} | {element(name, "Request"): name for name in names}


def element(action: str, suffix: str) -> str:
    """What the element of a body is called: Heartbeat's request is a heartbeatRequest."""
    return action[:1].lower() + action[1:] + suffix
