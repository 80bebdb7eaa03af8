"""What `ports.Commands` promises about commands that are queued for their turn, on every adapter."""

import asyncio

from csms_ocpp.version import StationId
from csms_platform.ports import MOST_WAITING, Claim, Command, without_connection
from csms_platform.state import Stores
from tests.contract.stores import Backend
from tests.contract.test_commands import PATIENT, RESET, STATION, connect, other
from tests.contract.test_waiting_commands import ids, wait

OWN = without_connection(STATION)
URL = "http://192.0.2.7:8080/"


async def arrive(stores: Stores, identity: StationId = STATION, callback: str = URL) -> None:
    """The station is heard of over SOAP."""
    own = without_connection(identity)
    await stores.sessions.renew(own, 60)
    await stores.sessions.open(Claim(identity, own, "acme", "ocpp1.5", transport="soap", callback=callback))


async def go_silent(stores: Stores) -> None:
    await stores.sessions.retire(OWN)


async def ask(stores: Stores, *names: str) -> list[Command]:
    return [(await stores.commands.begin(other(id=each)))[0] for each in names]


async def end(stores: Stores, *names: str) -> None:
    for each in names:
        await stores.commands.end(other(id=each, outcome="result"))


def sent(command: Command, attempt: int = 1) -> Command:
    """The command as it is sent to the station."""
    return other(command, status="sent", attempt=attempt, gateway=OWN, callback=URL, account="acme", version="ocpp1.5")


async def statuses(stores: Stores, *names: str) -> list[str]:
    found = [await stores.commands.get(STATION, each) for each in names]
    return [command.status for command in found if command]


# --- begin ------------------------------------------------------------------------------------------------------------


async def test_the_first_command_is_sent_to_the_stations_url(stores: Stores) -> None:
    await arrive(stores)

    begun = await stores.commands.begin(RESET)

    assert begun == (sent(RESET), True)
    assert await stores.commands.get(STATION, "c-1") == sent(RESET)


async def test_while_one_is_sent_another_one_is_queued(stores: Stores) -> None:
    await arrive(stores)
    await ask(stores, "first")

    begun = await stores.commands.begin(RESET)

    assert begun == (other(status="queued"), True)
    assert await stores.commands.get(STATION, "c-1") == other(status="queued")


async def test_what_is_taken_in_between_an_end_and_the_next_one_overtakes_nobody(stores: Stores) -> None:
    await arrive(stores)
    await ask(stores, "a", "b")
    await end(stores, "a")

    (late,) = await ask(stores, "c")
    released = await stores.commands.next(STATION)

    assert late.status == "queued"
    assert ids(released) == ["b"]


async def test_after_the_last_one_has_ended_the_next_one_is_sent_at_once(stores: Stores) -> None:
    await arrive(stores)
    await ask(stores, "a", "b")
    await end(stores, "a", "b")

    (begun,) = await ask(stores, "c")

    assert begun.status == "sent"


async def test_each_station_has_a_line_of_its_own(stores: Stores) -> None:
    elsewhere = StationId("EM-A0000002")
    await arrive(stores)
    await arrive(stores, elsewhere)
    await ask(stores, "c-1")

    begun, _ = await stores.commands.begin(other(identity=elsewhere))

    assert begun.status == "sent"


async def test_a_station_with_a_connection_is_sent_everything_at_once(stores: Stores) -> None:
    await connect(stores)

    begun = await ask(stores, "a", "b")

    assert [(command.status, command.callback) for command in begun] == [("sent", "")] * 2


async def test_what_was_sent_over_a_connection_is_awaited_before_the_station_is_asked_without_one(
    stores: Stores,
) -> None:
    await connect(stores)
    await ask(stores, "a", "b")
    await arrive(stores)
    await ask(stores, "c")

    await end(stores, "b")
    early = await stores.commands.next(STATION)
    await end(stores, "a")
    released = await stores.commands.next(STATION)

    assert early == []
    assert ids(released) == ["c"]


async def test_past_the_most_that_wait_or_queue_one_more_is_refused(stores: Stores) -> None:
    await wait(stores, *(f"waits {n}" for n in range(2)))
    await arrive(stores)
    await ask(stores, "sent", *(f"queued {n}" for n in range(MOST_WAITING - 2)))

    refused = await stores.commands.begin(RESET)
    await go_silent(stores)
    waits_no_more, _ = await stores.commands.begin(other(PATIENT, id="patient"))
    await end(stores, "queued 7")
    waits, _ = await stores.commands.begin(other(PATIENT, id="another"))

    assert refused == (other(status="ended", outcome="Refused", error_code="QueueFull", ended=1_000), True)
    assert (waits_no_more.status, waits_no_more.error_code) == ("ended", "QueueFull")
    assert waits.status == "waiting"


async def test_a_known_command_that_is_queued_stays_where_it_is(stores: Stores) -> None:
    await arrive(stores)
    await ask(stores, "sent", "a", "b")

    known = await stores.commands.begin(other(id="a"))
    await end(stores, "sent")
    released = await stores.commands.next(STATION)

    assert known == (other(id="a", status="queued"), False)
    assert ids(released) == ["a"]


async def test_of_all_who_ask_a_station_at_once_one_is_sent(backend: Backend) -> None:
    async with backend.twice() as (one, two):
        await arrive(one)
        begun = await asyncio.gather(
            *(router.commands.begin(other(id=str(n))) for n, router in enumerate((one, two) * 10))
        )

    assert sorted(command.status for command, _ in begun) == ["queued"] * 19 + ["sent"]


# --- next -------------------------------------------------------------------------------------------------------------


async def test_while_one_is_sent_there_is_no_next_one(stores: Stores) -> None:
    await arrive(stores)
    await ask(stores, "a", "b")

    assert await stores.commands.next(STATION) == []
    assert await statuses(stores, "a", "b") == ["sent", "queued"]


async def test_next_is_the_first_that_is_queued(stores: Stores) -> None:
    await arrive(stores)
    await ask(stores, "c", "b", "a")
    await end(stores, "c")

    released = await stores.commands.next(STATION)

    assert released == [sent(other(id="b"))]
    assert await stores.commands.get(STATION, "b") == released[0]
    assert await stores.commands.next(STATION) == []
    assert await stores.commands.expectant() == [STATION]


async def test_what_is_queued_is_sent_to_where_the_station_can_be_called_now(stores: Stores) -> None:
    await arrive(stores)
    await ask(stores, "a", "b")
    await arrive(stores, callback="https://192.0.2.8/é?a=1&b=2")
    await end(stores, "a")

    (released,) = await stores.commands.next(STATION)

    assert released.callback == "https://192.0.2.8/é?a=1&b=2"


async def test_one_after_the_other_until_none_is_left(stores: Stores) -> None:
    await arrive(stores)
    await ask(stores, "a", "b", "c")
    order = []
    for each in ("a", "b", "c"):
        await end(stores, each)
        order.append(ids(await stores.commands.next(STATION)))

    assert order == [["b"], ["c"], []]
    assert await stores.commands.expectant() == []


async def test_to_a_silent_station_no_next_one_is_sent(stores: Stores) -> None:
    await arrive(stores)
    await ask(stores, "a", "b")
    await end(stores, "a")
    await go_silent(stores)

    assert await stores.commands.next(STATION) == []
    assert await statuses(stores, "b") == ["queued"]


async def test_what_waits_is_not_the_next_one(stores: Stores) -> None:
    await wait(stores, "waits")
    await arrive(stores)

    assert await stores.commands.next(STATION) == []
    assert await stores.commands.next(StationId("EM-unknown")) == []


async def test_a_command_that_ended_while_it_was_queued_is_not_the_next_one(stores: Stores) -> None:
    await arrive(stores)
    await ask(stores, "a", "b", "c")
    ended = await stores.commands.end(other(id="b", outcome="Expired", ended=2_000, version="ocpp1.5"))
    await end(stores, "a")

    released = await stores.commands.next(STATION)

    assert ended == other(id="b", status="ended", outcome="Expired", ended=2_000, version="ocpp1.5")
    assert ids(released) == ["c"]


async def test_a_connection_is_sent_the_next_one_as_well(stores: Stores) -> None:
    await arrive(stores)
    await ask(stores, "a", "b", "c")
    await connect(stores)

    early = await stores.commands.next(STATION)
    await end(stores, "a")
    released = await stores.commands.next(STATION)

    assert early == []
    assert [(command.id, command.gateway, command.callback) for command in released] == [("b", "east", "")]


async def test_of_all_who_ask_for_the_next_one_at_once_one_gets_it(backend: Backend) -> None:
    async with backend.twice() as (one, two):
        await arrive(one)
        await ask(one, "a", "b", "c")
        await end(one, "a")
        released = await asyncio.gather(*(router.commands.next(STATION) for router in (one, two) * 5))

    assert sorted(ids(each) for each in released) == [[]] * 9 + [["b"]]
