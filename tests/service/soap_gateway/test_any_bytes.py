"""Whatever is posted gets an answer, and never a traceback."""

import asyncio
import http.client

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.service.soap_gateway.world import BOOT, HEARTBEAT, open_world
from tests.support.soap import CONTENT_TYPE, SOAP, Answered, envelope

GOOD = [envelope("1.6", "CS-1", HEARTBEAT).encode(), envelope("1.5", "CS-1", BOOT, message_id="urn:uuid:1").encode()]
PIECES = [
    b"<",
    b">",
    b"&",
    b"\0",
    b"]]>",
    b"<!--",
    b"<!DOCTYPE a [",
    b"&#0;",
    b"\xff\xfe",
    SOAP.encode(),
    b"xmlns:",
    b"/",
]


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A good envelope with some of it cut out or replaced."""
    body = draw(st.sampled_from(GOOD))
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(body)))
        end = draw(st.integers(start, min(len(body), start + 40)))
        body = body[:start] + draw(st.sampled_from(PIECES) | st.binary(max_size=5)) + body[end:]
    return body


BODIES = st.lists(st.binary(max_size=300) | mutated(), min_size=250, max_size=250)
HEADERS = st.fixed_dictionaries(
    {"Content-Type": st.sampled_from([CONTENT_TYPE, "text/xml; charset=utf-16", "text/xml; charset=nonsense"])},
    optional={"Content-Encoding": st.sampled_from(["gzip", "deflate"]), "Authorization": st.just("Basic !")},
)


@settings(max_examples=3, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(BODIES, HEADERS)
def test_any_body_gets_an_answer_or_a_fault(bodies: list[bytes], headers: dict[str, str]) -> None:
    answers = asyncio.run(_posted(bodies, headers))

    for answered in answers:
        assert answered.headers["content-type"] == CONTENT_TYPE
        assert answered.status == 200 or (400 <= answered.status < 600 and answered.body.tag == f"{{{SOAP}}}Fault")
        assert b"Traceback" not in answered.text


async def _posted(bodies: list[bytes], headers: dict[str, str]) -> list[Answered]:
    async with open_world() as world:
        return await asyncio.to_thread(_post_all, world.port, bodies, headers)


def _post_all(port: int, bodies: list[bytes], headers: dict[str, str]) -> list[Answered]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    answers = []
    for body in bodies:
        connection.request("POST", "/Ocpp", body, headers)
        response = connection.getresponse()
        answers.append(Answered(response.status, dict(response.getheaders()), response.read()))
    connection.close()
    return answers
