"""CONNECT → ACCEPT or REFUSE: identity (404), credentials (401), what the record forbids (403), subprotocol (400)."""

from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest
from msgspec import Raw

from csms_ocpp.version import StationId
from csms_platform.envelope import Capsule, Envelope, Kind, Refusal
from csms_platform.passwords import digest
from csms_platform.ports import GatewayId, SessionRecord, Station
from csms_router.settings import Settings
from tests.service.router.world import ChargingStation, World, open_world

PASSWORD = b"a station's password"
DIGEST = digest(PASSWORD)


@pytest.fixture
async def registered() -> AsyncIterator[World]:
    """A router that lets only registered stations in."""
    async with open_world(Settings(auth="registered")) as world:
        yield world


async def put(world: World, **fields: Any) -> None:
    await world.ports.stations.put(Station(StationId("CS-1"), **fields))


def status(reply: Envelope) -> int | str:
    """The HTTP status of a REFUSE, or `accepted`."""
    if reply.kind is Kind.ACCEPT:
        return "accepted"
    assert reply.kind is Kind.REFUSE
    return msgspec.json.decode(reply.payload, type=Refusal).status


async def test_policy_open_accepts_any_identity_whatever_it_shows(station: ChargingStation) -> None:
    replies = [
        await station.connect(),
        await station.connect(password=b"any"),
        await station.connect(authorization=True),
    ]

    assert [status(reply) for reply in replies] == ["accepted"] * 3


async def test_an_accept_carries_capsule_account_and_version_and_an_empty_payload(world: World) -> None:
    station = ChargingStation(world, version="ocpp2.0.1")

    reply = await station.connect(account="acme")

    assert reply.session is not None
    assert reply == Envelope(
        Kind.ACCEPT,
        "CS-1",
        account="acme",
        version="ocpp2.0.1",
        unique_id="handshake",
        session=Capsule(epoch=reply.session.epoch, account="acme"),
        deadline=reply.deadline,
    )
    assert reply.session.epoch > 0


async def test_an_accepted_connection_is_the_stations_session(world: World, station: ChargingStation) -> None:
    await world.ports.sessions.renew(GatewayId("east"), 15)

    reply = await station.connect(account="acme")

    assert reply.session is not None
    assert await world.ports.sessions.get(StationId("CS-1")) == SessionRecord(
        StationId("CS-1"),
        GatewayId("east"),
        epoch=reply.session.epoch,
        account="acme",
        version="ocpp1.6",
        peer="192.0.2.1",
        since=1_767_268_800_000,
    )


async def test_policy_registered_refuses_an_unknown_identity_with_404(registered: World) -> None:
    station = ChargingStation(registered)

    replies = [await station.connect(), await station.connect(password=PASSWORD)]

    assert [status(reply) for reply in replies] == [404, 404]


async def test_policy_registered_accepts_a_station_on_record(registered: World) -> None:
    await put(registered, quirks="lenient", account="acme")

    reply = await ChargingStation(registered).connect()

    assert reply.session is not None
    assert reply.session == Capsule(epoch=reply.session.epoch, account="acme", policy="registered", quirks="lenient")


@pytest.mark.parametrize("auth", ["open", "registered"])
@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        ({"password": PASSWORD}, "accepted"),
        ({"password": b"wrong"}, 401),
        ({"password": PASSWORD, "user": "CS-2"}, 401),
        ({"authorization": True}, 401),
        ({}, 401),
    ],
    ids=["right", "wrong", "another user", "bearer or unreadable", "nothing"],
)
async def test_a_station_with_a_password_on_record_needs_it_under_either_policy(
    auth: Any, shown: dict[str, Any], expected: int | str
) -> None:
    async with open_world(Settings(auth=auth)) as world:
        await put(world, password=DIGEST, security_profile=1)

        reply = await ChargingStation(world).connect(**shown)

    assert status(reply) == expected


async def test_profile_1_without_a_password_on_record_lets_nobody_in(world: World, station: ChargingStation) -> None:
    await put(world, security_profile=1)

    reply = await station.connect(password=b"")

    assert status(reply) == 401


async def test_the_hex_form_of_an_authorization_key_is_the_same_password(
    world: World, station: ChargingStation
) -> None:
    key = bytes(range(20))
    await put(world, password=digest(key.hex()), security_profile=1)

    replies = [await station.connect(password=key), await station.connect(password=key.hex().encode())]

    assert [status(reply) for reply in replies] == ["accepted", "accepted"]


async def test_from_the_next_connect_only_the_new_password_is_right(world: World, station: ChargingStation) -> None:
    await put(world, password=DIGEST, security_profile=1)
    await station.connect(password=PASSWORD)
    await put(world, password=digest("new"), security_profile=1)

    replies = [await station.connect(password=PASSWORD), await station.connect(password=b"new")]

    assert [status(reply) for reply in replies] == [401, "accepted"]


@pytest.mark.parametrize(
    ("record", "request_", "expected"),
    [
        ({"disabled": True, "password": DIGEST}, {"password": b"wrong", "subprotocol": ""}, 401),
        ({"disabled": True, "password": DIGEST}, {"password": PASSWORD, "subprotocol": ""}, 403),
        ({"security_profile": 2, "password": DIGEST}, {"password": b"wrong", "tls": False}, 401),
        ({"security_profile": 2, "password": DIGEST}, {"password": PASSWORD, "tls": False}, 403),
        ({"security_profile": 2, "password": DIGEST}, {"password": PASSWORD, "tls": True}, "accepted"),
        ({"security_profile": 3}, {"tls": True, "subject": "CS-2"}, 403),
        ({"security_profile": 3}, {"tls": True, "subject": "CS-1"}, "accepted"),
        ({"account": "acme"}, {"account": "other"}, 403),
        ({"account": "acme"}, {"account": "acme", "subprotocol": ""}, 400),
        ({"quirks": "assume=ocpp1.6"}, {"subprotocol": ""}, "accepted"),
    ],
)
async def test_the_order_is_credentials_then_what_is_forbidden_then_the_subprotocol(
    world: World, station: ChargingStation, record: dict[str, Any], request_: dict[str, Any], expected: int | str
) -> None:
    await put(world, **record)

    assert status(await station.connect(**request_)) == expected


async def test_no_common_subprotocol_is_refused_with_400_and_what_is_spoken(station: ChargingStation) -> None:
    reply = await station.connect(subprotocol="", offered=("ocpp3.0",))

    assert msgspec.json.decode(reply.payload, type=Refusal) == Refusal(
        400, "No common subprotocol; this central system speaks ocpp1.6, ocpp2.0.1, ocpp2.1."
    )


async def test_a_refused_connection_opens_no_session_and_evicts_nobody(world: World) -> None:
    await world.ports.sessions.renew(GatewayId("east"), 15)
    await put(world, password=DIGEST, security_profile=1)
    station = ChargingStation(world)
    accepted = await station.connect(password=PASSWORD)
    before = len(world.bus.sent)

    await station.connect(password=b"wrong")

    session = await world.ports.sessions.get(StationId("CS-1"))
    assert session is not None
    assert accepted.session is not None
    assert session.epoch == accepted.session.epoch
    assert [envelope.kind for _, envelope in world.bus.sent[before:]] == [Kind.REFUSE]


@pytest.mark.parametrize(
    "damage", [{"payload": Raw(b"[]")}, {"payload": Raw(b"{}")}, {"reply_to": "somewhere"}, {"reply_to": ""}]
)
async def test_a_connect_that_makes_no_sense_is_dropped_and_others_of_its_batch_are_answered(
    world: World, damage: dict[str, Any]
) -> None:
    good = Envelope(
        Kind.CONNECT,
        "CS-2",
        payload=Raw(b'{"peer":"192.0.2.2","subprotocol":"ocpp1.6"}'),
        reply_to="ocpp.gateway.east",
    )

    replies = await world.bus.deliver(msgspec.structs.replace(good, identity="CS-1", **damage), good)

    assert [(reply.kind, reply.identity) for reply in replies] == [(Kind.ACCEPT, "CS-2")]
