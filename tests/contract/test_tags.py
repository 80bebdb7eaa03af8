"""What `ports.Tags` promises, on every adapter."""

from csms_platform.ports import Tag
from csms_platform.state import Stores
from tests.contract.stores import Backend

TAG = Tag("DEADBEEF", status="Blocked", expires="2030-01-01T00:00:00Z", parent="FLEET", limit=2)


async def test_an_unknown_tag_is_none(stores: Stores) -> None:
    assert await stores.tags.get("DEADBEEF") is None
    assert await stores.tags.delete("DEADBEEF") is False


async def test_a_tag_is_found_as_it_was_put_in_any_spelling(stores: Stores) -> None:
    """OCPP 1.6 §7.28: an IdToken is a CiString20Type, compared without regard to case."""
    await stores.tags.put(TAG)

    assert [await stores.tags.get(spelling) for spelling in ("DEADBEEF", "deadbeef", "DeadBeef")] == [TAG, TAG, TAG]


async def test_putting_another_spelling_replaces_the_tag(stores: Stores) -> None:
    await stores.tags.put(TAG)
    await stores.tags.put(Tag("deadbeef"))

    assert await stores.tags.get("DEADBEEF") == Tag("deadbeef")


async def test_deleting_removes_the_tag_once_in_any_spelling(stores: Stores) -> None:
    await stores.tags.put(TAG)
    answers = [await stores.tags.delete("deadbeef"), await stores.tags.delete("deadbeef")]

    assert answers == [True, False]
    assert await stores.tags.get("DEADBEEF") is None


async def test_tags_survive_a_restart(durable: Backend) -> None:
    async with durable.open() as before:
        await before.tags.put(TAG)
    async with durable.open() as after:
        found = await after.tags.get("DEADBEEF")

    assert found == TAG
