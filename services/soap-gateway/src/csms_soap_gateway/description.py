"""The descriptions of both services (WSDL), for whoever builds a client: `?wsdl`, `?wsdl=1.5`, `&service=…`."""

import re
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from csms_ocpp.soap import Service
from csms_ocpp.soap.wsdl import CONTENT_TYPE, wsdl
from csms_ocpp.version import DIALECTS, Version

MEDIA_TYPE = CONTENT_TYPE.encode()

_VERSIONS = {"": Version.V1_6} | {DIALECTS[version].number: version for version in (Version.V1_5, Version.V1_6)}
_SERVICES = {"": Service.CENTRAL_SYSTEM} | {service.value: service for service in Service}
# RFC 9110 §4.2.1 and RFC 3986 §3.2.2, without a user: whatever else a Host header holds is not repeated.
_HOST = re.compile(r"[A-Za-z0-9._~%-]+(:\d+)?|\[[0-9A-Fa-f:.]+\](:\d+)?")


class Wanted(msgspec.Struct, frozen=True):
    """Which service of which version is to be described."""

    version: Version
    service: Service


def read_query(query: str) -> Wanted | str | None:
    """What a query asks for; a sentence when that does not exist, None when it asks for no description."""
    given = {key.lower(): value for key, value in parse_qsl(query, keep_blank_values=True)}
    if "wsdl" not in given:
        return None
    version, service = _VERSIONS.get(given["wsdl"]), _SERVICES.get(given.get("service", ""))
    if version is None:
        return "Only OCPP 1.5 and 1.6 are spoken over SOAP: ?wsdl=1.5 or ?wsdl=1.6."
    if service is None:
        return f"There is no such service: {' or '.join(Service)}."
    return Wanted(version, service)


def describe(wanted: Wanted, location: str) -> bytes:
    """The description; `location` is where the service answers."""
    return wsdl(wanted.version, wanted.service, location)


def location_of(scope: Any, url: str) -> str:
    """Where whoever asks can reach us: `url` if it is known, otherwise as the request itself has reached us."""
    if url:
        return url
    hosts = [value.decode("latin-1") for name, value in scope["headers"] if name == b"host"]
    server = scope.get("server") or ("localhost", None)
    own = f"{server[0]}:{server[1]}" if server[1] else str(server[0])
    host = hosts[0] if len(hosts) == 1 and _HOST.fullmatch(hosts[0]) else own
    return f"{scope['scheme']}://{host}{scope['raw_path'].decode('latin-1')}"
