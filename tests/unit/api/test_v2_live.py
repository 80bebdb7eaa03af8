"""The ring, its listeners, and what is followed while somebody listens; on the memory bus, with timers passed in."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import msgspec
import pytest

from csms_api.errors import ApiError
from csms_api.live import MOST_WAITING, Live, Ring, entry
from csms_platform.bus import BusSettings
from csms_platform.bus.memory import Exchange, memory_doors
from csms_platform.ports import Event, Events


def event(number: int = 1, **fields: Any) -> Event:
    known: dict[str, Any] = {"type": "call", "identity": "CS-1", "version": "ocpp1.6", "action": "Heartbeat"}
    return Event(**(known | {"id": f"e-{number}", "time": "2026-01-01T12:00:00.000Z"} | fields))


def told(number: int = 1, **fields: Any) -> bytes:
    return msgspec.json.encode(event(number, **fields))


def ids(frames: bytes) -> list[str]:
    return [line[4:].decode() for line in frames.splitlines() if line.startswith(b"id: ")]


class Timers:
    """Timers that go off when the test says so."""

    def __init__(self) -> None:
        self.armed: list[tuple[float, Callable[[], None]]] = []

    def __call__(self, seconds: float, call: Callable[[], None]) -> "Timer":
        self.armed.append((seconds, call))
        return Timer(self, (seconds, call))

    def go_off(self) -> None:
        for _, call in self.armed:
            call()


class Timer:
    def __init__(self, timers: Timers, mine: tuple[float, Callable[[], None]]) -> None:
        self._timers = timers
        self._mine = mine

    def cancel(self) -> None:
        if self._mine in self._timers.armed:
            self._timers.armed.remove(self._mine)


@pytest.fixture
async def events() -> AsyncIterator[Events]:
    async with memory_doors(Exchange(), BusSettings()) as doors:
        yield doors.events


async def arrived(events: Events, *what: Event) -> None:
    for one in what:
        events.emit("any", one)
    await asyncio.sleep(0.01)


def test_an_event_becomes_a_frame_of_one_line_of_data() -> None:
    made = entry(told(request=msgspec.Raw(b'{\r\n "a": 1}')))

    assert made is not None
    assert (made.key, made.identity) == ("ocpp1.6.Heartbeat", "CS-1")
    lines = made.frame.split(b"\n")
    assert lines[:2] == [b"id: e-1", b"event: call"]
    assert msgspec.json.decode(lines[2].removeprefix(b"data: "))["request"] == {"a": 1}
    assert lines[3:] == [b"", b""]


@pytest.mark.parametrize(
    ("fields", "key"),
    [
        ({"type": "connected", "action": ""}, "ocpp1.6.connected"),
        ({"type": "command", "action": "Reset", "version": ""}, "unknown.command"),
        ({"type": "send", "action": "NotifyPeriodicEventStream", "version": "ocpp2.1"},
         "ocpp2.1.NotifyPeriodicEventStream"),
    ],
)  # fmt: skip
def test_its_routing_key_is_the_published_one(fields: dict[str, str], key: str) -> None:
    made = entry(told(**fields))

    assert made is not None
    assert made.key == key


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"\xff", b"[" * 100_000, told(id="a\nb"), told(type="a\rb")])
def test_what_is_no_event_is_left_out(body: bytes) -> None:
    assert entry(body) is None


def test_the_ring_is_bounded_in_events_and_in_bytes() -> None:
    small, large = Ring(most=3), Ring(most_bytes=1000)
    for number in range(5):
        for ring in (small, large):
            made = entry(told(number, reason="x" * 300))
            assert made is not None
            ring.add(made)

    assert (small.first, small.next, small.after("e-1"), small.after("e-2")) == (2, 5, None, 3)
    assert (large.first, large.next) == (3, 5)


async def test_a_listener_gets_what_it_asked_for_and_nothing_from_before(events: Events) -> None:
    live = Live(events)
    await live.join(["#"], [], "")
    await arrived(events, event(1))

    every = await live.join(["#"], [], "")
    some = await live.join(["ocpp1.6.connected", "#.Heartbeat"], ["CS-2"], "")
    await arrived(events, event(2), event(3, identity="CS-2"), event(4, identity="CS-2", type="command"))

    assert (ids(every.take()), ids(some.take()), every.gap) == (["e-2", "e-3", "e-4"], ["e-3"], False)


async def test_a_listener_resumes_after_its_last_event(events: Events) -> None:
    live = Live(events)
    live.leave(await live.join(["#"], [], ""))
    await arrived(events, *(event(number) for number in range(5)))

    back, lost = await live.join(["#"], [], "e-2"), await live.join(["#"], [], "e-77")

    assert (back.gap, ids(back.take())) == (False, ["e-3", "e-4"])
    assert (lost.gap, lost.take()) == (True, b"")


async def test_a_long_way_back_is_no_overrun(events: Events) -> None:
    live = Live(events)
    await live.join(["#"], [], "")
    live.hear([told(number) for number in range(MOST_WAITING * 3)])

    back, got = await live.join(["#"], [], "e-0"), list[str]()
    while frames := back.take():
        got += ids(frames)

    assert (got, back.overrun) == ([f"e-{number}" for number in range(1, MOST_WAITING * 3)], False)


async def test_a_listener_for_whom_too_much_waits_has_overrun(events: Events) -> None:
    live = Live(events)
    slow, other = await live.join(["#"], [], ""), await live.join(["#"], ["CS-2"], "")

    live.hear([told(number) for number in range(MOST_WAITING)])
    before = slow.overrun
    live.hear([told(MOST_WAITING)])

    assert (before, slow.overrun, other.overrun, slow.take()) == (False, True, False, b"")


async def test_a_listener_whom_nothing_concerns_does_not_fall_behind(events: Events) -> None:
    live = Live(events)
    quiet = await live.join(["#"], ["CS-2"], "")

    live.hear([told(number) for number in range(20_000)])
    live.hear([told(20_000, identity="CS-2")])

    assert (ids(quiet.take()), quiet.overrun) == (["e-20000"], False)


async def test_events_are_followed_while_somebody_listens_and_for_a_while_after(events: Events) -> None:
    timers = Timers()
    live = Live(events, linger=300.0, later=timers)
    before = events.wanted("any")

    first, second = await live.join(["#"], [], ""), await live.join(["#"], [], "")
    live.leave(first)
    while_one_is_there = (events.wanted("any"), [*timers.armed])
    live.leave(second)
    after = (events.wanted("any"), [seconds for seconds, _ in timers.armed])
    timers.go_off()
    await asyncio.sleep(0.01)

    assert (before, while_one_is_there, after) == (False, (True, []), (True, [300.0]))
    assert not events.wanted("any")


async def test_who_comes_back_in_time_keeps_the_ring(events: Events) -> None:
    timers = Timers()
    live = Live(events, later=timers)
    live.leave(await live.join(["#"], [], ""))
    await arrived(events, event(1), event(2))

    back = await live.join(["#"], [], "e-1")

    assert (timers.armed, ids(back.take())) == ([], ["e-2"])


async def test_once_it_is_forgotten_nobody_resumes_from_what_was_before(events: Events) -> None:
    timers = Timers()
    live = Live(events, later=timers)
    live.leave(await live.join(["#"], [], ""))
    await arrived(events, event(1))
    timers.go_off()

    back = await live.join(["#"], [], "e-1")
    await arrived(events, event(2))

    assert (back.gap, ids(back.take())) == (True, ["e-2"])


async def test_many_who_come_at_once_share_one_binding() -> None:
    followed = 0

    class Counting:
        async def follow(self, *_: Any) -> Any:
            nonlocal followed
            followed += 1
            await asyncio.sleep(0)
            return self

    live = Live(Counting())  # type: ignore[arg-type]
    await asyncio.gather(*(live.join(["#"], [], "") for _ in range(10)))

    assert followed == 1


async def test_only_so_many_may_listen_at_once(events: Events) -> None:
    live = Live(events, most=1)
    first = await live.join(["#"], [], "")

    with pytest.raises(ApiError, match="1 clients listen already"):
        await live.join(["#"], [], "")
    live.leave(first)

    await live.join(["#"], [], "")


async def test_who_leaves_takes_nobody_in_and_follows_nothing(events: Events) -> None:
    live = Live(events)
    listener = await live.join(["#"], [], "")

    closing = asyncio.create_task(live.close())
    await asyncio.sleep(0)
    over = listener.over
    live.leave(listener)
    await closing

    assert (over, events.wanted("any")) == (True, False)
    with pytest.raises(ApiError, match="leaving"):
        await live.join(["#"], [], "")
