"""Who may ask at once, and who is next."""

import asyncio

import pytest

from csms_webhook_relay.gate import Gate


def full(waiting: int = 10) -> Gate:
    """A gate for one, who is inside."""
    gate = Gate(1, waiting)
    gate.enter()
    return gate


async def soon() -> None:
    for _ in range(3):
        await asyncio.sleep(0)


async def test_it_is_open_until_it_is_full() -> None:
    gate = Gate(2, 0)

    gate.enter()
    assert (gate.open, gate.inside) == (True, 1)
    gate.enter()
    assert (gate.open, gate.inside) == (False, 2)


async def test_calls_go_before_letters_and_each_in_order() -> None:
    gate, order = full(), list[str]()

    async def come(name: str, live: bool) -> None:
        assert await gate.wait(5, live=live)
        order.append(name)
        gate.leave()

    tasks = []
    for name in ("letter 1", "letter 2", "call 1", "call 2"):
        tasks.append(asyncio.create_task(come(name, name.startswith("call"))))
        await soon()
    gate.leave()
    await asyncio.gather(*tasks)

    assert order == ["call 1", "call 2", "letter 1", "letter 2"]
    assert gate.inside == 0


async def test_one_call_too_many_is_turned_away_at_once() -> None:
    gate = full(waiting=1)
    first = asyncio.create_task(gate.wait(5, live=True))
    await soon()

    assert not await gate.wait(5, live=True)

    gate.leave()
    assert await first


async def test_whoever_waited_too_long_is_turned_away_and_his_turn_goes_on() -> None:
    gate = full()

    assert not await gate.wait(0.01, live=True)

    gate.leave()
    assert (gate.inside, gate.open) == (0, True)


@pytest.mark.parametrize("leave_first", [True, False])
async def test_a_turn_that_comes_while_its_owner_gives_up_is_not_lost(leave_first: bool) -> None:
    gate = full()
    waiting = asyncio.create_task(gate.wait(5, live=True))
    await soon()

    if leave_first:
        gate.leave()
        waiting.cancel()
    else:
        waiting.cancel()
        gate.leave()
    with pytest.raises(asyncio.CancelledError):
        await waiting

    assert (gate.inside, gate.open) == (0, True)
