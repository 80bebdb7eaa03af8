"""The exchange in docs/soap.md is what is read and written."""

import json
import re
from pathlib import Path

import msgspec
from msgspec import Raw

from csms_ocpp.catalog import Role
from csms_ocpp.soap import (
    Addressing,
    Request,
    Response,
    Service,
    read_request,
    read_response,
    write_request,
    write_response,
)
from csms_ocpp.version import Version

TEXT = (Path(__file__).parents[3] / "docs" / "soap.md").read_text(encoding="utf-8")
ASKED, ANSWERED, COMMAND = (
    block.split("\n\n", 1)[1].encode() for block in re.findall(r"```http\n(.*?)```", TEXT, re.DOTALL)
)
((ENDPOINT_ASKED, ENDPOINT_ANSWERED),) = re.findall(r"```json\n(\{.*?\})\n(\{.*?\})\n```", TEXT, re.DOTALL)
CALLED = json.loads(ENDPOINT_ASKED)
MESSAGE = f"urn:uuid:{CALLED['uniqueId']}"


def unbroken(text: bytes) -> bytes:
    """Without the line breaks that are for reading."""
    declaration, _, rest = text.partition(b"\n")
    return declaration + b"\n" + rest.replace(b"\n", b"")


def test_the_station_s_request_becomes_the_call_that_the_endpoint_is_asked() -> None:
    request = read_request(ASKED)

    assert isinstance(request, Request)
    assert (request.version, request.identity, request.action) == (Version.V1_5, CALLED["identity"], CALLED["action"])
    assert json.loads(bytes(request.payload)) == CALLED["payload"]
    assert (request.addressing.message_id, request.addressing.callback) == (MESSAGE, "http://10.8.0.42:8080/ocpp")


def test_the_endpoint_s_reply_becomes_the_station_s_answer() -> None:
    payload = Raw(msgspec.json.encode(json.loads(ENDPOINT_ANSWERED)["payload"]))
    read = read_response(ANSWERED, Version.V1_5, Service.CENTRAL_SYSTEM, CALLED["action"])

    assert isinstance(read, Response)
    addressing = Addressing(read.addressing.message_id, MESSAGE)
    written = write_response(Response(Version.V1_5, Role.STATION, CALLED["action"], payload, addressing))

    assert json.loads(bytes(read.payload)) == json.loads(bytes(payload))
    assert written == unbroken(ANSWERED)


def test_the_command_is_what_the_station_is_sent() -> None:
    command = read_request(COMMAND)

    assert isinstance(command, Request)
    assert (command.asker, command.action, bytes(command.payload)) == (
        Role.CSMS,
        "RemoteStopTransaction",
        b'{"transactionId":1618254191}',
    )
    assert write_request(command) == unbroken(COMMAND)
