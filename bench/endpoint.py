"""An operator's endpoint as cheap as Python allows: HTTP/1.1 with keep-alive, one canned answer an action."""

import asyncio
import re
import sys
from typing import cast

import uvloop

HOST = "127.0.0.1"
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_ACTION = re.compile(rb'"action":"(\w+)"')
_NOW = b'"currentTime":"2026-01-01T00:00:00.000Z"'
_PAYLOADS = {
    b"Authorize": b'{"idTagInfo":{"status":"Accepted"}}',
    b"BootNotification": b'{%b,"interval":300,"status":"Accepted"}' % _NOW,
    b"Heartbeat": b"{%b}" % _NOW,
    b"StartTransaction": b'{"transactionId":1,"idTagInfo":{"status":"Accepted"}}',
}


def response(payload: bytes) -> bytes:
    """The whole reply to a request."""
    body = b'{"payload":%b}' % payload
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    return head % len(body) + body


_EMPTY = response(b"{}")
_RESPONSES = {action: response(payload) for action, payload in _PAYLOADS.items()}


class Endpoint(asyncio.Protocol):
    """One connection."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._read = b""

    def data_received(self, data: bytes) -> None:
        self._read += data
        while (end := self._read.find(b"\r\n\r\n")) >= 0:
            length = _LENGTH.search(self._read, 0, end)
            size = end + 4 + (int(length[1]) if length else 0)
            if len(self._read) < size:
                return
            action = _ACTION.search(self._read, end, size)
            self._transport.write(_RESPONSES.get(action[1], _EMPTY) if action else _EMPTY)
            self._read = self._read[size:]


async def serve(port: int) -> None:
    """Answer on `port` until the process ends."""
    server = await asyncio.get_running_loop().create_server(Endpoint, HOST, port, backlog=1024)
    await server.serve_forever()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(int(sys.argv[1])))
