"""Load on HTTP instead of WebSockets: aiohttp's client by itself, and commands through the REST API.

Both stand in for a fleet: workers in a closed loop, each with one request under way.
"""

import asyncio
import resource
from array import array
from collections import Counter
from collections.abc import Awaitable, Callable
from itertools import cycle
from time import perf_counter
from urllib.parse import urlsplit

import aiohttp

from bench.latency import summarise
from bench.outcome import Outcome, Run

AT_ONCE = 100  # what the relay keeps under way by default
_BODY = (
    b'{"identity":"BENCH-000001","uniqueId":"0000000001","action":"MeterValues","payload":{"connectorId":1,"meterValue":'
    b'[{"timestamp":"2024-05-01T10:00:00.000Z","sampledValue":[{"value":"12345.6","measurand":'
    b'"Energy.Active.Import.Register","unit":"Wh"},{"value":"7360.0","measurand":"Power.Active.Import","unit":"W"},'
    b'{"value":"32.0","measurand":"Current.Import","phase":"L1","unit":"A"}]}]},"version":"ocpp1.6","transport":"json"}'
)
_HEADERS = {
    "Content-Type": "application/json",
    "User-Agent": "csms-bench",
    "X-OCPP-Delivery": "0123456789abcdef0123456789abcdef",
    "X-OCPP-Attempt": "1",
    "X-OCPP-Timestamp": "1767225600",
}

Ask = Callable[[], Awaitable[str]]


class Client:
    """aiohttp's client against an endpoint: nothing that asks over HTTP in Python can be faster than this much."""

    def __init__(self, url: str, window: Callable[[bool], None]) -> None:
        self._url = url
        self._window = window

    async def connect(self, count: int) -> None:
        """There are no stations."""

    async def disconnect(self, count: int) -> None:
        """There are no stations."""

    async def run(self, run: Run) -> Outcome:
        connector = aiohttp.TCPConnector(limit=AT_ONCE)
        async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=15)) as session:

            async def ask() -> str:
                async with session.post(self._url, data=_BODY, headers=_HEADERS, allow_redirects=False) as response:
                    body = await response.read()
                return "" if response.status == 200 and body else f"status {response.status}"

            return await closed_loop([ask] * min(run.active, AT_ONCE), run, self._window)


class Commands:
    """Commands to `identities` in turn through the REST API at `url`; each worker has a connection of its own."""

    def __init__(self, url: str, identities: list[str], window: Callable[[bool], None]) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "", parts.port or 0
        self._next = cycle(identities)
        self._window = window

    async def run(self, run: Run) -> Outcome:
        opened = [await asyncio.open_connection(self._host, self._port) for _ in range(run.active)]
        try:
            return await closed_loop([self._asker(*streams) for streams in opened], run, self._window)
        finally:
            for _, writer in opened:
                writer.close()

    def _asker(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Ask:
        body = b'{"action":"ClearCache","payload":{}}'

        async def ask() -> str:
            path = f"/api/v2/stations/{next(self._next)}/commands?wait=10".encode()
            writer.write(
                b"POST %b HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"
                % (path, len(body), body)
            )
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
            answer = await reader.readexactly(length)
            return "" if b'"Accepted"' in answer else answer[:120].decode(errors="replace")

        return ask


async def closed_loop(workers: list[Ask], run: Run, window: Callable[[bool], None]) -> Outcome:
    """Every worker asks again when it is answered; what it answers is "" or what went wrong."""
    latencies, errors, measuring = array("d"), Counter[str](), False

    async def work(ask: Ask) -> None:
        while True:
            began = perf_counter()
            problem = await ask()
            if measuring:
                latencies.append(perf_counter() - began)
            if problem:
                errors[problem] += 1

    tasks = [asyncio.create_task(work(ask)) for ask in workers]
    try:
        await asyncio.sleep(run.warm_up)
        opened, cpu = perf_counter(), own_cpu()
        measuring = True
        window(True)
        await asyncio.sleep(run.window)
        measuring = False
        seconds, cpu = perf_counter() - opened, own_cpu() - cpu
        window(False)
    finally:
        for task in tasks:
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
    errors.update(repr(error) for error in ended if isinstance(error, Exception))
    return Outcome(len(latencies), seconds, summarise(latencies), dict(errors), cpu)


def own_cpu() -> float:
    """CPU seconds of this process so far."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime
