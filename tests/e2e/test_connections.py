"""What a station may rely on at any address of either deployment: who is served, how, and where it is let in."""

import http.client

import pytest
from websockets.exceptions import InvalidStatus
from websockets.extensions.permessage_deflate import PerMessageDeflate

from tests.support.foreign import V1_6, V2_0_1, V2_1, dial, identity, raw_station
from tests.support.system import HOST, System, get


async def refused(url: str, name: str, *versions: str) -> tuple[int, str]:
    """Status and body of the refusal."""
    with pytest.raises(InvalidStatus) as refusal:
        await dial(url, name, *versions)
    response = refusal.value.response
    return response.status_code, bytes(response.body or b"").decode()


async def test_the_newest_connection_is_served_and_the_old_one_closed_whichever_gateway_they_use(
    shared_system: System,
) -> None:
    name = identity("twice")
    old_url, new_url = shared_system.urls[0], shared_system.urls[-1]
    async with raw_station(old_url, name) as old, raw_station(new_url, name, boot=False) as new:
        closed = await old.closed(5)
        answer = await new.call("Heartbeat", {})

    assert closed[0] == 1000
    assert list(answer) == ["currentTime"]


async def test_a_station_keeps_its_registration_when_it_moves_to_another_gateway(shared_system: System) -> None:
    name = identity("moves")
    async with raw_station(shared_system.urls[0], name):
        pass
    async with raw_station(shared_system.urls[-1], name, boot=False) as station:
        answer = await station.call("Heartbeat", {})

    assert list(answer) == ["currentTime"]


async def test_a_call_before_the_first_boot_is_a_security_error(shared_system: System) -> None:
    async with raw_station(shared_system.urls[-1], identity("early"), boot=False) as station:
        message_id = await station.send("Heartbeat", {})
        answer = await station.receive()

    assert answer[:3] == [4, message_id, "SecurityError"]


async def test_calls_sent_without_waiting_are_answered_in_order(shared_system: System) -> None:
    async with raw_station(shared_system.urls[-1], identity("ahead")) as station:
        ids = [await station.send("Heartbeat", {}, f"beat-{number}") for number in range(5)]
        answers = [await station.receive() for _ in ids]

    assert [answer[:2] for answer in answers] == [[3, message_id] for message_id in ids]


@pytest.mark.parametrize("offered", [(V2_1, V1_6), (V1_6, V2_1), ("ocpp9", V2_0_1, V1_6)])
async def test_the_stations_first_known_subprotocol_is_selected(
    shared_system: System, offered: tuple[str, ...]
) -> None:
    async with await dial(shared_system.urls[-1], identity("offers"), *offered) as socket:
        selected = socket.subprotocol

    assert selected == next(version for version in offered if version != "ocpp9")


async def test_compression_is_agreed_when_it_is_offered_and_only_then(shared_system: System) -> None:
    extensions = []
    for compression in ("deflate", None):
        async with await dial(shared_system.urls[-1], identity("deflate"), V2_0_1, compression=compression) as socket:
            extensions.append([type(extension) for extension in socket.protocol.extensions])

    assert extensions == [[PerMessageDeflate], []]


async def test_an_identity_of_any_characters_connects(shared_system: System) -> None:
    async with raw_station(shared_system.urls[-1], identity("RDAM 123/ä€")) as station:
        answer = await station.call("Heartbeat", {})

    assert list(answer) == ["currentTime"]


async def test_what_cannot_be_served_is_refused_with_a_reason(shared_system: System) -> None:
    url = shared_system.urls[-1]
    unknown = await refused(url, identity("old"), "ocpp0.9")
    silent = await refused(url, identity("silent"))
    elsewhere = await refused(url.removesuffix("/ocpp") + "/ocpp/a/b", "c", V1_6)
    escaped = await refused(url + "/%ZZ?", "c", V1_6)

    assert [unknown[0], silent[0], elsewhere[0], escaped[0]] == [400, 400, 404, 400]
    assert all(body.endswith(".\n") for _, body in (unknown, silent, elsewhere, escaped))


async def test_a_plain_get_is_told_to_upgrade(shared_system: System) -> None:
    status, _ = await get(shared_system.gateways[-1].port, "/ocpp/station")

    assert status == http.client.UPGRADE_REQUIRED


async def test_health_readiness_and_metrics_are_on_the_same_port(shared_system: System) -> None:
    for member in shared_system.members:
        health = await get(member.port, "/healthz")
        readiness = await get(member.port, "/readyz")
        metrics = await get(member.port, "/metrics")
        nothing = await get(member.port, "/nothing-here")

        assert health == (200, '{"status":"ok"}')
        assert readiness[0] == 200
        assert metrics[0] == 200
        assert "# TYPE csms_" in metrics[1], metrics[1][:500]
        assert nothing[0] == 404


def test_every_process_listens_on_the_loopback_unless_told_otherwise(shared_system: System) -> None:
    listening = [entry for member in shared_system.members for entry in member.process.logs if "port" in entry]

    assert [(entry["event"], entry["host"]) for entry in listening] == [("listening", HOST)] * len(
        shared_system.members
    )
