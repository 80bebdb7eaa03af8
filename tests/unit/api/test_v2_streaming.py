"""Server-Sent Events to one client: heartbeats, and clients that read slowly or not at all."""

import asyncio
from typing import Any

from csms_api.live import MOST_WAITING, Live
from csms_api.streaming import EventStream
from csms_platform.ports import Events
from tests.unit.api.test_v2_live import events, told

__all__ = ["events"]


class Client:
    """The other end of an ASGI response; `reads` lets it take what is sent."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.ended = False
        self.reads = asyncio.Event()
        self.reads.set()
        self.gone = asyncio.Event()

    async def send(self, message: Any) -> None:
        await self.reads.wait()
        if message["type"] == "http.response.body":
            self.bodies.append(message["body"])
            self.ended = not message["more_body"]

    async def receive(self) -> Any:
        await self.gone.wait()
        return {"type": "http.disconnect"}


async def stream(live: Live, client: Client, **timing: float) -> asyncio.Task[None]:
    response = EventStream(await live.join(["#"], [], ""), live.leave, **timing)
    task = asyncio.create_task(response({}, client.receive, client.send))
    await asyncio.sleep(0.01)
    return task


async def test_silence_is_filled_with_comments(events: Events) -> None:
    client, live = Client(), Live(events)
    task = await stream(live, client, heartbeat=0.01)

    await asyncio.sleep(0.1)
    client.gone.set()
    await task

    assert client.bodies[0] == b"retry: 2000\n\n"
    assert set(client.bodies[1:]) == {b":\n\n"}
    assert len(client.bodies) > 3


async def test_a_client_that_reads_too_slowly_is_told_and_disconnected(events: Events) -> None:
    client, live = Client(), Live(events)
    task = await stream(live, client)
    live.hear([told(0)])
    client.reads.clear()
    await asyncio.sleep(0.01)
    live.hear([told(number) for number in range(1, MOST_WAITING + 10)])
    client.reads.set()

    await task

    assert client.bodies[-2].startswith(b"event: overrun\ndata: {")
    assert client.ended


async def test_a_client_that_reads_nothing_any_more_is_cut_off(events: Events) -> None:
    client, live = Client(), Live(events, most=1)
    task = await stream(live, client, patience=0.01)
    client.reads.clear()
    live.hear([told(0)])
    await asyncio.sleep(0.01)
    live.hear([told(number) for number in range(1, MOST_WAITING + 10)])

    await asyncio.wait_for(task, 5)

    assert not client.ended
    await live.join(["#"], [], "")
