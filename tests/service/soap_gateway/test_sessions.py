"""What the router has said about a station spares its next calls the admission, for as long as it holds."""

import pytest

from csms_platform.envelope import Capsule, Envelope, Refusal
from tests.service.soap_gateway.world import HEARTBEAT, World
from tests.support.soap import envelope

BASIC = {"Authorization": "Basic Q1MtMTpzZWNyZXQ="}


def kinds(world: World) -> list[str]:
    return ["arrives" if call.arrival else "known" for call in world.router.heard]


async def test_a_station_that_was_let_in_is_asked_for_with_its_capsule(world: World) -> None:
    for _ in range(3):
        await world.ask(headers=BASIC)

    first, *others = world.router.heard
    assert first.session is None
    for call in others:
        assert (call.arrival, call.account) == (None, "acme")
        assert call.session is not None
        assert (call.session.epoch, call.session.registration) == (1, "Accepted")


@pytest.mark.parametrize(
    "change",
    [
        {"headers": {"Authorization": "Basic Q1MtMTpvdGhlcg=="}},
        {"headers": {}},
        {"version": "1.5"},
        {"source": "http://192.0.2.7/"},
        {"identity": "CS-2"},
    ],
)
async def test_whoever_brings_anything_else_arrives_anew(world: World, change: dict[str, object]) -> None:
    await world.ask(headers=BASIC)

    await world.ask(**({"headers": BASIC} | change))  # type: ignore[arg-type]

    assert kinds(world) == ["arrives", "arrives"]


async def test_a_capsule_that_is_not_fresh_is_not_sent(world: World) -> None:
    world.router.decide = lambda call: world.router.let_in(call, fresh=0)

    for _ in range(2):
        await world.ask()

    assert kinds(world) == ["arrives", "arrives"]


async def test_the_newest_capsule_is_the_one_that_is_sent(world: World) -> None:
    await world.ask()
    world.router.answers = False
    asking = world.ask_soon()
    known = (await world.router.hears(2))[1].session
    assert known is not None
    world.router.answer(world.router.heard[1], session=Capsule(2, "other", "Pending", fresh_until=known.fresh_until))
    await asking
    world.router.answers = True

    await world.ask()

    last = world.router.heard[-1]
    assert last.session == Capsule(2, "other", "Pending", fresh_until=known.fresh_until)
    assert last.account == "other"


@pytest.mark.parametrize("word", ["SecurityError", "refused"])
async def test_what_a_known_station_is_denied_is_asked_again_as_it_arrives(world: World, word: str) -> None:
    await world.ask()
    world.router.answers = False
    asking = world.ask_soon(message_id="1")
    second = (await world.router.hears(2))[1]
    if word == "refused":
        world.router.refuse(second, Refusal(403, "Who?"))
    else:
        world.router.fail(second, word, "Not accepted.", session=second.session)
    third = (await world.router.hears(3))[2]
    world.router.answer(third, session=Capsule(2))
    answered = await asking

    assert (answered.status, answered.text_of("currentTime")) == (200, "2026-01-01T12:00:00Z")
    assert kinds(world) == ["arrives", "known", "arrives"]
    assert (third.unique_id, third.deadline) == (second.unique_id, second.deadline)


async def test_it_is_asked_again_only_once(world: World) -> None:
    await world.ask()
    world.router.answers = False
    asking = world.ask_soon()
    for number in (2, 3):
        call: Envelope = (await world.router.hears(number))[-1]
        world.router.fail(call, "SecurityError", "Not accepted.")
    answered = await asking

    assert (answered.status, answered.subcode, answered.reason) == (400, "SecurityError", "Not accepted.")
    assert len(world.router.heard) == 3


async def test_a_lenient_station_may_violate_its_schema_once_it_is_known(world: World) -> None:
    body = envelope("1.6", "CS-1", f"<cs:authorizeRequest><cs:idTag>{21 * 'x'}</cs:idTag></cs:authorizeRequest>")
    world.router.decide = lambda call: Capsule(1, quirks="lenient")

    before = await world.post(body)
    await world.post(envelope("1.6", "CS-1", HEARTBEAT))
    after = await world.post(body)

    assert (before.status, after.status) == (400, 200)
    assert [call.action for call in world.router.heard] == ["Heartbeat", "Authorize"]
