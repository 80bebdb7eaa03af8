"""What `ports.Stations` promises, on every adapter."""

import asyncio

from csms_ocpp.version import StationId
from csms_platform.ports import Note, Station
from csms_platform.state import Stores
from tests.contract.stores import Backend

STATION = StationId("EM-A0000001")
RECORD = Station(STATION, account="acme", password="scrypt$…", security_profile=1, quirks="a b", registration="Pending")


async def test_an_unregistered_station_is_none(stores: Stores) -> None:
    assert await stores.stations.get(STATION) is None
    assert await stores.stations.recall(STATION) == {}
    assert await stores.stations.delete(STATION) is False


async def test_a_station_is_found_as_it_was_put(stores: Stores) -> None:
    await stores.stations.put(RECORD)

    assert await stores.stations.get(STATION) == RECORD


async def test_identities_differ_by_case(stores: Stores) -> None:
    await stores.stations.put(RECORD)

    assert await stores.stations.get(StationId("em-a0000001")) is None


async def test_putting_again_replaces_the_record_and_keeps_the_notes(stores: Stores) -> None:
    await stores.stations.put(RECORD)
    await stores.stations.note([Note(STATION, "boot", b"{}")])
    await stores.stations.put(Station(STATION, disabled=True))

    assert await stores.stations.get(STATION) == Station(STATION, disabled=True)
    assert await stores.stations.recall(STATION) == {"boot": b"{}"}


async def test_the_last_note_of_a_batch_wins(stores: Stores) -> None:
    other = StationId("EM-A0000002")
    await stores.stations.note(
        [
            Note(STATION, "status/1", b'"Available"'),
            Note(other, "status/1", b'"Faulted"'),
            Note(STATION, "status/1", b'"Charging"'),
            Note(STATION, "status/2", b'"Available"'),
        ]
    )

    assert await stores.stations.recall(STATION) == {"status/1": b'"Charging"', "status/2": b'"Available"'}
    assert await stores.stations.recall(other) == {"status/1": b'"Faulted"'}


async def test_batches_take_effect_in_the_order_in_which_they_were_asked(stores: Stores) -> None:
    batches = [[Note(STATION, "n", b"%d" % n)] for n in range(100)]
    await asyncio.gather(*map(stores.stations.note, batches))

    assert await stores.stations.recall(STATION) == {"n": b"99"}


async def test_an_empty_batch_is_nothing(stores: Stores) -> None:
    await stores.stations.note([])

    assert await stores.stations.recall(STATION) == {}


async def test_notes_of_unregistered_stations_are_kept(stores: Stores) -> None:
    await stores.stations.note([Note(STATION, "boot", b'{"chargePointModel":"\xc3\xbc"}')])

    assert await stores.stations.get(STATION) is None
    assert await stores.stations.recall(STATION) == {"boot": b'{"chargePointModel":"\xc3\xbc"}'}


async def test_a_large_batch_is_remembered_whole(stores: Stores) -> None:
    await stores.stations.note([Note(STATION, f"meter/{n}", b"%d" % n) for n in range(5000)])

    assert await stores.stations.recall(STATION) == {f"meter/{n}": b"%d" % n for n in range(5000)}


async def test_deleting_removes_record_and_notes_once(stores: Stores) -> None:
    await stores.stations.put(RECORD)
    await stores.stations.note([Note(STATION, "boot", b"{}")])
    answers = [await stores.stations.delete(STATION), await stores.stations.delete(STATION)]

    assert answers == [True, False]
    assert await stores.stations.get(STATION) is None
    assert await stores.stations.recall(STATION) == {}


async def test_stations_and_notes_survive_a_restart(durable: Backend) -> None:
    async with durable.open() as before:
        await before.stations.put(RECORD)
        await before.stations.note([Note(STATION, "boot", b"{}"), Note(STATION, "status/1", b"1")])
        await before.stations.put(Station(StationId("gone")))
        await before.stations.delete(StationId("gone"))
    async with durable.open() as after:
        found = await after.stations.get(STATION), await after.stations.recall(STATION)
        gone = await after.stations.get(StationId("gone"))

    assert found == (RECORD, {"boot": b"{}", "status/1": b"1"})
    assert gone is None
