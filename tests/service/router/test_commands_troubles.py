"""Commands when a store is away, when something came to wait that should not, and what is counted."""

import asyncio
from dataclasses import replace as with_fields
from typing import Any

from msgspec import Raw
from msgspec.structs import replace

from csms_ocpp.version import StationId
from csms_platform.envelope import Envelope, Kind
from csms_platform.ports import (
    Claim,
    Command,
    GatewayId,
    Note,
    Order,
    Station,
    Unavailable,
    Waiter,
    gateway_address,
)
from csms_router.commands import Commands
from csms_router.intake import Intake
from csms_router.settings import Settings
from tests.service.router.test_metrics import Counters
from tests.service.router.world import World, open_world

CS, EAST = StationId("CS-1"), GatewayId("east")
API = "ocpp.api.a1"
SHORT = Settings(command_patience=0.05, command_grace=0.05)


class Away:
    """Commands that cannot be reached the first `times`; `asked` counts."""

    def __init__(self, commands: Any, times: int) -> None:
        self._commands = commands
        self._times = times
        self.asked = 0

    def __getattr__(self, name: str) -> Any:
        async def ask(*arguments: Any) -> Any:
            self.asked += 1
            if self.asked <= self._times:
                raise Unavailable("away")
            return await getattr(self._commands, name)(*arguments)

        return ask


def commands(world: World, times: int = 0, settings: Settings = SHORT) -> Commands:
    """Commands by themselves, on a store that is away so often."""
    away: Any = Away(world.ports.commands, times)
    return Commands(replaced(world, away), settings, world.clock)


def replaced(world: World, store: Any) -> Any:
    return with_fields(world.ports, commands=store)


async def online(world: World, identity: str = "CS-1") -> None:
    await world.ports.sessions.renew(EAST, 3600)
    await world.ports.sessions.open(Claim(StationId(identity), EAST, version="ocpp1.6"))


def asks(id: str = "r-1", **more: Any) -> Envelope:
    return Envelope(Kind.COMMAND, "CS-1", unique_id=id, action="ClearCache", reply_to=API, **more)


def sent(world: World) -> list[tuple[str, str]]:
    """Where to, and how it ended ("" for a CALL)."""
    return [(address.name, envelope.outcome) for address, envelope in world.bus.sent]


async def test_a_command_waits_for_the_store_and_is_sent_once(world: World) -> None:
    await online(world)

    await commands(world, times=2, settings=Settings()).asked([asks()])

    assert sent(world) == [("ocpp.gateway.east", "")]


async def test_a_command_expires_unsent_when_the_store_stays_away_until_its_deadline(world: World) -> None:
    await online(world)

    await commands(world, times=99).asked([asks()])

    assert sent(world) == [(API, "Expired")]


async def test_an_order_without_an_id_expires_unsent_when_the_store_stays_away(world: World) -> None:
    await online(world)

    class NoMemory:
        async def remember(self, key: str, reply: bytes, seconds: float) -> None:
            raise Unavailable("away")

    memory: Any = NoMemory()
    ports = with_fields(world.ports, transactions=memory)
    replies = world.exchange.replies("answers")
    await Intake(ports, SHORT, commands(world), world.clock).handle(
        [Order(b'{"action":"ClearCache"}', key="CS-1", reply_to="answers")]
    )

    assert [b'"outcome":"Expired"' in reply.body for reply in replies] == [True]
    assert sent(world) == []


async def test_an_outcome_that_cannot_be_kept_becomes_a_time_out_later(world: World) -> None:
    await online(world)
    away = commands(world, times=99)
    await commands(world).asked([asks()])
    result = Envelope(Kind.RESULT, "CS-1", unique_id="r-1", action="ClearCache", outcome="result")

    await away.ended([result, replace(result, kind=Kind.ERROR, outcome="NotConnected")])
    world.clock.now += 3600
    await commands(world).overdue()

    assert sent(world) == [("ocpp.gateway.east", ""), (API, "Timeout")]


async def test_an_outcome_of_no_known_kind_changes_nothing(world: World) -> None:
    await online(world)
    await commands(world).asked([asks()])

    await world.bus.deliver(Envelope(Kind.RESULT, "CS-1", unique_id="r-1", action="ClearCache", outcome="fine"))

    stored = await world.ports.commands.get(CS, "r-1")
    assert stored is not None
    assert stored.status == "sent"


async def test_while_the_store_is_away_nothing_is_released_and_nothing_raises(world: World) -> None:
    await commands(world, times=1).release(CS)

    assert sent(world) == []


async def test_what_still_waits_for_a_station_that_is_there_is_sent_after_a_while(world: World) -> None:
    """It began to wait in the moment in which the station came."""
    ours = commands(world, settings=Settings(boot_required=False))
    await ours.asked([asks(offline_until=world.deadline)])
    await online(world)

    await ours.release_forgotten()
    early = sent(world)
    world.clock.now += 6
    await ours.release_forgotten()

    assert (early, sent(world)) == ([], [("ocpp.gateway.east", "")])


async def test_what_waits_for_a_station_that_was_never_accepted_goes_on_waiting(world: World) -> None:
    ours = commands(world, settings=Settings())
    await ours.asked([asks(offline_until=world.deadline)])
    await online(world)
    world.clock.now += 6

    await ours.release_forgotten()
    await world.ports.stations.put(Station(CS, registration="Pending"))
    await note_accepted(world)
    await ours.release_forgotten()
    pending = sent(world)
    await world.ports.stations.put(Station(CS))
    await ours.release_forgotten()

    assert (pending, sent(world)) == ([], [("ocpp.gateway.east", "")])


async def note_accepted(world: World) -> None:
    await world.ports.stations.note([Note(CS, "registration", b'"Accepted"')])


async def test_what_is_released_after_its_time_expires_unsent(world: World) -> None:
    ours = commands(world, settings=Settings(command_patience=3600))
    await ours.asked([asks(offline_until=world.deadline)])
    world.clock.now += 31
    await online(world)

    await ours.release(CS)

    assert sent(world) == [(API, "Expired")]


async def test_a_command_that_comes_back_twice_waits_once_and_is_sent_once_more(world: World) -> None:
    await online(world)
    ours = commands(world, settings=Settings())
    await ours.asked([asks(offline_until=world.deadline)])
    (call,) = [envelope for _, envelope in world.bus.sent]
    give_back = world.bus.give_back
    assert give_back is not None

    for _ in range(2):
        give_back(gateway_address(EAST), [call])
        await asyncio.sleep(0.01)
        await ours.release(CS)

    assert [(envelope.unique_id, envelope.attempt) for _, envelope in world.bus.sent] == [("r-1", 1), ("r-1", 2)]


async def test_commands_that_come_back_after_the_router_left_are_left_to_the_others(world: World) -> None:
    await online(world)
    ours = commands(world)
    await ours.asked([asks()])
    (call,) = [envelope for _, envelope in world.bus.sent]

    ours.leave()
    assert world.bus.give_back is not None
    world.bus.give_back(gateway_address(EAST), [call])
    await asyncio.sleep(0.01)

    stored = await world.ports.commands.get(CS, "r-1")
    assert stored is not None
    assert stored.status == "sent"


async def test_answers_to_stations_that_come_back_are_no_commands(world: World) -> None:
    counters = Counters()
    assert world.bus.give_back is not None

    world.bus.give_back(
        gateway_address(EAST),
        [
            Envelope(Kind.RESULT, "CS-1", unique_id="m-1", action="Heartbeat"),
            Envelope(Kind.CALL, "CS-1", unique_id="m-2", action="Reset", reply_to=API),
        ],
    )

    assert counters.grown() == {}


async def test_commands_are_counted_by_action_and_outcome_and_no_word_of_a_senders_is_a_label(world: World) -> None:
    counters = Counters()
    await online(world)
    ours = commands(world)
    nonsense = Command(CS, "n-1", "x" * 999, Raw(b"{}"), created=0, deadline=0, overdue=0, waiters=(Waiter(API),))

    await ours.asked([asks(), asks(), asks("r-2", payload=Raw(b"7")), replace(asks("r-3"), identity="CS-2")])
    await ours.take([replace(nonsense, status="ended", outcome="Invalid")])
    await ours.ended([Envelope(Kind.RESULT, "CS-1", unique_id="r-1", action="ClearCache", outcome="result")])

    assert counters.grown() == {
        ("commands_total", "ClearCache", "Invalid"): 1,
        ("commands_total", "ClearCache", "NotConnected"): 1,
        ("commands_total", "ClearCache", "result"): 1,
        ("commands_total", "", "Invalid"): 1,
        ("commands_repeated_total",): 1,
    }


async def test_a_router_that_leaves_takes_no_more_orders() -> None:
    async with open_world() as world:
        exchange = world.exchange

    exchange.publish_order("CS-1", b'{"action":"ClearCache"}', reply_to="answers")
    await asyncio.sleep(0.01)

    assert exchange.replies("answers") == []
