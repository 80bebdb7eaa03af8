"""Deadlines and limits: nobody holds more than a share of the gateway, and everybody is told when to come back."""

import asyncio

from csms_platform.envelope import Kind, Refusal
from csms_soap_gateway.settings import Settings
from tests.service.soap_gateway.world import HEARTBEAT, open_world
from tests.support.soap import Answered, envelope

BASIC = {"Authorization": "Basic Q1MtMTpzZWNyZXQ="}


def told(answered: Answered) -> tuple[int, str, str, str | None]:
    return answered.status, answered.code, answered.subcode, answered.headers.get("retry-after")


def unavailable(seconds: int) -> tuple[int, str, str, str]:
    return 500, "Receiver", "UrlTemporarilyUnavailable", str(seconds)


async def test_a_call_that_nobody_answers_is_told_at_its_deadline() -> None:
    async with open_world(Settings(call_deadline=0.1)) as world:
        world.router.decide = lambda _: None
        answered = await world.ask(message_id="urn:uuid:1")

        assert told(answered) == unavailable(10)
        assert answered.reason == "The central system did not answer in time."
        assert answered.header("RelatesTo") == "urn:uuid:1"


async def test_the_deadline_counts_for_the_one_who_waits_for_his_turn_too() -> None:
    async with open_world(Settings(call_deadline=0.2)) as world:
        world.router.decide = lambda _: None
        answers = await asyncio.gather(*(world.ask(message_id="1") for _ in range(2)))

        assert [told(answered) for answered in answers] == 2 * [unavailable(10)]


async def test_an_answer_that_comes_too_late_is_not_taken_for_that_of_another_action() -> None:
    async with open_world(Settings(call_deadline=0.6)) as world:
        world.router.decide = lambda _: None
        await world.ask(message_id="1")
        authorize = "<cs:authorizeRequest><cs:idTag>A</cs:idTag></cs:authorizeRequest>"
        asking = world.ask_soon(authorize, message_id="1")
        first, second = await world.router.hears(2)
        world.router.answer(first)
        world.router.answer(second)
        answered = await asking

        assert answered.text_of("idTagInfo/status") == "Accepted"


async def test_more_calls_than_are_allowed_at_once_are_told_to_come_back() -> None:
    async with open_world(Settings(most_calls=2)) as world:
        world.router.answers = False
        waiting = [world.ask_soon(identity=f"CS-{number}") for number in range(2)]
        calls = await world.router.hears(2)
        third = await world.ask(identity="CS-3")
        for call in calls:
            world.router.answer(call)
        answers = [await one for one in waiting]

        assert told(third) == unavailable(30)
        assert [one.status for one in answers] == [200, 200]
        assert len(world.router.heard) == 2


async def test_while_the_bus_is_congested_nobody_is_asked() -> None:
    async with open_world() as world:
        await world.bus.choke()
        refused = await world.ask()
        world.bus.gate.set()
        await world.bus.flush()
        answered = await world.ask()

        assert told(refused) == unavailable(30)
        assert answered.status == 200


async def test_a_station_that_fails_too_often_has_to_wait_and_its_neighbours_do_not() -> None:
    """Behind a proxy they all come from one address."""
    async with open_world(Settings(failed_calls_per_minute=2)) as world:
        world.router.decide = lambda _: Refusal(401, "Wrong.")
        answers = [await world.ask(headers=BASIC) for _ in range(3)]
        neighbour = await world.ask(identity="CS-2")

        assert [told(answer)[:3] for answer in answers] == [
            (401, "Sender", "SecurityError"),
            (401, "Sender", "SecurityError"),
            (429, "Sender", "SecurityError"),
        ]
        assert 0 < int(answers[2].headers["retry-after"]) <= 61
        assert neighbour.status == 401
        assert [call.identity for call in world.router.heard] == ["CS-1", "CS-1", "CS-2"]


async def test_who_fails_in_the_name_of_a_station_does_not_lock_it_out() -> None:
    async with open_world(Settings(failed_calls_per_minute=1)) as world:
        await world.ask(headers=BASIC)
        world.router.decide = lambda _: Refusal(401, "Wrong.")
        forged = [(await world.ask()).status for _ in range(2)]
        answered = await world.ask(headers=BASIC)

        assert forged == [401, 429]
        assert answered.status == 200


async def test_a_body_that_does_not_end_is_told_408() -> None:
    async with open_world(Settings(call_deadline=0.2)) as world:
        reader, writer = await asyncio.open_connection("127.0.0.1", world.port)
        writer.write(b"POST /Ocpp HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n<a>")
        status = await asyncio.wait_for(reader.readline(), 5)
        writer.close()

        assert status == b"HTTP/1.1 408 Request Timeout\r\n"
        assert [line["status"] for line in world.logged("refused")] == [408]


async def test_one_connection_serves_many_calls_until_the_station_closes_it() -> None:
    async with open_world() as world:
        body = envelope("1.6", "CS-1", HEARTBEAT).encode()
        reader, writer = await asyncio.open_connection("127.0.0.1", world.port)
        head = b"POST /Ocpp HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n" % len(body)
        writer.write(head + b"\r\n" + body + head + b"Connection: close\r\n\r\n" + body)
        read = await asyncio.wait_for(reader.read(), 5)
        writer.close()

        assert read.count(b"HTTP/1.1 200 OK") == 2
        assert read.count(b"heartbeatResponse") == 4
        assert [call.kind for call in world.router.heard] == [Kind.CALL, Kind.CALL]
