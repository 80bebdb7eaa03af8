"""The relay between a spool and observers that the test plays: what happens when a policy cannot be kept."""

import time
from typing import Any

import pytest

from csms_platform.envelope import Capsule, Envelope, Kind
from csms_platform.metrics import REGISTRY
from csms_platform.ports import ROUTER, Address, Unavailable
from csms_webhook_relay.relay import Relay
from csms_webhook_relay.reply import Final
from csms_webhook_relay.settings import Settings
from tests.unit.webhook_relay.calls import call


class Bus:
    """`ports.Bus` as far as the relay uses it: keeps what is sent."""

    def __init__(self) -> None:
        self.sent: list[tuple[Address, Envelope]] = []

    def send(self, address: Address, envelope: Envelope) -> None:
        self.sent.append((address, envelope))


class Spool:
    """`relay.Spool` that does as it is told."""

    def __init__(self, *, stores: bool = True, behind: bool = False, fails: BaseException | None = None) -> None:
        self._stores, self._behind, self._fails = stores, behind, fails
        self.heard: list[tuple[str, Envelope]] = []

    async def behind(self, call: Envelope) -> bool:
        self.heard.append(("behind", call))
        return self._behind

    async def store(self, call: Envelope) -> bool:
        self.heard.append(("store", call))
        if self._fails:
            raise self._fails
        return self._stores

    async def told(self, envelope: Envelope) -> None:
        self.heard.append(("told", envelope))

    async def bury(self, call: Envelope, reason: str, attempts: int) -> None:
        raise self._fails or AssertionError("nothing to bury")


class Observers:
    def __init__(self) -> None:
        self.copies: list[str] = []

    def copy(self, call: Envelope) -> None:
        self.copies.append(call.action)


STOP = call("StopTransaction", b"{}", unique_id="stop")


async def served(*batch: Envelope, spool: Spool, endpoints: Any = None, **fields: Any) -> tuple[Bus, Observers]:
    """What is sent for a batch. Without `endpoints` nobody can be asked, and every policy is kept at once."""
    bus, observers = Bus(), Observers()
    playing: Any = bus
    await Relay(playing, Settings(**fields), endpoints or {}, spool, observers, time.time).handle(list(batch))
    return bus, observers


def unanswered() -> float:
    return REGISTRY.get_sample_value("csms_webhook_unanswered_total") or 0.0


async def test_what_is_stored_is_answered_positively_and_marked_as_backlog() -> None:
    bus, _ = await served(STOP, spool=Spool())

    ((address, sent),) = bus.sent
    assert (address, sent.backend, sent.session and sent.session.backlog) == (ROUTER, "accept", True)


async def test_what_cannot_be_stored_is_left_without_an_answer_and_counted() -> None:
    before = unanswered()

    bus, _ = await served(STOP, spool=Spool(stores=False))

    assert (bus.sent, unanswered()) == ([], before + 1)


async def test_a_send_that_is_stored_is_answered_to_nobody() -> None:
    sent = call("NotifyPeriodicEventStream", b"{}", "ocpp2.1", kind=Kind.SEND)
    spool = Spool()

    bus, _ = await served(sent, spool=spool)

    assert (bus.sent, [what for what, _ in spool.heard]) == ([], ["store"])


async def test_a_send_whose_policy_is_no_spool_is_lost_and_counted() -> None:
    before = unanswered()
    sent = call("NotifyPeriodicEventStream", b"{}", "ocpp2.1", kind=Kind.SEND)

    bus, _ = await served(sent, spool=Spool(), policies={"NotifyPeriodicEventStream": "error"})

    assert (bus.sent, unanswered()) == ([], before + 1)


async def test_a_bug_with_one_message_leaves_the_others_of_its_batch_alone() -> None:
    before = unanswered()

    bus, _ = await served(STOP, call(), spool=Spool(fails=LookupError("a bug")))

    assert [sent.backend for _, sent in bus.sent] == ["builtin"]
    assert unanswered() == before + 1


async def test_observers_get_every_message_and_nothing_else() -> None:
    told = Envelope(Kind.RESULT, "CS-1", action="StartTransaction", backend="builtin", settle=True)

    _, observers = await served(STOP, call(), told, spool=Spool())

    assert observers.copies == ["StopTransaction", "Authorize"]


@pytest.mark.parametrize("kind", [Kind.CALL, Kind.SEND])
async def test_what_the_router_answers_by_itself_is_for_observers_only(kind: Kind) -> None:
    copy = call("StatusNotification", b"{}", kind=kind, backend="builtin", reply_to="", session=Capsule(backlog=True))
    spool = Spool()

    bus, observers = await served(copy, spool=spool)

    assert (observers.copies, bus.sent, spool.heard) == (["StatusNotification"], [], [])


async def test_what_the_router_answered_instead_goes_to_the_spool() -> None:
    told = Envelope(Kind.RESULT, "CS-1", action="StartTransaction", backend="builtin", settle=True)
    spool = Spool()

    await served(told, spool=spool)

    assert spool.heard == [("told", told)]


@pytest.mark.parametrize("action", ["Authorize", "Heartbeat"])
async def test_what_needs_no_spool_does_not_wait_for_it(action: str) -> None:
    spool = Spool(behind=True)

    await served(call(action, transport="soap", session=None), spool=spool)

    assert spool.heard == []


class Refusing:
    """An endpoint that refuses everything for ever."""

    async def ask(self, *_: Any, **__: Any) -> Any:
        return Final("HTTP status 404")


async def test_what_cannot_be_buried_is_left_without_an_answer_and_counted() -> None:
    before = unanswered()

    bus, _ = await served(STOP, spool=Spool(fails=Unavailable()), endpoints={"default": Refusing()})

    assert (bus.sent, unanswered()) == ([], before + 1)
