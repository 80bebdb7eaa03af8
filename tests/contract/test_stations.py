"""What `ports.Stations` promises, on every adapter."""

import asyncio

from csms_ocpp.version import StationId
from csms_platform.ports import Claim, GatewayId, Note, Station
from csms_platform.state import Stores
from tests.contract.stores import Backend

STATION = StationId("EM-A0000001")
RECORD = Station(
    STATION,
    account="acme",
    password="scrypt$…",
    security_profile=1,
    quirks="a b",
    registration="Pending",
    callback="http://192.0.2.7:8080/",
)


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


async def test_forgotten_notes_are_gone_and_the_others_stay(stores: Stores) -> None:
    await stores.stations.note([Note(STATION, field, b"1") for field in ("boot", "status/1", "status/2")])

    await stores.stations.forget(STATION, ["status/1", "boot", "status/9"])
    await stores.stations.forget(STATION, [])

    assert await stores.stations.recall(STATION) == {"status/2": b"1"}


# --- known ------------------------------------------------------------------------------------------------------------


async def connect(stores: Stores, identity: str) -> int:
    record, _ = await stores.sessions.open(Claim(StationId(identity), GatewayId("east")))
    return record.epoch


async def test_registered_connected_and_booted_stations_are_known_once_each(stores: Stores) -> None:
    await stores.stations.put(Station(StationId("registered")))
    await connect(stores, "connected")
    await stores.stations.note([Note("noted", "status/1", b"1"), Note("booted", "boot", b"{}")])
    await stores.stations.put(Station(StationId("booted")))
    await connect(stores, "registered")
    await stores.sessions.release(StationId("connected"), await connect(stores, "connected"))

    assert await stores.stations.known() == ["booted", "connected", "registered"]


async def test_a_station_whose_session_was_resumed_is_known(stores: Stores) -> None:
    await stores.sessions.resume(Claim(STATION, GatewayId("east")), 7)

    assert await stores.stations.known() == [STATION]


async def test_a_deleted_station_is_not_known_until_it_comes_again(stores: Stores) -> None:
    for identity in ("a", "b", "c"):
        await stores.stations.put(Station(StationId(identity)))
        await connect(stores, identity)
        await stores.stations.note([Note(identity, "boot", b"{}")])
        await stores.stations.delete(StationId(identity))
    deleted = await stores.stations.known()
    await stores.stations.put(Station(StationId("a")))
    await connect(stores, "b")
    await stores.stations.note([Note("c", "boot", b"{}")])

    assert deleted == []
    assert await stores.stations.known() == ["a", "b", "c"]


async def test_known_stations_are_paged_in_byte_order(stores: Stores) -> None:
    in_order = ["(1", "+", "-", "A", "EM-1", "EM-10", "EM-2", "a", "Ü", "\uffff", "😀"]
    for identity in reversed(in_order):
        await stores.stations.put(Station(StationId(identity)))

    pages = [await stores.stations.known(limit=4)]
    while pages[-1]:
        pages.append(await stores.stations.known(after=pages[-1][-1], limit=4))

    assert pages == [in_order[:4], in_order[4:8], in_order[8:], []]


async def test_a_page_begins_after_an_identity_that_need_not_exist(stores: Stores) -> None:
    for identity in ("EM-1", "EM-3"):
        await stores.stations.put(Station(StationId(identity)))

    assert await stores.stations.known(after="EM-2") == ["EM-3"]


async def test_known_stations_survive_a_restart(durable: Backend) -> None:
    async with durable.open() as before:
        await before.stations.put(Station(StationId("registered")))
        await connect(before, "connected")
        await connect(before, "gone")
        await before.stations.delete(StationId("gone"))
    async with durable.open() as after:
        known = await after.stations.known()

    assert known == ["connected", "registered"]


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
