"""What every adapter of `ports.Events` promises, tried on memory and on RabbitMQ."""

import asyncio
import json
import time
from typing import Any

from csms_platform.envelope import Raw
from csms_platform.ports import Event, Events
from tests.contract.doors import Broker


class Diary:
    """A follower that keeps what it hears."""

    def __init__(self) -> None:
        self.batches: list[list[dict[str, Any]]] = []
        self.failures = 0

    def __call__(self, batch: list[bytes]) -> None:
        if self.failures:
            self.failures -= 1
            raise RuntimeError("told to")
        self.batches.append([json.loads(body) for body in batch])

    @property
    def ids(self) -> list[str]:
        return [event["id"] for batch in self.batches for event in batch]

    async def wait_for(self, *ids: str, within: float = 10) -> list[str]:
        """Everything heard so far, when all of `ids` have been."""
        async with asyncio.timeout(within):
            while not set(ids) <= set(self.ids):
                await asyncio.sleep(0.005)
        return self.ids


def event(id: object, **fields: Any) -> Event:
    return Event(str(id), "2024-01-01T00:00:00.000Z", "call", "CP-1", **fields)


async def until_unwanted(events: Events, key: str) -> None:
    """Nobody is bound to `key`; emit until that is noticed."""
    async with asyncio.timeout(5):
        while events.wanted(key):
            events.emit(key, event("for nobody"))
            await asyncio.sleep(0.01)


async def test_an_event_reaches_every_follower_of_its_key_as_json_with_the_payload_s_own_bytes(broker: Broker) -> None:
    sender, one, two = await broker.connect(), await broker.connect(), await broker.connect()
    here, there, bodies = Diary(), Diary(), []
    await one.events.follow(here, ["ocpp1.6.MeterValues"])
    await two.events.follow(there, ["ocpp1.6.#"])
    await two.events.follow(bodies.extend)

    sender.events.emit(
        "ocpp1.6.MeterValues",
        Event(
            "e1", "2024-01-01T00:00:00.000Z", "call", "CP-1", action="MeterValues", request=Raw(b'{"n":  1.50}'),
            error_code="GenericError", milliseconds=1.5,
        ),
    )  # fmt: skip
    await asyncio.gather(here.wait_for("e1"), there.wait_for("e1"))
    async with asyncio.timeout(5):
        while not bodies:
            await asyncio.sleep(0.005)

    told = {
        "id": "e1", "time": "2024-01-01T00:00:00.000Z", "type": "call", "identity": "CP-1", "action": "MeterValues",
        "request": {"n": 1.5}, "errorCode": "GenericError", "milliseconds": 1.5,
    }  # fmt: skip
    assert (here.batches, there.batches) == ([[told]], [[told]])
    assert b'"request":{"n":  1.50}' in bodies[0]


async def test_a_follower_hears_only_what_its_patterns_take(broker: Broker) -> None:
    sender, receiver, diary = await broker.connect(), await broker.connect(), Diary()
    await receiver.events.follow(diary, ["*.connected", "ocpp2.#", "ocpp1.*.Heartbeat"])

    for key in ("unknown.connected", "ocpp1.6.connected", "ocpp2.0.1.connected", "ocpp2.1.X", "ocpp1.6.Heartbeat"):
        sender.events.emit(key, event(key))
    await diary.wait_for("ocpp1.6.Heartbeat")

    assert diary.ids == ["unknown.connected", "ocpp2.0.1.connected", "ocpp2.1.X", "ocpp1.6.Heartbeat"]


async def test_events_come_in_the_sender_s_order_and_those_of_a_tick_together(broker: Broker) -> None:
    sender, receiver, diary = await broker.connect(), await broker.connect(), Diary()
    await receiver.events.follow(diary)

    for number in range(3000):
        sender.events.emit(f"ocpp1.6.{number % 7}", event(number))
        if number % 500 == 0:
            await asyncio.sleep(0)
    await diary.wait_for("2999")

    assert diary.ids == [str(number) for number in range(3000)]
    assert len(diary.batches) < 1500


async def test_what_happens_before_somebody_follows_is_not_kept_for_him(broker: Broker) -> None:
    sender, receiver, diary, late = await broker.connect(), await broker.connect(), Diary(), Diary()
    await receiver.events.follow(diary)
    sender.events.emit("ocpp1.6.connected", event("early"))
    await diary.wait_for("early")

    await receiver.events.follow(late)
    sender.events.emit("ocpp1.6.connected", event("later"))

    assert await late.wait_for("later") == ["later"]


async def test_what_nobody_is_bound_to_is_not_wanted_until_somebody_is(broker: Broker) -> None:
    sender, receiver, diary = await broker.connect(), await broker.connect(), Diary()
    await until_unwanted(sender.events, "ocpp1.6.Heartbeat")

    await receiver.events.follow(diary, ["ocpp1.6.Heartbeat"])
    began = time.monotonic()
    async with asyncio.timeout(5):
        while not sender.events.wanted("ocpp1.6.Heartbeat"):
            await asyncio.sleep(0.01)
    noticed = time.monotonic() - began
    sender.events.emit("ocpp1.6.Heartbeat", event("the first one"))
    await diary.wait_for("the first one")

    assert noticed < 1
    assert sender.events.wanted("ocpp1.6.Heartbeat")


async def test_one_key_that_nobody_wants_does_not_hold_back_another(broker: Broker) -> None:
    sender, receiver, diary = await broker.connect(), await broker.connect(), Diary()
    await receiver.events.follow(diary, ["*.*.MeterValues"])
    await until_unwanted(sender.events, "ocpp1.6.Heartbeat")

    sender.events.emit("ocpp1.6.MeterValues", event(1))

    assert await diary.wait_for("1") == ["1"]
    assert not sender.events.wanted("ocpp1.6.Heartbeat")


async def test_always_publishes_what_nobody_is_bound_to_and_never_publishes_nothing(broker: Broker) -> None:
    always, never, diary = await broker.connect(events="always"), await broker.connect(events="never"), Diary()
    for doors in (always, never):
        doors.events.emit("ocpp1.6.connected", event("for nobody"))
    await asyncio.sleep(0.2)
    wanted = always.events.wanted("ocpp1.6.connected"), never.events.wanted("ocpp1.6.connected")

    await never.events.follow(diary)
    never.events.emit("ocpp1.6.connected", event("never"))
    always.events.emit("ocpp1.6.connected", event("always"))

    assert wanted == (True, False)
    assert await diary.wait_for("always") == ["always"]


async def test_a_key_that_a_peer_made_too_long_is_an_event_like_any_other(broker: Broker) -> None:
    sender, receiver, diary = await broker.connect(), await broker.connect(), Diary()
    await receiver.events.follow(diary, ["ocpp1.6.#"])

    sender.events.emit("ocpp1.6." + "ü" * 300, event("long"))
    sender.events.emit("ocpp1.6.connected", event("after it"))

    assert await diary.wait_for("after it") == ["long", "after it"]


async def test_after_stop_returns_the_handler_is_not_called_any_more(broker: Broker) -> None:
    sender, receiver, stopped, other = await broker.connect(), await broker.connect(), Diary(), Diary()
    following = await receiver.events.follow(stopped)
    await receiver.events.follow(other)
    sender.events.emit("ocpp1.6.connected", event(1))
    await stopped.wait_for("1")

    sender.events.emit("ocpp1.6.connected", event(2))
    await following.stop()
    heard = list(stopped.ids)
    sender.events.emit("ocpp1.6.connected", event(3))
    await other.wait_for("3")

    assert stopped.ids == heard
    assert other.ids == ["1", "2", "3"]


async def test_a_failing_handler_loses_its_batch_and_goes_on_following(broker: Broker) -> None:
    sender, receiver, diary = await broker.connect(), await broker.connect(), Diary()
    await receiver.events.follow(diary)
    diary.failures = 1
    sender.events.emit("ocpp1.6.connected", event(1))
    async with asyncio.timeout(5):
        while diary.failures:
            await asyncio.sleep(0.005)

    sender.events.emit("ocpp1.6.connected", event(2))

    assert await diary.wait_for("2") == ["2"]
