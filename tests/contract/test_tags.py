"""What `ports.Tags` promises, on every adapter."""

import redis

from csms_platform.ports import Tag
from csms_platform.state import Stores, open_stores
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


async def test_tags_are_paged_in_byte_order_of_their_folded_ids(stores: Stores) -> None:
    in_order = [Tag(each) for each in ("(1", "01", "A", "aB", "AC", "b", "Ü", "😀")]
    for tag in reversed(in_order):
        await stores.tags.put(tag)

    pages = [await stores.tags.page(limit=3)]
    while pages[-1]:
        pages.append(await stores.tags.page(after=pages[-1][-1].id, limit=3))

    assert pages == [in_order[:3], in_order[3:6], in_order[6:], []]


async def test_a_page_begins_after_an_id_in_any_spelling_that_need_not_exist(stores: Stores) -> None:
    for each in ("A", "b", "C"):
        await stores.tags.put(Tag(each))

    assert await stores.tags.page(after="B") == [Tag("C")]
    assert await stores.tags.page(after="AZ") == [Tag("b"), Tag("C")]


async def test_a_page_has_replaced_tags_once_and_deleted_ones_not(stores: Stores) -> None:
    for each in ("DEADBEEF", "deadbeef", "CAFE"):
        await stores.tags.put(Tag(each))
    await stores.tags.delete("cafe")

    assert await stores.tags.page() == [Tag("deadbeef")]


async def test_tags_stored_in_redis_before_there_were_pages_are_on_them(redis_url: str, redis_prefix: str) -> None:
    async with open_stores(redis_url, prefix=redis_prefix) as stores:
        for each in ("b", "a", "c"):
            await stores.tags.put(Tag(each))
        with redis.Redis.from_url(redis_url) as client:
            client.zrem(f"{redis_prefix}tag-ids", "a", "b")

        assert await stores.tags.page() == [Tag("a"), Tag("b"), Tag("c")]


async def test_tags_survive_a_restart(durable: Backend) -> None:
    async with durable.open() as before:
        await before.tags.put(TAG)
    async with durable.open() as after:
        found = await after.tags.get("DEADBEEF")

    assert found == TAG
