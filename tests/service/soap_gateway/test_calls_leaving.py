"""Leaving: nothing new is sent, what was sent may be answered for a while, and every command ends."""

import asyncio
from time import monotonic

from tests.service.soap_gateway.commanding import Names, after, keep_alive, open_desk, outcome, point, raw_point


async def test_leaving_ends_what_waits_and_lets_what_was_sent_be_answered() -> None:
    go = asyncio.Event()
    async with point(after(go)) as station, open_desk() as desk:
        for number in range(3):
            desk.send(station.url, unique_id=str(number))
        while not station.asked:
            await asyncio.sleep(0.01)
        closing = asyncio.create_task(desk.calls.close(5))
        waiting = list(await desk.ends(2))
        assert not closing.done()
        go.set()
        await asyncio.wait_for(closing, 2)
        ended = await desk.ends(3)

        assert [(each.unique_id, *outcome(each)) for each in waiting] == [
            ("1", "NotConnected", "NotConnected", "The gateway leaves."),
            ("2", "NotConnected", "NotConnected", "The gateway leaves."),
        ]
        assert (ended[2].unique_id, ended[2].outcome) == ("0", "result")
        assert len(station.asked) == 1


async def test_what_is_not_answered_in_time_is_a_timeout() -> None:
    async with point(after(asyncio.Event())) as station, open_desk() as desk:
        desk.send(station.url)
        while not station.asked:
            await asyncio.sleep(0.01)
        began = monotonic()

        await desk.calls.close(0.2)

        assert 0.2 <= monotonic() - began < 1.5
        [ended] = await desk.ends()
        assert outcome(ended) == ("Timeout", "Timeout", "The gateway left before the station answered.")


async def test_what_was_still_on_its_way_was_not_sent() -> None:
    names = Names(slow_example=[[]])
    async with open_desk(resolver=names) as desk:
        desk.send("http://slow.example/")
        while not names.asked:
            await asyncio.sleep(0.01)

        await desk.calls.close(0.1)

        [ended] = await desk.ends()
        why = "The gateway left before the station could be reached."
        assert outcome(ended) == ("NotConnected", "NotConnected", why)


async def test_what_comes_later_is_not_sent() -> None:
    async with point() as station, open_desk() as desk:
        await desk.ask(station.url, unique_id="1")
        await desk.calls.close(1)

        ended = await desk.ask(station.url, unique_id="2")

        assert outcome(ended) == ("NotConnected", "NotConnected", "The gateway leaves.")
        assert len(station.asked) == 1


async def test_leaving_closes_the_connections() -> None:
    async with raw_point(keep_alive) as station, open_desk() as desk:
        await desk.ask(station.url)
        kept = station.open

        await asyncio.wait_for(desk.calls.close(5), 1)

        async with asyncio.timeout(2):
            while station.open:
                await asyncio.sleep(0.01)
        assert (kept, station.connections) == (1, 1)


async def test_leaving_without_ever_having_called_takes_no_time() -> None:
    async with open_desk() as desk:
        await asyncio.wait_for(desk.calls.close(5), 1)
