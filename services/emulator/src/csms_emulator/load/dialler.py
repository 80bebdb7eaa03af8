"""Opens stations' connections: handshake, boot, and when to try again. One attempt a call; what went wrong is told."""

import asyncio
import socket
import ssl
from random import Random
from time import perf_counter

import msgspec

from csms_emulator.load.scripts import BOOT
from csms_emulator.load.settings import Settings
from csms_emulator.load.station import Station, unheard
from csms_emulator.load.wire import WireError

LONGEST_PAUSE = 30.0  # seconds


class NotAcceptedError(ConnectionError):
    """The central system heard the BootNotification and did not accept the station."""


class Dialler:
    """Where the stations of a load connect. Needs a running loop."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._tls = ssl.create_default_context(cafile=settings.ca or None) if settings.secure else None
        self._at: tuple[str, int] | None = None

    async def _look_up(self) -> None:
        """Find the central system's IP address, once for all stations."""
        settings, loop = self._settings, asyncio.get_running_loop()
        found = await loop.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)
        self._at = str(found[0][4][0]), settings.port

    async def dial(self, station: Station) -> str | None:
        """Connect and boot one station; answers None, or why that was not possible."""
        station.renew()
        try:
            async with asyncio.timeout(self._settings.timeout):
                await self._boot(station)
        except (OSError, TimeoutError) as error:
            station.abort()
            return self._reason(error)
        except asyncio.CancelledError:
            station.abort()
            raise
        station.tries = 0
        return None

    async def _boot(self, station: Station) -> None:
        booted: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

        def lost(station: Station) -> None:
            if not booted.done():
                booted.set_exception(ConnectionError("the connection was lost before the boot was answered"))

        station.lost = lost
        station.answered = lambda station, now, text: None if booted.done() else booted.set_result(text)
        try:
            await self._open(station)
            station.call(BOOT, perf_counter())
            if (status := _status(await booted)) != "Accepted":
                raise NotAcceptedError(f"BootNotification was answered with {status}")
        finally:
            unheard(station)

    async def _open(self, station: Station) -> None:
        if self._at is None:
            await self._look_up()
        host, port = self._at or ("", 0)
        name = self._settings.host if self._tls else None
        loop = asyncio.get_running_loop()
        await loop.create_connection(lambda: station, host, port, ssl=self._tls, server_hostname=name)
        await station.open

    def _reason(self, error: BaseException) -> str:
        match error:
            case TimeoutError() if not error.args:
                return f"not connected within {self._settings.timeout:g} s"
            case WireError() | NotAcceptedError():
                return str(error)
            case ssl.SSLError():
                return f"TLS: {getattr(error, 'verify_message', '') or error.reason or error}"
            case ConnectionRefusedError():
                return f"nobody listens at {self._settings.host}:{self._settings.port}"
            case _:
                return f"not connected: {getattr(error, 'strerror', None) or error}"


def pause(station: Station, random: Random) -> float:
    """Seconds until the next attempt: twice as long each time, up to LONGEST_PAUSE, and never for all at once."""
    station.tries += 1
    longest: float = min(LONGEST_PAUSE, 2.0 ** (station.tries - 1))
    return longest * random.uniform(0.5, 1.0)


def _status(answer: bytes) -> str:
    """A boot's status, cut to what a report can take; the answer comes with or without its frame's head."""
    try:
        message = msgspec.json.decode(answer[max(0, answer.find(b"[")) :])
        return str(message[2]["status"] if message[0] == 3 else f"CALLERROR {message[2]}")[:60]
    except (msgspec.DecodeError, LookupError, TypeError):
        return "no status"
