"""Asking stations: whose outcome is whose, and what is sent for whom."""

import asyncio
from typing import Any

import pytest

from csms_api.asking import Asking
from csms_api.errors import ApiError
from csms_platform.envelope import Envelope, Kind, Raw
from csms_platform.ports import ROUTER, Address, api_address

HERE = api_address("1")
NOW = 1_767_268_800.0


class Recorder:
    """A bus that keeps what is sent."""

    connected = True
    congested = False

    def __init__(self) -> None:
        self.sent: list[tuple[Address, Envelope]] = []

    def send(self, address: Address, envelope: Envelope) -> None:
        self.sent.append((address, envelope))


def asking(bus: Any) -> Asking:
    return Asking(bus, HERE, lambda: NOW)


def outcome(identity: str, id: str) -> Envelope:
    return Envelope(Kind.RESULT, identity, unique_id=id, outcome="result")


async def ask(asking: Asking, identity: str, id: str) -> Envelope:
    return await asking.ask(identity, "ClearCache", b"{}", id=id, wait=5.0)


async def test_a_command_names_its_deadline_and_where_its_outcome_goes() -> None:
    bus = Recorder()
    station = asking(bus)

    waiting = asyncio.create_task(station.ask("CS-1", "Reset", b'{"type":"Soft"}', id="a", wait=5.0, offline_until=7))
    await asyncio.sleep(0)
    await station.hear([outcome("CS-1", "a")])
    await waiting

    expected = Envelope(
        Kind.COMMAND,
        "CS-1",
        unique_id="a",
        action="Reset",
        payload=Raw(b'{"type":"Soft"}'),
        reply_to="ocpp.api.1",
        deadline=int(NOW * 1000) + 5000,
        offline_until=7,
    )
    assert bus.sent == [(ROUTER, expected)]


async def test_a_command_that_nobody_waits_for_has_nobody_to_tell() -> None:
    bus = Recorder()

    asking(bus).tell("CS-1", "ClearCache", b"{}", id="a", wait=5.0, offline_until=7)

    assert [(one.reply_to, one.unique_id, one.offline_until) for _, one in bus.sent] == [("", "a", 7)]


async def test_everybody_who_waits_for_a_command_gets_its_outcome_and_nobody_else_does() -> None:
    station = asking(Recorder())
    tasks = [asyncio.create_task(ask(station, *key)) for key in (("CS-1", "a"), ("CS-1", "a"), ("CS-2", "a"))]
    await asyncio.sleep(0)

    await station.hear([outcome("CS-1", "a"), outcome("CS-1", "a")])
    done, _ = await asyncio.wait(tasks[:2], timeout=1)
    await station.hear([outcome("CS-2", "a")])

    assert [(await task).identity for task in tasks] == ["CS-1", "CS-1", "CS-2"]
    assert done == set(tasks[:2])


async def test_a_request_that_is_given_up_leaves_nothing_behind() -> None:
    station = asking(Recorder())
    task = asyncio.create_task(ask(station, "CS-1", "a"))
    await asyncio.sleep(0)

    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    await asyncio.wait_for(station.leave(60.0), 1)


@pytest.mark.parametrize("state", [{"connected": False}, {"congested": True}])
async def test_while_the_bus_cannot_take_it_nothing_is_sent(state: dict[str, bool]) -> None:
    bus = Recorder()
    for name, value in state.items():
        setattr(bus, name, value)

    with pytest.raises(ApiError) as refused:
        await ask(asking(bus), "CS-1", "a")

    assert (refused.value.status_code, bus.sent) == (503, [])
