"""The applications behind the one port: whose request it is, what they are told about the connection, how they end."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from csms_platform.http import Front
from csms_platform.tls import tls_context
from tests.unit.platform.test_http import HEALTH, Mounted, dialled, said

TLS = Path(__file__).parents[2] / "support" / "tls"


class App:
    """Answers with its name and the path; when it is told to hold, not before `gate` is open."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.scopes: list[dict[str, Any]] = []
        self.asked, self.gate = asyncio.Event(), asyncio.Event()
        self.gate.set()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.scopes.append(scope)
        body = f"{self.name} {scope['path']}".encode()
        length = (b"content-length", str(len(body)).encode())
        await send({"type": "http.response.start", "status": 200, "headers": [length]})
        self.asked.set()
        await self.gate.wait()
        await send({"type": "http.response.body", "body": body})


def request(path: str, method: str = "GET") -> bytes:
    return f"{method} {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode()


def body(answer: bytes) -> str:
    return answer.partition(b"\r\n\r\n")[2].decode()


@asynccontextmanager
async def listening(tls: ssl.SSLContext | None = None, **apps: App) -> AsyncIterator[int]:
    """A front with `/ocpp/` mounted and `apps` by their paths."""
    front = Front({})
    front.mount("/ocpp/", Mounted)
    for path, app in apps.items():
        front.serve(app, path)
    async with front.listen("127.0.0.1", 0, tls) as port:
        yield port


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("/Ocpp", "soap /Ocpp"),
        ("/oCPP", "soap /oCPP"),
        ("/Ocpp/", "soap /Ocpp/"),
        ("/OCPP/Any/Where", "soap /OCPP/Any/Where"),
        ("/Ocpp?wsdl", "soap /Ocpp"),
        ("/ocppx", "all /ocppx"),
        ("/x/Ocpp", "all /x/Ocpp"),
        ("/", "all /"),
        ("/metrics/x", "all /metrics/x"),
        ("/%4Fcpp", "soap /Ocpp"),
    ],
)
async def test_an_application_has_its_path_in_any_case_and_what_is_below_it(path: str, answer: str) -> None:
    apps = {"/": App("all"), "/Ocpp": App("soap")}
    async with listening(**apps) as port:
        assert body(await said(port, request(path))) == answer


async def test_of_two_paths_that_match_the_longer_one_has_it() -> None:
    async with listening(**{"/a": App("a"), "/a/b": App("b"), "/": App("all")}) as port:
        assert [body(await said(port, request(path))) for path in ("/a/b/c", "/a/bc", "/b")] == [
            "b /a/b/c",
            "a /a/bc",
            "all /b",
        ]


@pytest.mark.parametrize("paths", [("/", "/"), ("/Ocpp", "/ocpp/")])
def test_a_path_belongs_to_one_application(paths: tuple[str, str]) -> None:
    front = Front({})
    front.serve(App("first"), paths[0])

    with pytest.raises(ValueError, match=f"^The port serves an application at {paths[1]} already\\.$"):
        front.serve(App("second"), paths[1])


async def test_health_pages_are_nobody_else_s() -> None:
    async with listening(**{"/": App("all"), "/healthz": App("mine")}) as port:
        assert body(await said(port, HEALTH)) == '{"status":"ok"}'


async def test_what_no_application_has_is_404() -> None:
    async with listening(**{"/Ocpp": App("soap")}) as port:
        assert (await said(port, request("/x"))).startswith(b"HTTP/1.1 404 ")


@pytest.mark.parametrize("target", ["/ocpp/?wsdl", "/ocpp/CS-1?WSDL", "/ocpp/CS-1/x?Wsdl=1.5"])
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_question_for_the_description_below_a_mount_is_http(method: str, target: str) -> None:
    async with listening(**{"/Ocpp": App("soap")}) as port:
        assert body(await said(port, request(target, method))) == "soap " + target.partition("?")[0]


@pytest.mark.parametrize("target", ["/ocpp/CS-1?x=wsdl", "/ocpp/wsdl", "/ocpp/CS-1?", "/ocpp/CS-1"])
async def test_any_other_question_below_a_mount_is_the_mount_s(target: str) -> None:
    async with listening(**{"/Ocpp": App("soap")}) as port:
        assert (await said(port, request(target))).startswith(b"mounted:")


async def test_head_has_no_body_and_a_connection_serves_several_applications() -> None:
    soap, everything = App("soap"), App("all")
    async with listening(**{"/Ocpp": soap, "/": everything}) as port, dialled(port) as (reader, writer):
        heads = []
        for line in (request("/Ocpp", "HEAD"), request("/x", "HEAD")):
            writer.write(line)
            heads.append(await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5))

    assert [head.lower().count(b"content-length: ") for head in heads] == [1, 1]
    assert [(app.name, [scope["method"] for scope in app.scopes]) for app in (soap, everything)] == [
        ("soap", ["HEAD"]),
        ("all", ["HEAD"]),
    ]


# --- what is known of the connection ----------------------------------------------------------------------------------


async def state_of(app: App, tls: ssl.SSLContext | None, client: ssl.SSLContext | None) -> Any:
    """What `app` is told about a connection, the second time it is asked over it."""
    async with listening(tls, **{"/": app}) as port:
        name = "localhost" if client else None
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=client, server_hostname=name)
        for _ in range(2):
            writer.write(request("/"))
            await asyncio.wait_for(reader.readuntil(b"all /"), 5)
        writer.close()
    return app.scopes[1]["state"]


def server(client_ca: str = "") -> ssl.SSLContext:
    made = tls_context(str(TLS / "server.pem"), "", client_ca and str(TLS / client_ca))
    assert made is not None
    return made


def client(certificate: str = "") -> ssl.SSLContext:
    made = ssl.create_default_context(cafile=str(TLS / "ca.pem"))
    if certificate:
        made.load_cert_chain(TLS / certificate)
    return made


async def test_an_application_is_told_that_a_connection_is_not_secured() -> None:
    assert await state_of(App("all"), None, None) == {"tls": False, "subject": ""}


async def test_an_application_is_told_of_tls_and_of_a_verified_certificate() -> None:
    assert [
        await state_of(App("all"), server(), client()),
        await state_of(App("all"), server("ca.pem"), client()),
        await state_of(App("all"), server("ca.pem"), client("station.pem")),
        await state_of(App("all"), server(), client("station.pem")),
    ] == [
        {"tls": True, "subject": ""},
        {"tls": True, "subject": ""},
        {"tls": True, "subject": "CS-1"},
        {"tls": True, "subject": ""},
    ]


# --- how the port closes ----------------------------------------------------------------------------------------------


async def test_what_is_asked_when_the_port_closes_is_answered_and_then_the_connection_ends() -> None:
    app, front = App("all"), Front({})
    app.gate.clear()
    front.serve(app, "/")
    async with front.listen("127.0.0.1", 0) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request("/slow"))
        await app.asked.wait()

    waiting = asyncio.ensure_future(front.answered())
    await asyncio.sleep(0.05)
    still_waits = not waiting.done()
    app.gate.set()
    answer = await asyncio.wait_for(reader.read(), 5)
    await asyncio.wait_for(waiting, 5)
    writer.close()

    assert still_waits
    assert body(answer) == "all /slow"


async def test_what_has_not_been_asked_when_the_port_closes_is_not_waited_for() -> None:
    front = Front({})
    front.serve(App("all"), "/")
    async with front.listen("127.0.0.1", 0) as port:
        idle, silent, half = [await asyncio.open_connection("127.0.0.1", port) for _ in range(3)]
        idle[1].write(request("/"))
        await asyncio.wait_for(idle[0].readuntil(b"all /"), 5)
        half[1].write(b"GET / HT")
        await asyncio.sleep(0.05)

    async with asyncio.timeout(5):
        await front.answered()
        rest = [await reader.read() for reader, _ in (idle, silent, half)]
    for _, writer in (idle, silent, half):
        writer.close()

    assert rest == [b"", b"", b""]


async def test_a_request_that_never_ends_is_waited_for_no_longer_than_said() -> None:
    app, front = App("all"), Front({})
    app.gate.clear()
    front.serve(app, "/")
    async with front.listen("127.0.0.1", 0) as port:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request("/"))
        await app.asked.wait()

    await asyncio.wait_for(front.answered(0.05), 5)
    under_way = not app.gate.is_set()
    app.gate.set()
    await front.answered()
    writer.close()

    assert under_way
