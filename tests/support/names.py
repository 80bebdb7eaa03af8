"""A name server for one resolver: `names` may change while it runs, as the containers of a service come and go."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

_ADDRESS, _INTERNET = 1, 1


class _Server(asyncio.DatagramProtocol):
    def __init__(self, names: Mapping[str, Sequence[str]]) -> None:
        self._names = names
        self._transport: asyncio.DatagramTransport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.DatagramTransport) or hasattr(transport, "sendto")
        self._transport = transport  # type: ignore[assignment]

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._transport.sendto(_answer(data, self._names), addr)


def _answer(query: bytes, names: Mapping[str, Sequence[str]]) -> bytes:
    """RFC 1035 §4: the question as it came, and a record of one second for each address."""
    end = query.index(b"\0", 12) + 5
    kind = struct.unpack_from("!H", query, end - 4)[0]
    found = names.get(_name(query), ()) if kind == _ADDRESS else ()
    records = b"".join(
        struct.pack("!HHHIH", 0xC00C, _ADDRESS, _INTERNET, 1, 4) + socket.inet_aton(address) for address in found
    )
    known = _name(query) in names
    header = query[:2] + struct.pack("!HHHHH", 0x8180 if known else 0x8183, 1, len(found), 0, 0)
    return header + query[12:end] + records


def _name(query: bytes) -> str:
    words, at = [], 12
    while length := query[at]:
        words.append(query[at + 1 : at + 1 + length].decode())
        at += length + 1
    return ".".join(words)


@asynccontextmanager
async def name_server(names: Mapping[str, Sequence[str]]) -> AsyncIterator[int]:
    """Its port on the loopback, while inside."""
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: _Server(names), ("127.0.0.1", 0))
    try:
        yield transport.get_extra_info("sockname")[1]
    finally:
        transport.close()
