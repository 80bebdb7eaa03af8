"""What `ports.Sessions` promises, on every adapter."""

import asyncio

import msgspec
import redis

from csms_ocpp.version import StationId
from csms_platform.ports import Claim, GatewayId, SessionRecord
from csms_platform.state import Stores, open_stores
from tests.contract.stores import MS, Backend

STATION = StationId("EM-A0000001")
EAST, WEST = GatewayId("east"), GatewayId("west")


def claim(gateway: GatewayId = EAST, identity: StationId = STATION) -> Claim:
    return Claim(identity, gateway, account="acme", version="ocpp1.6", peer="192.0.2.7")


async def test_an_opened_session_is_found_while_its_gateway_lives(stores: Stores) -> None:
    await stores.sessions.renew(EAST, 60)
    opened, replaced = await stores.sessions.open(claim())

    assert replaced is None
    assert await stores.sessions.get(STATION) == opened
    assert opened == SessionRecord(
        STATION, EAST, opened.epoch, account="acme", version="ocpp1.6", peer="192.0.2.7", since=opened.since
    )


async def test_a_station_that_never_connected_is_offline(stores: Stores) -> None:
    assert await stores.sessions.get(STATION) is None


async def test_identities_may_contain_any_character(stores: Stores) -> None:
    await stores.sessions.renew(EAST, 60)
    odd = StationId('Zürich "7"/a:b\\c\u2028😀')
    opened, _ = await stores.sessions.open(claim(identity=odd))

    assert await stores.sessions.get(odd) == opened
    assert await stores.sessions.release(odd, opened.epoch) is True


async def test_the_newest_session_wins_and_answers_the_one_it_replaced(stores: Stores) -> None:
    await stores.sessions.renew(WEST, 60)
    old, _ = await stores.sessions.open(claim(EAST))
    new, replaced = await stores.sessions.open(claim(WEST))

    assert replaced == old
    assert new.epoch > old.epoch
    assert await stores.sessions.get(STATION) == new


async def test_concurrent_opens_get_different_epochs_and_the_highest_stays(backend: Backend) -> None:
    async with backend.twice() as (one, other):
        await one.sessions.renew(EAST, 60)
        opened = await asyncio.gather(*(router.sessions.open(claim()) for router in (one, other) * 10))
        epochs = [record.epoch for record, _ in opened]
        stays = await one.sessions.get(STATION)

    assert len(set(epochs)) == 20
    assert stays is not None
    assert stays.epoch == max(epochs)
    assert sum(replaced is None for _, replaced in opened) == 1


async def test_epochs_grow_over_a_restart(backend: Backend) -> None:
    async with backend.open() as before:
        for _ in range(3):
            old, _ = await before.sessions.open(claim())
    await asyncio.sleep(5 * MS)
    async with backend.open() as after:
        new, _ = await after.sessions.open(claim())

    assert new.epoch > old.epoch


async def test_epochs_grow_after_the_session_was_released(stores: Stores) -> None:
    old, _ = await stores.sessions.open(claim())
    await stores.sessions.release(STATION, old.epoch)
    new, replaced = await stores.sessions.open(claim())

    assert replaced is None
    assert new.epoch > old.epoch


async def test_release_ends_the_session_once(stores: Stores) -> None:
    await stores.sessions.renew(EAST, 60)
    opened, _ = await stores.sessions.open(claim())
    answers = [await stores.sessions.release(STATION, opened.epoch) for _ in range(2)]

    assert answers == [True, False]
    assert await stores.sessions.get(STATION) is None


async def test_a_late_release_changes_nothing(stores: Stores) -> None:
    await stores.sessions.renew(WEST, 60)
    old, _ = await stores.sessions.open(claim(EAST))
    new, _ = await stores.sessions.open(claim(WEST))
    released = await stores.sessions.release(STATION, old.epoch)

    assert released is False
    assert await stores.sessions.get(STATION) == new


async def test_a_station_is_offline_when_its_gateways_lease_has_ended(stores: Stores) -> None:
    await stores.sessions.renew(EAST, 30 * MS)
    await stores.sessions.open(claim())
    await asyncio.sleep(60 * MS)

    assert await stores.sessions.get(STATION) is None


async def test_renewing_keeps_sessions_from_the_sweep(stores: Stores) -> None:
    await stores.sessions.renew(EAST, 30 * MS)
    opened, _ = await stores.sessions.open(claim())
    await stores.sessions.renew(EAST, 60)
    await asyncio.sleep(60 * MS)

    assert await stores.sessions.sweep() == []
    assert await stores.sessions.get(STATION) == opened


async def test_sweep_ends_the_sessions_of_dead_gateways_only(stores: Stores) -> None:
    await stores.sessions.renew(WEST, 60)
    await stores.sessions.renew(EAST, 30 * MS)
    dead, _ = await stores.sessions.open(claim(EAST))
    alive, _ = await stores.sessions.open(claim(WEST, StationId("EM-A0000002")))
    await asyncio.sleep(60 * MS)

    assert await stores.sessions.sweep() == [dead]
    assert await stores.sessions.sweep() == []
    assert await stores.sessions.get(alive.identity) == alive


async def test_a_session_of_a_gateway_that_never_renewed_is_swept_at_once(stores: Stores) -> None:
    opened, _ = await stores.sessions.open(claim())

    assert await stores.sessions.get(STATION) is None
    assert await stores.sessions.sweep() == [opened]


async def test_a_retired_gateways_sessions_are_swept_at_once(stores: Stores) -> None:
    await stores.sessions.renew(EAST, 60)
    opened, _ = await stores.sessions.open(claim())
    await stores.sessions.retire(EAST)

    assert await stores.sessions.get(STATION) is None
    assert await stores.sessions.sweep() == [opened]


async def test_a_session_that_moved_to_a_live_gateway_is_not_swept_with_its_old_one(stores: Stores) -> None:
    await stores.sessions.renew(WEST, 60)
    await stores.sessions.renew(EAST, 60)
    await stores.sessions.open(claim(EAST))
    moved, _ = await stores.sessions.open(claim(WEST))
    await stores.sessions.retire(EAST)

    assert await stores.sessions.sweep() == []
    assert await stores.sessions.get(STATION) == moved


async def test_a_released_session_is_not_swept(stores: Stores) -> None:
    opened, _ = await stores.sessions.open(claim())
    await stores.sessions.release(STATION, opened.epoch)

    assert await stores.sessions.sweep() == []


async def test_sweep_ends_no_more_than_its_limit(stores: Stores) -> None:
    opened = [
        (await stores.sessions.open(claim(gateway, StationId(f"EM-{gateway}-{n}"))))[0]
        for gateway in (EAST, WEST)
        for n in range(3)
    ]
    sweeps = [await stores.sessions.sweep(4), await stores.sessions.sweep(4), await stores.sessions.sweep(4)]

    assert [len(swept) for swept in sweeps] == [4, 2, 0]
    assert sorted(record.identity for swept in sweeps for record in swept) == [record.identity for record in opened]


async def test_two_sweepers_at_once_get_each_session_exactly_once(backend: Backend) -> None:
    async with backend.twice() as (one, other):
        for n in range(50):
            await one.sessions.open(claim(identity=StationId(f"EM-{n:02}")))
        sweeps = await asyncio.gather(*(router.sessions.sweep(10) for router in (one, other) * 5))

    assert sorted(record.identity for swept in sweeps for record in swept) == [f"EM-{n:02}" for n in range(50)]


async def test_a_gateway_that_was_swept_can_come_back(stores: Stores) -> None:
    await stores.sessions.open(claim())
    await stores.sessions.sweep()
    await stores.sessions.renew(EAST, 60)
    opened, replaced = await stores.sessions.open(claim())

    assert replaced is None
    assert await stores.sessions.get(STATION) == opened


async def test_renew_tells_whether_the_lease_still_lived(stores: Stores) -> None:
    first = await stores.sessions.renew(EAST, 60)
    second = await stores.sessions.renew(EAST, 0.01)
    await asyncio.sleep(0.05)
    third = await stores.sessions.renew(EAST, 60)

    assert (first, second, third) == (False, True, False)


async def test_a_swept_session_resumes_under_its_own_epoch(stores: Stores) -> None:
    opened, _ = await stores.sessions.open(claim())
    swept = await stores.sessions.sweep()
    await stores.sessions.renew(EAST, 60)

    resumed = await stores.sessions.resume(claim(), opened.epoch)
    found = await stores.sessions.get(STATION)

    assert [record.epoch for record in swept] == [opened.epoch]
    assert resumed is True
    assert found is not None
    assert (found.epoch, found.gateway) == (opened.epoch, EAST)


async def test_a_session_does_not_resume_after_a_newer_one(stores: Stores) -> None:
    await stores.sessions.renew(WEST, 60)
    old, _ = await stores.sessions.open(claim(EAST))
    new, _ = await stores.sessions.open(claim(WEST))

    assert await stores.sessions.resume(claim(EAST), old.epoch) is False
    assert await stores.sessions.get(STATION) == new


async def test_a_newer_session_gets_a_higher_epoch_than_a_resumed_one(stores: Stores) -> None:
    future = 9_000_000_000_000
    await stores.sessions.resume(claim(EAST), future)

    new, replaced = await stores.sessions.open(claim(WEST))

    assert new.epoch == future + 1
    assert replaced is not None
    assert replaced.epoch == future


async def test_a_session_that_an_earlier_version_stored_in_redis_is_read(redis_url: str, redis_prefix: str) -> None:
    stored = {
        "epoch": 7,
        "identity": STATION,
        "gateway": EAST,
        "account": "",
        "version": "ocpp1.6",
        "peer": "",
        "since": 1,
    }
    with redis.Redis.from_url(redis_url) as client:
        client.hset(f"{redis_prefix}sessions", STATION, msgspec.json.encode(stored))
    async with open_stores(redis_url, prefix=redis_prefix) as stores:
        await stores.sessions.renew(EAST, 60)
        found = await stores.sessions.get(STATION)

    assert found == SessionRecord(STATION, EAST, 7, version="ocpp1.6", since=1, transport="json", callback="")
