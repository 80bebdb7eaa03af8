"""SOAP stations of foreign make: `zeep` from our published description, and bare `http.client` with bodies by hand.

Nothing of ours is used here, so that what we misread in the specification is not misread twice.
"""

import http.client
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree

import requests
import zeep
from requests.auth import HTTPBasicAuth
from zeep.transports import Transport

HOST = "127.0.0.1"
SOAP = "http://www.w3.org/2003/05/soap-envelope"
WSA = "http://www.w3.org/2005/08/addressing"
CENTRAL = {"1.5": "urn://Ocpp/Cs/2012/06/", "1.6": "urn://Ocpp/Cs/2015/10/"}
POINT = {"1.5": "urn://Ocpp/Cp/2012/06/", "1.6": "urn://Ocpp/Cp/2015/10/"}
CONTENT_TYPE = "application/soap+xml; charset=utf-8"


class ZeepStation:
    """A station that asks through `zeep`; blocks. `ask` answers the response's body as `zeep` reads it."""

    def __init__(self, url: str, identity: str, version: str, *, password: str = "") -> None:
        session = requests.Session()
        session.trust_env = False
        if password:
            session.auth = HTTPBasicAuth(identity, password)
        transport = Transport(session=session, timeout=20, operation_timeout=40)
        self._client = zeep.Client(f"{url}?wsdl={version}", transport=transport)
        # The description names the address by which it was asked for; a proxy's may be another one.
        self._service = self._client.service
        self._header = {"chargeBoxIdentity": identity}

    def ask(self, action: str, **payload: Any) -> Any:
        """Raises `zeep.exceptions.Fault` for a fault."""
        return getattr(self._service, action)(**payload, _soapheaders=self._header)


@dataclass
class Answered:
    """What came back over HTTP. Header names are in lower case; `body` is the element inside soap:Body."""

    status: int
    headers: Mapping[str, str]
    text: bytes

    @property
    def envelope(self) -> ElementTree.Element:
        return ElementTree.fromstring(self.text)

    @property
    def body(self) -> ElementTree.Element:
        found = self.envelope.find(f"{{{SOAP}}}Body")
        assert found is not None, self.text
        return found[0]

    @property
    def subcode(self) -> str:
        found = self.body.findtext(f"{{{SOAP}}}Code/{{{SOAP}}}Subcode/{{{SOAP}}}Value") or ""
        return found.partition(":")[2]

    @property
    def code(self) -> str:
        return (self.body.findtext(f"{{{SOAP}}}Code/{{{SOAP}}}Value") or "").partition(":")[2]

    @property
    def reason(self) -> str:
        return self.body.findtext(f"{{{SOAP}}}Reason/{{{SOAP}}}Text") or ""

    def header(self, name: str) -> str | None:
        """The text of a WS-Addressing header."""
        return self.envelope.findtext(f"{{{SOAP}}}Header/{{{WSA}}}{name}")

    def text_of(self, path: str) -> str | None:
        """The text of an element of the body, named without its namespace: `idTagInfo/status`."""
        namespace = self.body.tag.partition("}")[0] + "}"
        return self.body.findtext("/".join(namespace + step for step in path.split("/")))


def envelope(
    version: str, identity: str, body: str, *, message_id: str = "", source: str = "", action: str = ""
) -> str:
    """An envelope in the style that most stations write. `body` is XML in the prefix `cs`."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        f'<soap:Envelope xmlns:soap="{SOAP}" xmlns:wsa="{WSA}" xmlns:cs="{CENTRAL[version]}"><soap:Header>'
        f'<cs:chargeBoxIdentity soap:mustUnderstand="true">{identity}</cs:chargeBoxIdentity>'
        + (f"<wsa:MessageID>{message_id}</wsa:MessageID>" if message_id else "")
        + (f"<wsa:From><wsa:Address>{source}</wsa:Address></wsa:From>" if source else "")
        + (f"<wsa:Action>{action}</wsa:Action>" if action else "")
        + f"</soap:Header><soap:Body>{body}</soap:Body></soap:Envelope>"
    )


def post(
    url: str, body: bytes | str, *, headers: Mapping[str, str] | None = None, timeout: float = 40, chunked: bool = False
) -> Answered:
    """POST `body` and read the answer; blocks."""
    target = urlsplit(url)
    connection = http.client.HTTPConnection(target.hostname or HOST, target.port, timeout=timeout)
    try:
        data: Any = body.encode() if isinstance(body, str) else body
        given = {"Content-Type": CONTENT_TYPE} | dict(headers or {})
        if chunked:
            data = iter([data[:100], data[100:]])
        connection.request("POST", target.path, data, given, encode_chunked=chunked)
        response = connection.getresponse()
        headers = {name.lower(): value for name, value in response.getheaders()}
        return Answered(response.status, headers, response.read())
    finally:
        connection.close()


class PlainStation:
    """A station that writes its bodies by hand, and answers commands at an HTTP server of its own.

    `asked` is every command's envelope, in order; `answers` what it says, by operation: XML in the prefix `cp`, or a
    function from the envelope to (status, body).
    """

    def __init__(self, url: str, identity: str, version: str) -> None:
        self.url = url
        self.identity = identity
        self.version = version
        self.asked: list[Command] = []
        self.answers: dict[str, str | Callable[[Command], tuple[int, str]]] = {}
        self.address = ""

    def ask(self, body: str, **more: Any) -> Answered:
        """`body` is XML in the prefix `cs`, such as `<cs:heartbeatRequest/>`."""
        text = envelope(
            self.version,
            self.identity,
            body,
            message_id=f"urn:uuid:{uuid.uuid4()}",
            source=more.pop("source", self.address),
        )
        return post(self.url, text, **more)

    def boot(self) -> Answered:
        return self.ask(
            "<cs:bootNotificationRequest><cs:chargePointVendor>Foreign</cs:chargePointVendor>"
            "<cs:chargePointModel>Plain</cs:chargePointModel></cs:bootNotificationRequest>"
        )

    def answer(self, text: bytes) -> tuple[int, str]:
        command = Command.read(text)
        self.asked.append(command)
        answer = self.answers.get(command.operation, "")
        if callable(answer):
            return answer(command)
        return 200, self.envelope(command, answer)

    def envelope(self, command: "Command", body: str) -> str:
        """A response with this body."""
        name = command.operation[0].lower() + command.operation[1:] + "Response"
        return (
            f'<SOAP-ENV:Envelope xmlns:SOAP-ENV="{SOAP}" xmlns:a="{WSA}" xmlns:cp="{POINT[self.version]}">'
            f"<SOAP-ENV:Header><a:Action>/{command.operation}Response</a:Action><a:MessageID>{uuid.uuid4()}</a:MessageID>"
            f"<a:RelatesTo>{command.headers.get('MessageID', '')}</a:RelatesTo></SOAP-ENV:Header>"
            f"<SOAP-ENV:Body><cp:{name}>{body}</cp:{name}></SOAP-ENV:Body></SOAP-ENV:Envelope>"
        )


@dataclass
class Command:
    """What a station was asked: the operation, its fields by name in the order in which they came, and the headers."""

    operation: str
    namespace: str
    fields: list[tuple[str, str]]
    headers: dict[str, str]
    body: ElementTree.Element = field(repr=False)

    @classmethod
    def read(cls, text: bytes) -> "Command":
        envelope = ElementTree.fromstring(text)
        body = envelope.find(f"{{{SOAP}}}Body")
        assert body is not None, text
        assert len(body) == 1, text
        namespace, _, name = body[0].tag[1:].partition("}")
        headers = {
            child.tag.partition("}")[2]: (child.text or child.findtext(f"{{{WSA}}}Address") or "").strip()
            for child in envelope.find(f"{{{SOAP}}}Header") or ()
        }
        fields = [(child.tag.partition("}")[2], (child.text or "").strip()) for child in body[0]]
        operation = name.removesuffix("Request")
        return cls(operation[0].upper() + operation[1:], namespace, fields, headers, body[0])


@contextmanager
def plain_station(url: str, identity: str, version: str) -> Iterator[PlainStation]:
    """A station whose own server runs until the context is left."""
    station = PlainStation(url, identity, version)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            status, text = station.answer(self.rfile.read(int(self.headers["Content-Length"])))
            body = text.encode()
            self.send_response(status)
            self.send_header("Content-Type", CONTENT_TYPE)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer((HOST, 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    station.address = f"http://{HOST}:{server.server_port}/{identity}"
    try:
        yield station
    finally:
        server.shutdown()
        server.server_close()
