"""A process that leaves answers first what it was asked over HTTP."""

import asyncio
import signal
import sys

from tests.unit.platform.test_http import dialled

PROCESS = '''
import asyncio, sys
from contextlib import asynccontextmanager

from csms_platform.bus import BusSettings
from csms_platform.plan import ListenSettings, Part, Plan, StateSettings
from csms_platform.runtime import run


@asynccontextmanager
async def slow(ports):
    """Says half of its answer, and the other half only while it leaves, as a stream does that ends with its service."""
    leaving = asyncio.Event()

    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"8")]})
        await send({"type": "http.response.body", "body": b"half", "more_body": True})
        await leaving.wait()
        await asyncio.sleep(0.2)
        await send({"type": "http.response.body", "body": b"half"})

    ports.serve(app, "/")
    yield
    leaving.set()


plan = Plan([Part("slow", slow)], ListenSettings(port=int(sys.argv[1])), BusSettings(), StateSettings())
sys.exit(run(plan))
'''


async def test_a_request_under_way_at_sigterm_is_answered_to_its_end(free_port: int) -> None:
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", PROCESS, str(free_port))
    try:
        await _listening(free_port)
        async with dialled(free_port) as (reader, writer), asyncio.timeout(20):
            writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            head = await reader.readuntil(b"half")
            process.send_signal(signal.SIGTERM)
            rest = await reader.read()
            code = await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()

    assert (head[:15], rest, code) == (b"HTTP/1.1 200 OK", b"half", 0)


async def _listening(port: int) -> None:
    async with asyncio.timeout(20):
        while True:
            try:
                async with dialled(port):
                    return
            except OSError:
                await asyncio.sleep(0.05)
