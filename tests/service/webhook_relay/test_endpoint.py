"""One endpoint over real HTTP: slow, wrong, huge, gone, behind TLS, behind a proxy."""

import asyncio
import gzip
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from csms_platform.envelope import EMPTY, Envelope, Kind, Raw
from csms_platform.metrics import REGISTRY
from csms_webhook_relay.delivery import identify
from csms_webhook_relay.endpoint import Endpoint
from csms_webhook_relay.reply import Answered, Failed, Final, Refused, Reply
from csms_webhook_relay.settings import Settings, Target
from csms_webhook_relay.signature import is_genuine
from tests.service.webhook_relay.server import (
    ACCEPTED,
    Answer,
    accept,
    after,
    in_turn,
    operator,
    raw_server,
    says,
    status,
)
from tests.unit.webhook_relay.calls import call

TLS = Path(__file__).parents[2] / "support" / "tls"
NOON = 1_767_268_800.0


class Clock:
    """A monotonic clock that stands until it is moved."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@asynccontextmanager
async def endpoint(
    url: str, name: str = "default", clock: Clock | None = None, **fields: Any
) -> AsyncIterator[Endpoint]:
    settings = Settings(url=url, **fields)
    more: dict[str, Any] = {"clock": clock} if clock else {}
    async with Endpoint(name, settings, settings, now=lambda: NOON, chance=lambda: 0.0, **more) as found:
        yield found


async def ask(asked: Endpoint, about: Envelope | None = None, seconds: float = 5.0, **more: Any) -> Reply:
    about = about or call()
    return await asked.ask(about, **({"attempt": 1, "seconds": seconds, "delivery_id": identify(about)} | more))


async def ask_once(url: str, about: Envelope | None = None, seconds: float = 5.0, **fields: Any) -> Reply:
    async with endpoint(url, **fields) as asked:
        return await ask(asked, about, seconds)


def payload(found: Reply) -> bytes:
    assert isinstance(found, Answered), found
    return bytes(found.payload)


async def test_the_endpoint_hears_the_call_and_its_answer_comes_back() -> None:
    async with operator() as there:
        found = await ask_once(there.url, call(account="acme", traceparent="00-7"), authorization="Bearer", token="abc")

    assert payload(found) == b'{"idTagInfo":{"status":"Accepted"}}'
    assert there.bodies == [
        {
            "identity": "CS-1", "uniqueId": "17", "action": "Authorize", "payload": {"idTag": "04E91C5A"},
            "version": "ocpp1.6", "transport": "json", "account": "acme",
        }
    ]  # fmt: skip
    (headers,) = there.headers
    del headers["Host"]
    assert headers == {
        "Content-Type": "application/json",
        "Content-Length": "143",
        "User-Agent": "csms-webhook-relay",
        "Authorization": "Bearer abc",
        "X-OCPP-Delivery": identify(call()),
        "X-OCPP-Attempt": "1",
        "X-OCPP-Timestamp": "1767268800",
        "traceparent": "00-7",
    }


async def test_the_signature_is_over_the_very_bytes_that_are_posted() -> None:
    bodies: list[bytes] = []

    async def keep(request: web.Request) -> web.StreamResponse:
        bodies.append(await request.read())
        return await accept(request)

    async with operator(keep) as there:
        await ask_once(there.url, secret="s3cret")

    (headers,) = there.headers
    assert is_genuine(headers["X-OCPP-Signature"], b"s3cret", headers["X-OCPP-Timestamp"], bodies[0], now=NOON)


async def test_a_connection_is_used_again() -> None:
    async with operator() as there, endpoint(there.url) as asked:
        for _ in range(5):
            payload(await ask(asked))

    assert (len(there.bodies), len(there.peers)) == (5, 1)


async def test_no_more_than_the_limit_are_asked_at_once_and_the_others_wait_for_their_turn() -> None:
    async with operator(after(0.02)) as there, endpoint(there.url, concurrency=3) as asked:
        replies = await asyncio.gather(*(ask(asked) for _ in range(12)))

    assert {payload(found) for found in replies} == {b'{"idTagInfo":{"status":"Accepted"}}'}
    assert (there.most_under_way, len(there.peers)) == (3, 3)


async def test_one_too_many_is_not_sent() -> None:
    goes_on = asyncio.Event()
    async with operator(after(goes_on)) as there, endpoint(there.url, concurrency=1, waiting=0) as asked:
        first = asyncio.create_task(ask(asked))
        while not there.under_way:
            await asyncio.sleep(0.01)

        found = await ask(asked)

        goes_on.set()
        payload(await first)
    assert found == Failed("too many calls wait for the endpoint", sent=False)
    assert len(there.bodies) == 1


async def test_a_slow_endpoint_is_not_waited_for_longer_than_there_is_time() -> None:
    async with operator(after(3)) as there:
        began = asyncio.get_running_loop().time()
        found = await ask_once(there.url, seconds=0.2)
        took = asyncio.get_running_loop().time() - began

    assert found == Failed("no reply within 0.2 s")
    assert took < 1


async def test_nor_longer_than_the_setting() -> None:
    async with operator(after(3)) as there:
        assert await ask_once(there.url, timeout=0.1) == Failed("no reply within 0.1 s")


@pytest.mark.parametrize("seconds", [0.0, -1.0])
async def test_without_time_nothing_is_sent(seconds: float) -> None:
    async with operator() as there:
        found = await ask_once(there.url, seconds=seconds)

    assert found == Failed("no time is left to ask the endpoint", sent=False)
    assert there.bodies == []


async def test_a_reply_that_trickles_is_cut_off_in_time() -> None:
    async def trickle(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(100):
            await response.write(b" ")
            await asyncio.sleep(0.02)
        return response

    async with operator(trickle) as there:
        assert await ask_once(there.url, seconds=0.2) == Failed("no reply within 0.2 s")


async def test_a_chunked_reply_is_read() -> None:
    async def chunks(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(ACCEPTED[:9])
        await response.write(ACCEPTED[9:])
        return response

    async with operator(chunks) as there:
        assert payload(await ask_once(there.url)) == b'{"idTagInfo":{"status":"Accepted"}}'


async def test_a_compressed_reply_is_read_though_nobody_asked_for_it() -> None:
    async def compressed(_: web.Request) -> web.StreamResponse:
        return web.Response(body=gzip.compress(ACCEPTED), headers={"Content-Encoding": "gzip"})

    async with operator(compressed) as there:
        assert payload(await ask_once(there.url)) == b'{"idTagInfo":{"status":"Accepted"}}'


@pytest.mark.parametrize("length_known", [True, False])
async def test_a_huge_reply_is_not_read_to_its_end(length_known: bool) -> None:
    async def huge(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        if length_known:
            response.content_length = 64 * 65536
        await response.prepare(request)
        for _ in range(64):
            await response.write(b"x" * 65536)
        return response

    async with operator(huge) as there:
        found = await ask_once(there.url, max_reply=100_000)

    assert found == Failed("the reply is larger than 100000 bytes")


async def test_a_bomb_is_inflated_no_further_than_a_reply_may_be() -> None:
    bomb = gzip.compress(b" " * 50_000_000)

    async def explode(_: web.Request) -> web.StreamResponse:
        return web.Response(body=bomb, headers={"Content-Encoding": "gzip"})

    async with operator(explode) as there:
        found = await ask_once(there.url, max_reply=100_000)

    assert found == Failed("the reply is larger than 100000 bytes")


async def test_what_is_no_gzip_is_a_failure() -> None:
    async def lie(_: web.Request) -> web.StreamResponse:
        return web.Response(body=b"no gzip at all", headers={"Content-Encoding": "gzip"})

    async with operator(lie) as there:
        assert await ask_once(there.url) == Failed("the reply broke off, or cannot be inflated")


async def test_a_connection_that_nobody_accepts_is_a_failure(free_port: int) -> None:
    found = await ask_once(f"http://127.0.0.1:{free_port}/")

    assert found == Failed(f"no connection to 127.0.0.1:{free_port}: Connect call failed ('127.0.0.1', {free_port})")


async def test_a_name_that_does_not_exist_is_a_failure() -> None:
    assert await ask_once("http://nobody.invalid/") == Failed("the name nobody.invalid cannot be resolved")


@pytest.mark.parametrize(
    ("response", "reason"),
    [
        (b"", "the connection was closed before the reply"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{", "the reply broke off, or cannot be inflated"),
        (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", "the reply is not HTTP: "),
        (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 20_000 + b"\r\n\r\n", "the reply is not HTTP: "),
    ],
)
async def test_an_endpoint_that_is_none_is_a_failure(response: bytes, reason: str) -> None:
    async with raw_server(response) as url:
        found = await ask_once(url)

    assert isinstance(found, Failed)
    assert found.reason.startswith(reason)
    assert not found.replied


async def test_redirects_are_not_followed() -> None:
    async with operator() as elsewhere, operator(status(307, Location=elsewhere.url)) as there:
        assert await ask_once(there.url) == Final("HTTP status 307: redirects are not followed")

    assert elsewhere.bodies == []


async def test_a_call_error_comes_back() -> None:
    async with operator(says({"messageTypeId": 4, "errorCode": "NotSupported"})) as there:
        assert await ask_once(there.url) == Refused("NotSupported", "", EMPTY)


async def test_a_large_message_is_posted_like_any_other() -> None:
    about = call("DataTransfer", {"vendorId": "v", "data": "x" * 1_500_000})
    async with operator(says({"payload": {"status": "Accepted"}})) as there:
        assert payload(await ask_once(there.url, about)) == b'{"status":"Accepted"}'

    assert len(there.bodies[0]["payload"]["data"]) == 1_500_000


async def test_a_letter_says_since_when_it_waits_and_needs_no_payload_back() -> None:
    async with operator(status(204)) as there, endpoint(there.url) as asked:
        found = await ask(asked, call("StartTransaction"), answered=Raw(b'{"x":1}'), stored=int(NOON * 1000))

    assert payload(found) == b"{}"
    assert (there.bodies[0]["stored"], there.bodies[0]["answered"]) == ("2026-01-01T12:00:00.000Z", {"x": 1})


async def test_a_letter_lets_calls_go_first() -> None:
    goes_on = asyncio.Event()
    async with operator(after(goes_on)) as there, endpoint(there.url, concurrency=1) as asked:
        first = asyncio.create_task(ask(asked))
        while not there.under_way:
            await asyncio.sleep(0.01)
        letter = asyncio.create_task(ask(asked, call(unique_id="letter"), stored=1))
        await asyncio.sleep(0.01)
        live = asyncio.create_task(ask(asked, call(unique_id="live")))
        await asyncio.sleep(0.01)

        goes_on.set()
        await asyncio.gather(first, letter, live)

    assert [body["uniqueId"] for body in there.bodies] == ["17", "live", "letter"]


async def test_a_send_is_posted_and_any_2xx_will_do_that_can_be_read() -> None:
    about = call("NotifyPeriodicEventStream", b"{}", "ocpp2.1", kind=Kind.SEND)
    async with operator(in_turn(says({"ok": True}), status(204), says("<html>"))) as there:
        replies = [await ask_once(there.url, about) for _ in range(3)]

    assert [type(found) for found in replies] == [Answered, Answered, Failed]


@pytest.mark.parametrize("answer", [says("OK"), says("x" * 200), says({"payload": 7}), status(204)])
async def test_of_somebody_who_is_not_heeded_any_2xx_will_do(answer: Answer) -> None:
    settings = Settings(max_reply=100)
    async with operator(answer) as there, Endpoint("copies", Target(url=there.url), settings, heeded=False) as asked:
        assert payload(await ask(asked)) == b"{}"


# --- the breaker ----------------------------------------------------------------------------------------------------


async def test_an_endpoint_that_fails_is_left_alone_and_found_again() -> None:
    clock = Clock()
    answers = in_turn(status(500), status(500), status(500), accept)
    async with (
        operator(answers) as there,
        endpoint(there.url, clock=clock, breaker_failures=2, breaker_seconds=5.0) as asked,
    ):
        replies = [await ask(asked) for _ in range(3)]
        clock.now += 5
        replies += [await ask(asked), await ask(asked)]
        clock.now += 5
        replies += [await ask(asked), await ask(asked)]

    left_alone = Failed("the endpoint is left alone: it failed too often", 5.0, sent=False)
    failed = Failed("HTTP status 500")
    assert replies[:5] == [failed, failed, left_alone, failed, left_alone]
    assert [payload(found) for found in replies[5:]] == [b'{"idTagInfo":{"status":"Accepted"}}'] * 2
    assert len(there.bodies) == 5


async def test_retry_after_leaves_it_alone_for_as_long_as_it_wants() -> None:
    clock = Clock()
    async with (
        operator(in_turn(status(429, **{"Retry-After": "30"}), accept)) as there,
        endpoint(there.url, clock=clock) as asked,
    ):
        replies = [await ask(asked), await ask(asked)]
        clock.now += 30
        replies.append(await ask(asked))

    assert replies[:2] == [
        Failed("HTTP status 429", 30.0),
        Failed("the endpoint is left alone: it failed too often", 30.0, sent=False),
    ]
    assert payload(replies[2]) == b'{"idTagInfo":{"status":"Accepted"}}'


async def test_wrong_payloads_refusals_and_redirects_do_not_open_the_breaker() -> None:
    answers = in_turn(says({"payload": {"x": 1}}), status(404), status(301), status(404), accept)
    async with operator(answers) as there, endpoint(there.url, breaker_failures=1) as asked:
        replies = [await ask(asked) for _ in range(5)]

    assert [type(found) for found in replies] == [Failed, Final, Final, Final, Answered]


@pytest.mark.parametrize("page", ["<html>It works!</html>", "x" * 200], ids=["page", "too large"])
async def test_what_cannot_be_read_opens_the_breaker(page: str) -> None:
    async with operator(says(page)) as there, endpoint(there.url, breaker_failures=2, max_reply=100) as asked:
        replies = [await ask(asked) for _ in range(3)]

    assert [isinstance(found, Failed) and found.sent for found in replies] == [True, True, False]
    assert len(there.bodies) == 2


async def test_a_probe_that_is_cancelled_leaves_its_turn_to_the_next_one() -> None:
    clock = Clock()
    answers = in_turn(status(500), after(5), accept)
    async with operator(answers) as there, endpoint(there.url, clock=clock, breaker_failures=1) as asked:
        await ask(asked)
        clock.now += 5
        probe = asyncio.create_task(ask(asked))
        while len(there.bodies) < 2:
            await asyncio.sleep(0.01)
        probe.cancel()
        await asyncio.wait([probe])

        assert payload(await ask(asked)) == b'{"idTagInfo":{"status":"Accepted"}}'


# --- what is counted ------------------------------------------------------------------------------------------------


def counted(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


async def test_requests_are_counted_by_outcome_under_the_configured_name() -> None:
    answers = in_turn(accept, says({"messageTypeId": 4}), status(404), says({"payload": {}}), status(500), accept)
    async with operator(answers) as there, endpoint(there.url, name="counted", breaker_failures=1) as asked:
        for _ in range(6):
            await ask(asked)

        outcomes = {
            outcome: counted("csms_webhook_requests_total", endpoint="counted", outcome=outcome)
            for outcome in ("result", "error", "rejected", "failed", "open", "busy")
        }
        assert outcomes == {"result": 1, "error": 1, "rejected": 1, "failed": 2, "open": 1, "busy": 0}
        assert counted("csms_webhook_seconds_count", endpoint="counted") == 5
        assert counted("csms_webhook_breaker", endpoint="counted") == 1
        assert counted("csms_webhook_in_flight", endpoint="counted") == 0
        assert asked.answers == 2


# --- TLS ------------------------------------------------------------------------------------------------------------


def server_tls(*, asks_for_certificates: bool = False) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(TLS / "server.pem")
    if asks_for_certificates:
        context.load_verify_locations(TLS / "ca.pem")
        context.verify_mode = ssl.CERT_REQUIRED
    return context


async def test_an_authority_of_the_operators_own_is_trusted_when_it_is_configured() -> None:
    async with operator(tls=server_tls()) as there:
        assert payload(await ask_once(there.url, ca_file=str(TLS / "ca.pem"))) == b'{"idTagInfo":{"status":"Accepted"}}'


async def test_a_certificate_of_an_unknown_authority_is_refused_and_nothing_is_sent() -> None:
    async with operator(tls=server_tls()) as there:
        found = await ask_once(there.url)

    assert isinstance(found, Failed)
    assert found.reason.startswith("the certificate of localhost is not trusted: ")
    assert there.bodies == []


async def test_verification_is_off_only_by_a_setting() -> None:
    async with operator(tls=server_tls()) as there:
        assert payload(await ask_once(there.url, verify=False)) == b'{"idTagInfo":{"status":"Accepted"}}'


async def test_we_show_our_certificate_where_one_is_asked_for() -> None:
    shown: list[Any] = []

    async def look(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        shown.append(request.transport.get_extra_info("peercert")["subject"])
        return await accept(request)

    ours = {"ca_file": str(TLS / "ca.pem"), "client_certificate": str(TLS / "station.pem")}
    async with operator(look, tls=server_tls(asks_for_certificates=True)) as there:
        assert payload(await ask_once(there.url, **ours)) == b'{"idTagInfo":{"status":"Accepted"}}'

    assert shown == [((("organizationName", "csms tests"),), (("commonName", "CS-1"),))]


async def test_without_a_certificate_such_an_endpoint_fails() -> None:
    async with operator(tls=server_tls(asks_for_certificates=True)) as there:
        assert isinstance(await ask_once(there.url, ca_file=str(TLS / "ca.pem")), Failed)

    assert there.bodies == []


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"ca_file": "nowhere.pem"}, "webhook.ca_file: cannot read nowhere.pem"),
        ({"client_certificate": "nowhere.pem"}, "webhook.client_certificate: cannot read nowhere.pem"),
    ],
)
async def test_missing_certificates_are_a_sentence(fields: dict[str, str], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        await ask_once("https://localhost/", **fields)


async def test_a_file_that_is_no_certificate_is_a_sentence(tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    file.write_text("nothing", encoding="utf-8")

    with pytest.raises(ValueError, match=r"^webhook: .*ca\.pem cannot be used: "):
        await ask_once("https://localhost/", ca_file=str(file))


# --- proxies --------------------------------------------------------------------------------------------------------


async def test_the_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async with operator() as proxy:
        monkeypatch.setenv("http_proxy", proxy.url.replace("//", "//user:pass@").removesuffix("/ocpp"))
        monkeypatch.delenv("no_proxy", raising=False)
        found = await ask_once("http://operator.example/ocpp")

    assert payload(found) == b'{"idTagInfo":{"status":"Accepted"}}'
    assert proxy.headers[0]["Host"] == "operator.example"
    assert proxy.headers[0]["Proxy-Authorization"] == "Basic dXNlcjpwYXNz"


async def test_no_proxy_is_honoured(monkeypatch: pytest.MonkeyPatch, free_port: int) -> None:
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{free_port}")
    monkeypatch.setenv("no_proxy", "localhost")

    async with operator() as there:
        assert payload(await ask_once(there.url)) == b'{"idTagInfo":{"status":"Accepted"}}'


async def test_a_proxy_that_speaks_something_else_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "socks5://127.0.0.1:1080")
    monkeypatch.delenv("no_proxy", raising=False)

    with pytest.raises(ValueError, match="the environment's proxy is socks5://…, and only HTTP proxies can be used"):
        await ask_once("http://operator.example/ocpp")
