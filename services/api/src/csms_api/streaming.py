"""Server-Sent Events over HTTP: what a `Listener` gets, until it leaves, falls behind, or the process leaves.

https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

import asyncio
from collections.abc import Callable

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from csms_api import metrics
from csms_api.live import Listener

HEARTBEAT = 15.0
PATIENCE = 10.0
_RETRY = b"retry: 2000\n\n"
_COMMENT = b":\n\n"
_GAP = (
    b'event: gap\ndata: {"message":"Events after your last one may be missing here; from now on it goes on live."}\n\n'
)
_OVERRUN = b'event: overrun\ndata: {"message":"Too many events wait for you; come again with Last-Event-ID."}\n\n'


class EventStream(Response):
    """Streams to one client, then calls `leave(listener)`. `heartbeat`: seconds of silence before a comment.

    One that has overrun may take `patience` seconds to read what is on its way to it; then it is cut off.
    """

    media_type = "text/event-stream"

    def __init__(
        self,
        listener: Listener,
        leave: Callable[[Listener], None],
        heartbeat: float = HEARTBEAT,
        patience: float = PATIENCE,
    ) -> None:
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._listener = listener
        self._leave = leave
        self._heartbeat = heartbeat
        self._patience = patience

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        loop = asyncio.get_running_loop()
        writing, gone = loop.create_task(self._write(send)), loop.create_task(_disconnected(receive))
        tasks = (writing, gone, loop.create_task(self._stuck()))
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            if writing.done():
                writing.result()
        finally:
            self._leave(self._listener)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _write(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        await _say(send, _RETRY + (_GAP if self._listener.gap else b""))
        while not self._listener.over:
            if frames := self._listener.take():
                await _say(send, frames)
            elif self._listener.overrun:
                metrics.OVERRUNS.inc()
                await _say(send, _OVERRUN)
                break
            elif not await self._listener.wait(self._heartbeat):
                await _say(send, _COMMENT)
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _stuck(self) -> None:
        await self._listener.ending()
        await asyncio.sleep(self._patience)


async def _say(send: Send, text: bytes) -> None:
    await send({"type": "http.response.body", "body": text, "more_body": True})


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
