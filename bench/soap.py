"""SOAP stations as load: keep-alive connections in a closed loop, and what the codec costs by itself.

The stations write their envelopes from a template, as cheap as Python allows; nothing of ours is used for that.
"""

import asyncio
from collections.abc import Callable
from statistics import median
from timeit import repeat
from urllib.parse import urlsplit

from bench.outcome import Outcome, Run
from bench.requests import Ask, closed_loop
from csms_ocpp.soap import Request, read_request, write_request

_ENVELOPE = (
    '<?xml version="1.0" encoding="UTF-8"?><s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" '
    'xmlns:a="http://www.w3.org/2005/08/addressing" xmlns:o="urn://Ocpp/Cs/2015/10/"><s:Header>'
    "<o:chargeBoxIdentity>{identity}</o:chargeBoxIdentity><a:MessageID>urn:uuid:{message}</a:MessageID>"
    "<a:From><a:Address>http://127.0.0.1:9/{identity}</a:Address></a:From><a:Action>/{action}</a:Action>"
    "</s:Header><s:Body>{body}</s:Body></s:Envelope>"
)
_BOOT = (
    "<o:bootNotificationRequest><o:chargePointVendor>csms</o:chargePointVendor>"
    "<o:chargePointModel>bench</o:chargePointModel></o:bootNotificationRequest>"
)
_SAMPLES = "".join(
    f"<o:sampledValue><o:value>{value}.5</o:value><o:context>Sample.Periodic</o:context><o:format>Raw</o:format>"
    "<o:measurand>Current.Import</o:measurand><o:phase>L1</o:phase><o:location>Outlet</o:location><o:unit>A</o:unit>"
    "</o:sampledValue>"
    for value in range(10)
)
_METER_VALUES = (
    "<o:meterValuesRequest><o:connectorId>1</o:connectorId><o:transactionId>7</o:transactionId><o:meterValue>"
    f"<o:timestamp>2024-05-01T10:00:00Z</o:timestamp>{_SAMPLES}</o:meterValue></o:meterValuesRequest>"
)
_ROUNDS, _CALLS = 30, 50


def envelope(identity: str, message: str, action: str, body: str) -> bytes:
    """A request as a station writes it; `message` is what makes its id."""
    return _ENVELOPE.format(identity=identity, message=message, action=action, body=body).encode()


class Stations:
    """SOAP 1.6 stations that say Heartbeat at `url`; each has a connection of its own."""

    def __init__(self, url: str, window: Callable[[bool], None]) -> None:
        parts = urlsplit(url)
        self._host, self._port, self._path = parts.hostname or "", parts.port or 0, parts.path.encode()
        self._window = window

    async def run(self, run: Run) -> Outcome:
        """Boot `run.active` stations, then let them beat."""
        opened = [await asyncio.open_connection(self._host, self._port) for _ in range(run.active)]
        try:
            workers = [self._beating(f"SOAP-{number:06d}", *streams) for number, streams in enumerate(opened)]
            return await closed_loop(workers, run, self._window)
        finally:
            for _, writer in opened:
                writer.close()

    def _beating(self, identity: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Ask:
        before, after = envelope(identity, "\0", "Heartbeat", "<o:heartbeatRequest/>").split(b"\0")
        count = 0

        async def ask() -> str:
            nonlocal count
            count += 1
            if count == 1:
                body, wanted = envelope(identity, f"{identity}-boot", "BootNotification", _BOOT), b">Accepted<"
            else:
                body, wanted = before + b"%b-%d" % (identity.encode(), count) + after, b"heartbeatResponse"
            status, answer = await self._post(body, reader, writer)
            return "" if status == 200 and wanted in answer else answer[:300].decode(errors="replace")

        return ask

    async def _post(self, body: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> tuple[int, bytes]:
        writer.write(
            b"POST %b HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/soap+xml; charset=utf-8\r\n"
            b"Content-Length: %d\r\n\r\n%b" % (self._path, len(body), body)
        )
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
        return int(head[9:12]), await reader.readexactly(length)


def codec() -> tuple[float, float]:
    """Microseconds to read a station's MeterValues with ten samples, and to write them: the median of many rounds.

    Bytes to the JSON shape and back, envelopes included.
    """
    text = envelope("SOAP-000001", "1", "MeterValues", _METER_VALUES)
    request = read_request(text)
    assert isinstance(request, Request), request
    return _micros(lambda: read_request(text)), _micros(lambda: write_request(request))


def _micros(work: Callable[[], object]) -> float:
    return median(repeat(work, repeat=_ROUNDS, number=_CALLS)) / _CALLS * 1e6
