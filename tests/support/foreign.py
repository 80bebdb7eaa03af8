"""Charging stations of foreign make: `ocpp.ChargePoint` over `websockets`' client, and bare sockets for raw frames.

Nothing of ours is used here, so that what we misread in the specification is not misread twice.
"""

import asyncio
import json
import uuid
from base64 import b64encode
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import quote

from ocpp.charge_point import ChargePoint  # type: ignore[import-untyped]
from ocpp.v16 import ChargePoint as ChargePoint16  # type: ignore[import-untyped]
from ocpp.v21 import ChargePoint as ChargePoint21  # type: ignore[import-untyped]
from ocpp.v201 import ChargePoint as ChargePoint201  # type: ignore[import-untyped]
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

V1_6, V2_0_1, V2_1 = "ocpp1.6", "ocpp2.0.1", "ocpp2.1"
MAKES: dict[str, type[ChargePoint]] = {V1_6: ChargePoint16, V2_0_1: ChargePoint201, V2_1: ChargePoint21}
ANSWER_WITHIN = 20.0

BOOT = {
    V1_6: {"chargePointVendor": "Foreign", "chargePointModel": "Raw"},
    V2_0_1: {"reason": "PowerUp", "chargingStation": {"vendorName": "Foreign", "model": "Raw"}},
    V2_1: {"reason": "PowerUp", "chargingStation": {"vendorName": "Foreign", "model": "Raw"}},
}


def identity(name: str = "station") -> str:
    """An identity that no other test has."""
    return f"{name}-{uuid.uuid4().hex[:12]}"


def basic(user: str, password: str | bytes) -> str:
    """The value of an Authorization header for HTTP Basic."""
    secret = password.encode() if isinstance(password, str) else password
    return "Basic " + b64encode(user.encode() + b":" + secret).decode()


async def dial(
    url: str,
    identity: str,
    *versions: str,
    compression: str | None = "deflate",
    authorization: str | None = None,
) -> ClientConnection:
    """An open socket of station `identity`, which offers `versions` in this order ("": none). Close it.

    Raises `websockets.exceptions.InvalidStatus` when it is refused.
    """
    return await connect(
        f"{url}/{quote(identity, safe='')}",
        subprotocols=[Subprotocol(version) for version in versions if version] or None,
        additional_headers={"Authorization": authorization} if authorization else {},
        compression=compression,
        proxy=None,
    )


@asynccontextmanager
async def charge_point(
    url: str, identity: str, version: str, *, compression: str | None = "deflate", authorization: str | None = None
) -> AsyncIterator[ChargePoint]:
    """A connected `ocpp.ChargePoint` that reads its socket until the context is left."""
    socket = await dial(url, identity, version, compression=compression, authorization=authorization)
    async with socket:
        station = MAKES[version](identity, socket, response_timeout=ANSWER_WITHIN)
        reading = asyncio.create_task(station.start())
        try:
            yield station
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)


class RawStation:
    """A station that sends OCPP-J frames as a test writes them. Several CALLs may be under way."""

    def __init__(self, socket: ClientConnection, identity: str, version: str) -> None:
        self.socket = socket
        self.identity = identity
        self._version = version

    async def send(self, action: str, payload: object, message_id: str | None = None) -> str:
        """Send a CALL and answer its id, without waiting."""
        message_id = message_id or uuid.uuid4().hex
        await self.socket.send(json.dumps([2, message_id, action, payload]))
        return message_id

    async def receive(self, seconds: float = ANSWER_WITHIN) -> list[Any]:
        """The next frame. Raises TimeoutError, or ConnectionClosed."""
        async with asyncio.timeout(seconds):
            frame: list[Any] = json.loads(await self.socket.recv())
        return frame

    async def call(self, action: str, payload: object, seconds: float = ANSWER_WITHIN) -> dict[str, Any]:
        """The CALLRESULT's payload. Raises AssertionError for anything else."""
        message_id = await self.send(action, payload)
        frame = await self.receive(seconds)
        assert frame[:2] == [3, message_id], frame
        result: dict[str, Any] = frame[2]
        return result

    async def boot(self) -> None:
        answer = await self.call("BootNotification", BOOT[self._version])
        assert answer["status"] == "Accepted", answer

    @property
    def open(self) -> bool:
        return self.socket.close_code is None

    async def closed(self, seconds: float = ANSWER_WITHIN) -> tuple[int | None, str | None]:
        """Code and reason of the closing, waited for."""
        async with asyncio.timeout(seconds):
            await self.socket.wait_closed()
        return self.socket.close_code, self.socket.close_reason


@asynccontextmanager
async def raw_station(
    url: str,
    name: str,
    version: str = V1_6,
    *,
    compression: str | None = None,
    authorization: str | None = None,
    boot: bool = True,
) -> AsyncIterator[RawStation]:
    """A connected station, booted unless told otherwise."""
    async with await dial(url, name, version, compression=compression, authorization=authorization) as socket:
        station = RawStation(socket, name, version)
        if boot:
            await station.boot()
        yield station


@asynccontextmanager
async def raw_stations(urls: Sequence[str], count: int, version: str = V1_6) -> AsyncIterator[list[RawStation]]:
    """`count` booted stations, in turn on each of `urls`."""
    stations: list[RawStation] = []

    async def arrive(number: int) -> None:
        name = identity(f"s{number}")
        socket = await dial(urls[number % len(urls)], name, version, compression=None)
        stations.append(RawStation(socket, name, version))
        await stations[-1].boot()

    try:
        async with asyncio.TaskGroup() as arriving:
            for number in range(count):
                arriving.create_task(arrive(number))
        yield sorted(stations, key=lambda station: station.identity)
    finally:
        await asyncio.gather(*(station.socket.close() for station in stations), return_exceptions=True)
