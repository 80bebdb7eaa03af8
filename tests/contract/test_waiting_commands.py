"""What `ports.Commands` promises about commands that wait, are released, and become overdue, on every adapter."""

import asyncio

from csms_ocpp.version import StationId
from csms_platform.ports import Command, GatewayId
from csms_platform.state import Stores
from tests.contract.stores import Backend
from tests.contract.test_commands import PATIENT, RESET, STATION, connect, other

WEST = GatewayId("west")
LATER = 10**9


async def wait(stores: Stores, *ids: str) -> None:
    for each in ids:
        await stores.commands.begin(other(PATIENT, id=each))


async def send(stores: Stores, *ids: str) -> None:
    """Begin these while the station is online for that moment only."""
    await connect(stores)
    await wait(stores, *ids)
    await stores.sessions.retire(GatewayId("east"))


def ids(commands: list[Command]) -> list[str]:
    return [command.id for command in commands]


# --- release ----------------------------------------------------------------------------------------------------------


async def test_while_the_station_is_offline_nothing_is_released(stores: Stores) -> None:
    await wait(stores, "a")

    assert await stores.commands.release(STATION) == []
    assert await stores.commands.get(STATION, "a") == other(PATIENT, id="a", status="waiting")


async def test_what_waits_is_released_in_order_to_the_gateway_of_the_station(stores: Stores) -> None:
    await wait(stores, "b", "a", "c")
    await stores.commands.begin(other(PATIENT, identity=StationId("EM-A0000002")))
    await connect(stores, gateway=WEST, account="acme")

    released = await stores.commands.release(STATION)

    sent = {"status": "sent", "attempt": 1, "gateway": "west", "account": "acme", "version": "ocpp1.6"}
    assert released == [other(PATIENT, id=each, **sent) for each in ("b", "a", "c")]
    assert [await stores.commands.get(STATION, each) for each in ("b", "a", "c")] == released
    assert await stores.commands.expectant() == ["EM-A0000002"]


async def test_a_command_is_released_once(backend: Backend) -> None:
    async with backend.twice() as (one, two):
        await wait(one, *(str(n) for n in range(20)))
        await connect(one)
        released = await asyncio.gather(*(router.commands.release(STATION) for router in (one, two) * 5))

    assert sorted((ids(each) for each in released), key=len) == [[]] * 9 + [[str(n) for n in range(20)]]


async def test_a_command_that_ended_while_it_waited_is_not_released(stores: Stores) -> None:
    await wait(stores, "a", "b")
    await stores.commands.end(other(id="a", outcome="Expired"))
    await connect(stores)

    assert ids(await stores.commands.release(STATION)) == ["b"]


async def test_what_waited_before_a_restart_is_released_in_order_after_it(durable: Backend) -> None:
    async with durable.open() as before:
        await send(before, "postponed")
        await wait(before, "b", "a")
        await before.commands.postpone(STATION, "postponed", 2_000, 1)
    async with durable.open() as after:
        await wait(after, "0")
        await connect(after)
        released = await after.commands.release(STATION)

    assert ids(released) == ["postponed", "b", "a", "0"]


# --- postpone ---------------------------------------------------------------------------------------------------------


async def test_a_postponed_command_waits_again(stores: Stores) -> None:
    await send(stores, "a")

    postponed = await stores.commands.postpone(STATION, "a", 60_999, 1)

    waiting = other(PATIENT, id="a", status="waiting", attempt=1, version="ocpp1.6")
    assert postponed is True
    assert await stores.commands.get(STATION, "a") == waiting
    assert await stores.commands.expectant() == [STATION]


async def test_postponed_commands_go_before_those_that_only_waited_and_keep_their_order(stores: Stores) -> None:
    await wait(stores, "waited first")
    await send(stores, "a", "b", "c")
    await wait(stores, "waited last")
    await connect(stores)
    await stores.sessions.retire(GatewayId("east"))
    for each in ("c", "a", "b"):
        await stores.commands.postpone(STATION, each, 2_000, 1)
    await connect(stores)

    assert ids(await stores.commands.release(STATION)) == ["a", "b", "c", "waited first", "waited last"]


async def test_postponing_what_waits_leaves_it_where_it_is(stores: Stores) -> None:
    await wait(stores, "a", "b")

    postponed = await stores.commands.postpone(STATION, "b", 2_000, 0)
    await connect(stores)

    assert postponed is True
    assert ids(await stores.commands.release(STATION)) == ["a", "b"]


async def test_each_release_is_an_attempt_of_its_own(stores: Stores) -> None:
    await wait(stores, "a")
    attempts = []
    for number in range(3):
        await connect(stores)
        (released,) = await stores.commands.release(STATION)
        attempts.append(released.attempt)
        await stores.commands.postpone(STATION, "a", 2_000, number + 1)

    known = await stores.commands.get(STATION, "a")

    assert attempts == [1, 2, 3]
    assert known == other(PATIENT, id="a", status="waiting", attempt=3, version="ocpp1.6")


async def test_what_is_heard_of_an_earlier_attempt_changes_nothing(stores: Stores) -> None:
    await send(stores, "a")
    await stores.commands.postpone(STATION, "a", 2_000, 1)
    await connect(stores)
    (sent,) = await stores.commands.release(STATION)

    postponed = [await stores.commands.postpone(STATION, "a", now, 1) for now in (2_000, 61_000)]

    assert postponed == [True, True]
    assert await stores.commands.get(STATION, "a") == sent
    assert await stores.commands.expectant() == []


async def test_a_command_that_may_not_wait_is_not_postponed(stores: Stores) -> None:
    await send(stores, "patient")
    await connect(stores)
    await stores.commands.begin(other(id="impatient"))
    before = [await stores.commands.get(STATION, each) for each in ("patient", "impatient")]

    postponed = [
        await stores.commands.postpone(STATION, "patient", 61_000, 1),
        await stores.commands.postpone(STATION, "impatient", 2_000, 1),
    ]

    assert postponed == [False, False]
    assert [await stores.commands.get(STATION, each) for each in ("patient", "impatient")] == before
    assert await stores.commands.expectant() == []


async def test_an_ended_or_unknown_command_is_not_postponed(stores: Stores) -> None:
    await send(stores, "a")
    ended = await stores.commands.end(other(id="a", outcome="Timeout"))

    postponed = [await stores.commands.postpone(STATION, each, 2_000, 1) for each in ("a", "unknown")]

    assert postponed == [False, False]
    assert await stores.commands.get(STATION, "a") == ended
    assert await stores.commands.get(STATION, "unknown") is None


# --- expectant --------------------------------------------------------------------------------------------------------


async def test_stations_are_expectant_while_something_waits_for_them(stores: Stores) -> None:
    identities = [StationId(f"EM-{n}") for n in range(5)]
    for identity in identities:
        for each in ("a", "b"):
            await stores.commands.begin(other(PATIENT, identity=identity, id=each))
    await stores.commands.end(other(identity=identities[0], id="a"))
    for each in ("a", "b"):
        await stores.commands.end(other(identity=identities[1], id=each))
    await connect(stores, identities[2])
    await stores.commands.release(identities[2])

    assert sorted(await stores.commands.expectant()) == [identities[0], identities[3], identities[4]]


async def test_expectant_answers_no_more_than_its_limit_and_in_time_every_one(stores: Stores) -> None:
    for n in range(5):
        await stores.commands.begin(other(PATIENT, identity=StationId(f"EM-{n}")))

    answers = [await stores.commands.expectant(2) for _ in range(200)]

    assert {len(set(answer)) for answer in answers} == {2}
    assert {identity for answer in answers for identity in answer} == {f"EM-{n}" for n in range(5)}


# --- overdue ----------------------------------------------------------------------------------------------------------


async def test_waiting_commands_are_overdue_when_they_may_wait_no_longer(stores: Stores) -> None:
    waiting, _ = await stores.commands.begin(PATIENT)

    assert await stores.commands.overdue(60_999) == []
    assert await stores.commands.overdue(61_000) == [waiting]


async def test_sent_commands_are_overdue_when_nobody_will_hear_of_them(stores: Stores) -> None:
    await connect(stores)
    sent, _ = await stores.commands.begin(PATIENT)

    assert await stores.commands.overdue(44_999) == []
    assert await stores.commands.overdue(45_000) == [sent]


async def test_released_and_postponed_commands_are_overdue_by_what_they_are_now(stores: Stores) -> None:
    await send(stores, "postponed")
    await stores.commands.postpone(STATION, "postponed", 2_000, 1)
    late = [await stores.commands.overdue(now) for now in (60_999, 61_000)]
    await connect(stores)
    released = await stores.commands.release(STATION)

    assert [ids(each) for each in late] == [[], ["postponed"]]
    assert [await stores.commands.overdue(now) for now in (44_999, 45_000)] == [[], released]


async def test_ended_commands_are_never_overdue(stores: Stores) -> None:
    await stores.commands.begin(RESET)
    await wait(stores, "waited")
    await send(stores, "sent")
    for each in ("waited", "sent"):
        await stores.commands.end(other(id=each))

    assert await stores.commands.overdue(LATER) == []


async def test_overdue_answers_no_more_than_its_limit_and_the_latest_last(stores: Stores) -> None:
    for n in (3, 1, 2):
        await stores.commands.begin(other(PATIENT, id=str(n), offline_until=60_000 + n))

    assert ids(await stores.commands.overdue(LATER, 2)) == ["1", "2"]
    assert ids(await stores.commands.overdue(LATER)) == ["1", "2", "3"]
