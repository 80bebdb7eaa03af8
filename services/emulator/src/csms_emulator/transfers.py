"""Files that go up and come down: carries out `Transfer`, over HTTP(S) and FTP(S).

Whatever goes wrong is a `Transferred` with a sentence. No sentence repeats the URL: there may be a password in it.
"""

import asyncio
import ftplib
import time
from collections.abc import Callable
from io import BytesIO
from types import TracebackType
from urllib.parse import SplitResult, quote, unquote, urlsplit, urlunsplit

import aiohttp

from csms_emulator.actions import Failure, Transfer, Transferred

TRANSFER_WITHIN = 120.0
CONNECT_WITHIN = 10.0
MOST_BYTES = 64 * 2**20
MOST_REDIRECTS = 5
FTP_PORT = 21

_TIMEOUT = aiohttp.ClientTimeout(total=TRANSFER_WITHIN, connect=CONNECT_WITHIN)
_FAILURES: dict[int, Failure] = {400: "malformed", 401: "denied", 403: "denied"}
_FTP_FAULTS: tuple[type[Exception], ...] = (*ftplib.all_errors, ValueError)
_NO_SUCH_PLACE = (404, 405, 501)

Done = Callable[[int, Transferred], None]


class Transfers:
    """The transfers of one station, between entering and leaving, which gives up those under way, untold.

    A fault of ours in one of them ends the block.
    """

    def __init__(self) -> None:
        self._group = asyncio.TaskGroup()
        self._tasks: set[asyncio.Task[None]] = set()
        self._leaving = False

    async def __aenter__(self) -> None:
        await self._group.__aenter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leaving = True
        for task in self._tasks:
            task.cancel()
        await self._group.__aexit__(kind, error, trace)

    def begin(self, transfer: Transfer, done: Done) -> None:
        """Carry it out meanwhile, and tell how it ended."""
        if self._leaving:
            return
        task = self._group.create_task(_told(transfer, done))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _told(transfer: Transfer, done: Done) -> None:
    done(transfer.number, await carry_out(transfer))


async def carry_out(transfer: Transfer, most: int = MOST_BYTES) -> Transferred:
    """Whatever happens is in what it answers; returns within `TRANSFER_WITHIN` seconds, or little more.

    A file of more than `most` bytes is not fetched.
    """
    try:
        url = urlsplit(transfer.url)
        port = url.port
    except ValueError as error:
        return Transferred(failure="malformed", reason=f"no URL: {error}")
    if url.scheme not in ("http", "https", "ftp", "ftps"):
        return Transferred(failure="unsupported", reason=f"a station has no {url.scheme or 'relative'} transfers")
    if not url.hostname:
        return Transferred(failure="malformed", reason="the URL names no host")
    if url.scheme in ("http", "https"):
        return await _over_http(transfer, url, most)
    return await asyncio.to_thread(_over_ftp, transfer, url, port or FTP_PORT, most)


def destination(url: SplitResult, name: str) -> str:
    """Where a file of this name goes: into the directory. With a query it is a place for one file, signed perhaps."""
    if url.query:
        return urlunsplit(url)
    return urlunsplit(url._replace(path=f"{url.path.rstrip('/')}/{quote(name)}", fragment=""))


# --- HTTP -------------------------------------------------------------------------------------------------------------


async def _over_http(transfer: Transfer, url: SplitResult, most: int) -> Transferred:
    try:
        async with aiohttp.ClientSession(timeout=_TIMEOUT) as http:
            if transfer.content is None:
                return await _get(http, transfer.url, most)
            return await _put(http, url, transfer.content, transfer.name)
    except TimeoutError:
        return Transferred(failure="failed", reason="the server did not answer in time")
    except aiohttp.InvalidURL:
        return Transferred(failure="malformed", reason="the URL cannot be read")
    except (aiohttp.ClientError, OSError, ValueError) as error:
        reason = str(error) if isinstance(error, aiohttp.ClientConnectorError) else type(error).__name__
        return Transferred(failure="failed", reason=reason)


async def _get(http: aiohttp.ClientSession, url: str, most: int) -> Transferred:
    # aiohttp follows redirects to http and https only.
    async with http.get(url, max_redirects=MOST_REDIRECTS) as response:
        if response.status != 200:
            return _refused(response.status)
        content = bytearray()
        async for piece in response.content.iter_any():
            content += piece
            if len(content) > most:
                return Transferred(failure="failed", reason=f"the file is larger than {most} bytes")
        return Transferred(bytes(content))


async def _put(http: aiohttp.ClientSession, url: SplitResult, content: bytes, name: str) -> Transferred:
    """PUT into the directory; a server that has no such place may take a POST to the directory itself."""
    status = await _send(http, "PUT", destination(url, name), content)
    if status in _NO_SUCH_PLACE:
        status = await _send(http, "POST", urlunsplit(url), content)
    return Transferred() if 200 <= status < 300 else _refused(status)


async def _send(http: aiohttp.ClientSession, method: str, url: str, content: bytes) -> int:
    # A redirect could turn the upload into a GET, which would look like a success.
    async with http.request(method, url, data=content, allow_redirects=False) as response:
        return response.status


def _refused(status: int) -> Transferred:
    return Transferred(failure=_FAILURES.get(status, "failed"), reason=f"the server answered HTTP {status}")


# --- FTP, in a thread -------------------------------------------------------------------------------------------------


class _TooMuchError(Exception):
    """The file is too large, or it takes too long."""


def _over_ftp(transfer: Transfer, url: SplitResult, port: int, most: int) -> Transferred:
    try:
        with (ftplib.FTP_TLS if url.scheme == "ftps" else ftplib.FTP)(timeout=CONNECT_WITHIN) as ftp:
            ftp.connect(url.hostname or "", port)
            ftp.login(unquote(url.username or ""), unquote(url.password or ""))
            if isinstance(ftp, ftplib.FTP_TLS):
                ftp.prot_p()
            return _exchange(ftp, transfer, url, most)
    except _TooMuchError as error:
        return Transferred(failure="failed", reason=str(error))
    except ftplib.error_perm as error:
        return Transferred(failure="denied" if str(error).startswith("530") else "failed", reason=_said(error))
    except _FTP_FAULTS as error:
        return Transferred(failure="failed", reason=_said(error))


def _exchange(ftp: ftplib.FTP, transfer: Transfer, url: SplitResult, most: int) -> Transferred:
    deadline = time.monotonic() + TRANSFER_WITHIN
    if transfer.content is None:
        content = bytearray()
        ftp.retrbinary(f"RETR {_path(url)}", lambda piece: _grow(content, piece, most, deadline))
        return Transferred(bytes(content))
    path = _path(urlsplit(destination(url, transfer.name)))
    ftp.storbinary(f"STOR {path}", BytesIO(transfer.content), callback=lambda piece: _hurry(deadline))
    return Transferred()


def _path(url: SplitResult) -> str:
    # RFC 1738 §3.2.2: the slash after the host is no part of the path, which begins where the login leads to.
    return unquote(url.path[1:])


def _grow(content: bytearray, piece: bytes, most: int, deadline: float) -> None:
    content += piece
    if len(content) > most:
        raise _TooMuchError(f"the file is larger than {most} bytes")
    _hurry(deadline)


def _hurry(deadline: float) -> None:
    if time.monotonic() > deadline:
        raise _TooMuchError("the transfer takes too long")


def _said(error: Exception) -> str:
    return f"FTP: {error}" if str(error) else f"FTP: {type(error).__name__}"
