"""What `ports.Sessions` promises about stations without a connection, whose leases are their own, on every adapter."""

import asyncio
import time

import msgspec
import redis

from csms_ocpp.version import StationId
from csms_platform.ports import Claim, SessionRecord, without_connection
from csms_platform.state import Stores, open_stores
from tests.contract.stores import MS, Backend
from tests.contract.test_sessions import EAST, STATION, claim

OWN = without_connection(STATION)


def own_claim(identity: StationId = STATION) -> Claim:
    """Of a station that holds no connection."""
    own = without_connection(identity)
    return Claim(identity, own, version="ocpp1.5", transport="soap", callback='http://192.0.2.7/é?a=1&b="2"')


async def arrive(stores: Stores, identity: StationId, seconds: float = 60) -> SessionRecord:
    """The station is heard of, and counts as online for this long."""
    await stores.sessions.renew(without_connection(identity), seconds)
    record, _ = await stores.sessions.open(own_claim(identity))
    return record


async def test_a_session_is_opened_found_replaced_and_swept_with_its_transport_and_callback(stores: Stores) -> None:
    opened = await arrive(stores, STATION)
    found = await stores.sessions.get(STATION)
    again, replaced = await stores.sessions.open(own_claim())
    await stores.sessions.retire(OWN)
    swept = await stores.sessions.sweep()

    told = msgspec.structs.asdict(own_claim())
    assert opened == SessionRecord(**told, epoch=opened.epoch, since=opened.since)
    assert (found, replaced, swept) == (opened, opened, [again])


async def test_a_session_resumes_with_its_transport_and_callback(stores: Stores) -> None:
    await stores.sessions.renew(OWN, 60)
    await stores.sessions.resume(own_claim(), 7)
    found = await stores.sessions.get(STATION)

    assert found is not None
    assert found == SessionRecord(**msgspec.structs.asdict(own_claim()), epoch=7, since=found.since)


async def test_a_session_with_a_lease_of_its_own_ends_when_only_that_ends(stores: Stores) -> None:
    silent = await arrive(stores, STATION, 30 * MS)
    others = [await arrive(stores, StationId(f"EM-{n}")) for n in range(3)]
    await stores.sessions.renew(EAST, 60)
    connected, _ = await stores.sessions.open(claim(EAST, StationId("EM-east")))
    await asyncio.sleep(60 * MS)
    swept = [await stores.sessions.sweep() for _ in range(2)]

    assert swept == [[silent], []]
    assert await stores.sessions.get(STATION) is None
    alive = [*others, connected]
    assert [await stores.sessions.get(record.identity) for record in alive] == alive


async def test_renewing_a_lease_of_its_own_keeps_the_session(stores: Stores) -> None:
    heard, silent = [await arrive(stores, StationId(name), 30 * MS) for name in ("heard", "silent")]
    await stores.sessions.renew(heard.gateway, 60)
    await asyncio.sleep(60 * MS)

    assert await stores.sessions.sweep() == [silent]
    assert await stores.sessions.get(heard.identity) == heard


async def test_a_lease_that_is_renewed_for_a_shorter_time_ends_sooner(stores: Stores) -> None:
    opened = await arrive(stores, STATION, 60)
    await stores.sessions.renew(OWN, 30 * MS)
    await asyncio.sleep(60 * MS)

    assert await stores.sessions.sweep() == [opened]


async def test_of_many_stations_that_fall_silent_sweeps_answer_each_once(backend: Backend) -> None:
    identities = [f"EM-{n:03}" for n in range(100)]
    async with backend.twice() as (one, other):
        for identity in identities:
            await arrive(one, StationId(identity), MS)
        await asyncio.sleep(20 * MS)
        sweeps = await asyncio.gather(*(router.sessions.sweep(30) for router in (one, other) * 3))

    assert sorted(record.identity for swept in sweeps for record in swept) == identities


async def test_leases_that_hold_nothing_do_not_hide_a_session_from_the_sweep(stores: Stores) -> None:
    for n in range(10):
        await stores.sessions.renew(without_connection(StationId(f"EM-{n}")), MS)
    await asyncio.sleep(10 * MS)
    opened, _ = await stores.sessions.open(claim())

    assert await stores.sessions.sweep(2) == [opened]


async def test_a_lease_of_its_own_ends_with_a_released_session(stores: Stores) -> None:
    opened = await arrive(stores, STATION)
    await stores.sessions.release(STATION, opened.epoch)

    assert await stores.sessions.renew(OWN, 60) is False


async def test_a_lease_of_its_own_ends_when_the_station_connects_to_a_gateway(stores: Stores) -> None:
    await arrive(stores, STATION)
    await stores.sessions.open(claim(EAST))

    assert await stores.sessions.renew(OWN, 60) is False


async def test_a_lease_of_its_own_ends_when_a_gateway_resumes_the_session(stores: Stores) -> None:
    opened = await arrive(stores, STATION)
    await stores.sessions.resume(claim(EAST), opened.epoch)

    assert await stores.sessions.renew(OWN, 60) is False


async def test_a_lease_of_its_own_stays_when_the_station_opens_a_session_again(stores: Stores) -> None:
    await arrive(stores, STATION)
    opened, _ = await stores.sessions.open(own_claim())

    assert await stores.sessions.get(STATION) == opened


async def test_a_gateways_lease_stays_when_its_last_session_ends(stores: Stores) -> None:
    await stores.sessions.renew(EAST, 60)
    opened, _ = await stores.sessions.open(claim(EAST))
    await stores.sessions.release(STATION, opened.epoch)
    await stores.sessions.open(claim(EAST))
    await arrive(stores, STATION)

    assert await stores.sessions.renew(EAST, 60) is True


async def test_a_station_that_was_swept_can_come_back_without_a_connection(stores: Stores) -> None:
    await arrive(stores, STATION, MS)
    await asyncio.sleep(10 * MS)
    await stores.sessions.sweep()
    opened = await arrive(stores, STATION)

    assert await stores.sessions.sweep() == []
    assert await stores.sessions.get(STATION) == opened


async def test_redis_keeps_nothing_of_a_station_without_a_session_but_that_it_was_there(
    redis_url: str, redis_prefix: str
) -> None:
    async with open_stores(redis_url, prefix=redis_prefix) as stores:
        for n in range(3):
            opened = await arrive(stores, StationId(f"EM-released-{n}"))
            await stores.sessions.release(opened.identity, opened.epoch)
            await arrive(stores, StationId(f"EM-swept-{n}"), MS)
            await arrive(stores, StationId(f"EM-moved-{n}"))
            moved, _ = await stores.sessions.open(claim(EAST, StationId(f"EM-moved-{n}")))
            await stores.sessions.release(moved.identity, moved.epoch)
        await asyncio.sleep(10 * MS)
        await stores.sessions.sweep()
    with redis.Redis.from_url(redis_url) as client:
        keys = {key.decode().removeprefix(redis_prefix) for key in client.scan_iter(f"{redis_prefix}*")}

    assert keys == {"epochs", "known"}


async def test_looking_for_the_silent_costs_no_time_for_those_who_live_in_memory() -> None:
    async with open_stores("memory://") as stores:
        for n in range(20_000):
            await arrive(stores, StationId(f"EM-{n}"))
        begun = time.process_time()
        for _ in range(1_000):
            await stores.sessions.sweep()
        spent = time.process_time() - begun

    assert spent < 1
