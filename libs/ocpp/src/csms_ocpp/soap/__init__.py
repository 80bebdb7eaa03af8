"""OCPP over SOAP (OCPP-S 1.5 and 1.6): bytes in, structs out, and back. Nothing outside this package sees XML.

    messages    what is read and written: requests, responses, faults
    envelope    SOAP 1.2 envelopes with WS-Addressing, by headers and faults
    namespaces  who speaks in which
    xml         bytes to an element tree, hardened
    codec       a body's elements to the JSON shape of the same version, and back
    tables      the types of both services in both versions, in wire order (`1.5.toml`, `1.6.toml`)
    schema      JSON schemas for 1.5, which has no official ones, from the same tables
    wsdl        descriptions of the services, from the same tables

What a peer sends never raises: what cannot be read is a `Fault` to be sent back.
"""

from csms_ocpp.soap.envelope import read_request, read_response, write_fault, write_request, write_response
from csms_ocpp.soap.messages import ANONYMOUS, Addressing, Fault, Request, Response, Subcode, Unreadable
from csms_ocpp.soap.tables import Service

__all__ = [
    "ANONYMOUS",
    "Addressing",
    "Fault",
    "Request",
    "Response",
    "Service",
    "Subcode",
    "Unreadable",
    "read_request",
    "read_response",
    "write_fault",
    "write_request",
    "write_response",
]
