"""What `ports.Transactions` promises about limits of tags and about connectors, on every adapter."""

import asyncio

import msgspec

from csms_ocpp.version import StationId
from csms_platform.ports import Transaction
from csms_platform.state import Stores
from tests.contract.stores import Backend
from tests.contract.test_transactions import STARTED, STATION, other


def at(number: int, **changes: object) -> tuple[Transaction, Transaction]:
    """A transaction of the same tag at a station of its own, and what is stored when its tag has too many."""
    identity = StationId(f"CP-{number}")
    begun = other(identity=identity, id=str(number), key=f"start-{number}", **changes)
    return begun, msgspec.structs.replace(begun, authorized=False, reply=b"too many")


async def test_past_its_limit_a_tag_s_transaction_is_stored_as_not_authorized(stores: Stores) -> None:
    (first, first_over), (second, second_over) = at(1), at(2)
    await stores.transactions.begin(first, limit=1, over=first_over)

    stored, new = await stores.transactions.begin(second, limit=1, over=second_over)

    assert (stored, new) == (second_over, True)
    assert await stores.transactions.get(second.identity, second.id) == second_over
    assert await stores.transactions.active("DEADBEEF") == 1


async def test_the_limit_holds_between_routers_that_begin_at_the_same_time(backend: Backend) -> None:
    async with backend.twice() as (one, two):
        begun = await asyncio.gather(
            *(
                router.transactions.begin(transaction, limit=3, over=over)
                for number, router in enumerate((one, two) * 5)
                for transaction, over in [at(number)]
            )
        )
        active = await one.transactions.active("DEADBEEF")

    assert sum(stored.authorized for stored, _ in begun) == 3
    assert active == 3


async def test_a_repeated_start_gets_what_was_stored_whatever_the_limit_says_now(stores: Stores) -> None:
    transaction, over = at(1)
    await stores.transactions.begin(transaction, limit=1, over=over)

    assert await stores.transactions.begin(transaction, limit=1, over=over) == (transaction, False)


async def test_a_start_at_a_connector_supersedes_what_was_under_way_there(stores: Stores) -> None:
    """Its stop was lost; the tag must not be locked out for ever."""
    await stores.transactions.begin(STARTED)
    later = other(id="1002", key="another start")

    stored, new = await stores.transactions.begin(later, limit=1, over=other(id="1002", authorized=False))

    assert (stored, new) == (later, True)
    assert await stores.transactions.active("DEADBEEF") == 1
    assert await stores.transactions.get(STATION, "1001") == other(superseded=True)


async def test_the_late_stop_of_a_superseded_transaction_is_kept_and_changes_no_count(stores: Stores) -> None:
    await stores.transactions.begin(STARTED)
    await stores.transactions.begin(other(id="1002", key="another start"))
    superseded = await stores.transactions.get(STATION, "1001")
    assert superseded is not None

    await stores.transactions.update(msgspec.structs.replace(superseded, stopped="2026-01-01T01:00:00Z"))

    assert await stores.transactions.active("DEADBEEF") == 1
    assert await stores.transactions.get(STATION, "1001") == other(superseded=True, stopped="2026-01-01T01:00:00Z")


async def test_transactions_at_other_connectors_and_evses_are_left_alone(stores: Stores) -> None:
    await stores.transactions.begin(STARTED)
    await stores.transactions.begin(other(id="1002", key="b", connector=2))
    await stores.transactions.begin(other(id="1003", key="c", connector=1, evse=2))
    await stores.transactions.begin(other(id="1004", key="d", connector=0))
    await stores.transactions.begin(other(id="1005", key="e", connector=0))

    assert await stores.transactions.active("DEADBEEF") == 5


async def test_a_transaction_that_is_first_heard_of_at_its_end_supersedes_nothing(stores: Stores) -> None:
    """Its other events were lost, or come later; what charges at the connector now is a newer one."""
    await stores.transactions.begin(STARTED)
    await stores.transactions.begin(other(id="1000", key="before", stopped="2025-12-31T23:00:00Z"))
    under_way = await stores.transactions.get(STATION, "1001")

    await stores.transactions.begin(other(id="1002", key="after"))

    assert under_way == STARTED
    assert await stores.transactions.get(STATION, "1001") == other(superseded=True)
    assert await stores.transactions.active("DEADBEEF") == 1


async def test_what_is_superseded_is_remembered_over_a_restart(backend: Backend) -> None:
    async with backend.open() as before:
        await before.transactions.begin(STARTED)
    async with backend.open() as stores:
        if await stores.transactions.get(STATION, "1001") is None:
            await stores.transactions.begin(STARTED)  # memory without a journal
        await stores.transactions.begin(other(id="1002", key="another start"))

        assert await stores.transactions.active("DEADBEEF") == 1
