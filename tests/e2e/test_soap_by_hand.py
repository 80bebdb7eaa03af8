"""Bodies as odd as real stations write them, posted by `http.client` to both deployments: all mean the same call."""

import gzip
import zlib

import pytest

from tests.support.foreign import identity
from tests.support.soap import CENTRAL, SOAP, Answered, PlainStation, envelope, post
from tests.support.system import System

WHEN = "2026-03-01T10:00:00Z"
VERSIONS = ("1.5", "1.6")


@pytest.fixture(params=VERSIONS)
def station(request: pytest.FixtureRequest, soap_system: System) -> PlainStation:
    """Has booted, at the last gateway."""
    made = PlainStation(soap_system.soaps[-1].soap, identity("odd"), request.param)
    assert made.boot().status == 200
    return made


def start(station: PlainStation, body: str) -> str:
    return envelope(station.version, station.identity, body)


def _odd_prefixes(station: PlainStation) -> bytes:
    return (
        f"<_ø:Envelope xmlns:_ø='{SOAP}'><_ø:Header>"
        f"<ns.1-x:chargeBoxIdentity xmlns:ns.1-x='{CENTRAL[station.version]}'>"
        f"{station.identity}</ns.1-x:chargeBoxIdentity></_ø:Header><_ø:Body>"
        f"<startTransactionRequest xmlns='{CENTRAL[station.version]}'><connectorId>1</connectorId><idTag>TAG</idTag>"
        f"<timestamp>{WHEN}</timestamp><meterStart>5</meterStart></startTransactionRequest></_ø:Body></_ø:Envelope>"
    ).encode()


def _comments_cdata_and_space(station: PlainStation) -> bytes:
    return start(
        station,
        f"""
        <!-- a --><cs:startTransactionRequest  >
            <!-- b --><cs:connectorId> 1<!-- c -->
            </cs:connectorId><?pi x?>
            <cs:idTag><![CDATA[T]]>A<!-- d --><![CDATA[G]]></cs:idTag>
            <cs:timestamp>\t{WHEN}\n</cs:timestamp><cs:meterStart>+005</cs:meterStart>
        </cs:startTransactionRequest>
        """,
    ).encode()


def _other_order_and_unknown_elements(station: PlainStation) -> bytes:
    return start(
        station,
        f"<cs:startTransactionRequest vendor='x'><cs:meterStart>5</cs:meterStart><cs:shoeSize>44</cs:shoeSize>"
        f"<cs:timestamp>{WHEN}</cs:timestamp><cs:idTag>TAG</cs:idTag><cs:connectorId>1</cs:connectorId>"
        f"</cs:startTransactionRequest>",
    ).encode()


PLAIN = (
    f"<cs:startTransactionRequest><cs:connectorId>1</cs:connectorId><cs:idTag>TAG</cs:idTag>"
    f"<cs:timestamp>{WHEN}</cs:timestamp><cs:meterStart>5</cs:meterStart></cs:startTransactionRequest>"
)


def _utf_16(station: PlainStation) -> bytes:
    return start(station, PLAIN).replace('encoding="UTF-8"', 'encoding="UTF-16"').encode("utf-16")


def _without_declaration(station: PlainStation) -> bytes:
    return start(station, PLAIN).partition("?>")[2].encode()


def _latin_1(station: PlainStation) -> bytes:
    text = start(station, PLAIN.replace("<cs:connectorId>", "<!-- ü --><cs:connectorId>"))
    return text.replace('encoding="UTF-8"', 'encoding="ISO-8859-1"').encode("latin-1")


def _stale_action(station: PlainStation) -> bytes:
    return envelope(station.version, station.identity, PLAIN, action="/BootNotification", message_id="12").encode()


@pytest.mark.parametrize(
    "written",
    [
        _odd_prefixes,
        _comments_cdata_and_space,
        _other_order_and_unknown_elements,
        _utf_16,
        _without_declaration,
        _latin_1,
        _stale_action,
    ],
)
def test_however_it_is_written_it_starts_a_transaction(station: PlainStation, written: object) -> None:
    body = written(station)  # type: ignore[operator]

    _started(post(station.url, body, headers={"Content-Type": "application/soap+xml"}))


@pytest.mark.parametrize("coding", ["gzip", "deflate", "raw deflate"])
def test_compressed_bodies_are_understood(station: PlainStation, coding: str) -> None:
    body = start(station, PLAIN).encode()
    squeeze = zlib.compressobj(wbits=-15)
    packed = {
        "gzip": gzip.compress(body),
        "deflate": zlib.compress(body),
        "raw deflate": squeeze.compress(body) + squeeze.flush(),
    }[coding]

    _started(post(station.url, packed, headers={"Content-Encoding": coding.removeprefix("raw ")}))


def test_chunks_other_paths_other_types_and_closing_are_understood(station: PlainStation) -> None:
    body = start(station, PLAIN)
    other = station.url.removesuffix("/Ocpp")

    _started(post(station.url, body, chunked=True))
    _started(post(f"{other}/ocPP/CentralSystemService/2", body, headers={"SOAPAction": '"/Heartbeat"'}))
    _started(post(station.url, body, headers={"Content-Type": "text/xml", "Connection": "close"}))


def test_the_answer_relates_to_the_question(station: PlainStation) -> None:
    text = envelope(station.version, station.identity, "<cs:heartbeatRequest/>", message_id=" urn:uuid:My-Own ")

    answered = post(station.url, text)

    assert (answered.status, answered.headers["content-type"]) == (200, "application/soap+xml; charset=utf-8")
    assert answered.body.tag == f"{{{CENTRAL[station.version]}}}heartbeatResponse"
    assert (answered.header("RelatesTo"), answered.header("Action")) == ("urn:uuid:My-Own", "/HeartbeatResponse")
    assert answered.header("MessageID")


def test_a_repeated_start_gets_the_same_transaction(station: PlainStation) -> None:
    body = envelope(station.version, station.identity, PLAIN, message_id="urn:uuid:repeated")

    first, again = post(station.url, body), post(station.url, body)

    _started(first)
    assert again.text_of("transactionId") == first.text_of("transactionId")


def _started(answered: Answered) -> None:
    assert (answered.status, answered.text_of("idTagInfo/status")) == (200, "Accepted"), answered.text
    assert int(answered.text_of("transactionId") or 0) > 0
