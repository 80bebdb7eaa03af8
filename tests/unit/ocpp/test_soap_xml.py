"""Bytes from strangers become a tree or a sentence, in bounded time and memory, and nothing outside is asked."""

import socket
import time
import tracemalloc
from collections.abc import Callable
from xml.etree.ElementTree import Element, tostring

import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from csms_ocpp.soap.xml import MAX_DEPTH, escape, parse

NO_DOCTYPE = "Document type declarations are not accepted."
MALFORMED = "The body is not well-formed XML"

LAUGHS = (
    '<!DOCTYPE a [<!ENTITY l0 "lol">'
    + "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    + "]><a>&l9;</a>"
)
BLOW_UP = f'<!DOCTYPE a [<!ENTITY x "{"x" * 50_000}">]><a>{"&x;" * 50_000}</a>'


def text_of(body: bytes, charset: str = "") -> str | None:
    root = parse(body, charset)
    assert isinstance(root, Element), root
    return root.text


def test_elements_attributes_and_namespaces_are_read():
    root = parse(b'<?xml version="1.0"?>\n<!-- hello --><?go on?><e:a xmlns:e="urn:e" b="c">d<!-- x --></e:a>\n')

    assert isinstance(root, Element)
    assert (root.tag, root.attrib, root.text) == ("{urn:e}a", {"b": "c"}, "d")


@pytest.mark.parametrize(
    "document",
    [
        LAUGHS,
        BLOW_UP,
        '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
        '<!DOCTYPE a [<!ENTITY x SYSTEM "http://127.0.0.1:9/x">]><a>&x;</a>',
        '<!DOCTYPE a SYSTEM "http://127.0.0.1:9/a.dtd"><a/>',
        '<!DOCTYPE a PUBLIC "-//A//B" "file:///etc/passwd"><a/>',
        '<!DOCTYPE a [<!ENTITY % p SYSTEM "file:///etc/passwd"> %p;]><a/>',
        "<!DOCTYPE a><a/>",
        '<?xml version="1.0"?>\n<!-- <a> --> <?p <a/> ?>\n<!DOCTYPE a><a/>',
        "<!-- > --><!-- <a> --><!DOCTYPE a><a/>",
    ],
    ids=lambda document: document[:40],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_a_document_type_is_refused_in_any_encoding(document, encoding):
    answer = parse(document.encode(encoding))

    assert answer == NO_DOCTYPE


def test_a_document_type_in_utf_16_is_not_hidden_by_a_charset_that_says_otherwise():
    answer = parse("<!DOCTYPE a><a/>".encode("utf-16"), "utf-8")

    assert answer == NO_DOCTYPE


def test_a_document_type_where_none_may_be_is_malformed():
    answers = [parse(b"<a><!DOCTYPE b></a>"), parse(b"<a/><!DOCTYPE b>"), parse(b"text <!DOCTYPE a><a/>")]

    assert [str(answer).startswith(MALFORMED) for answer in answers] == [True] * 3


def test_a_document_type_in_text_is_text():
    assert text_of(b"<a><![CDATA[<!DOCTYPE b [<!ENTITY c 'd'>]>&c;]]></a>") == "<!DOCTYPE b [<!ENTITY c 'd'>]>&c;"


def test_entities_that_nobody_declared_are_malformed_and_xmls_own_are_text():
    assert parse(b"<a>&nbsp;</a>") == f"{MALFORMED}: undefined entity."
    assert text_of(b"<a>&lt;&amp;&gt;&quot;&apos;&#65;&#x42;</a>") == "<&>\"'AB"


@pytest.mark.parametrize(
    ("body", "charset"),
    [
        ("<a>é</a>".encode(), ""),
        ("<a>é</a>".encode(), "us-ascii"),
        ("<a>é</a>".encode("utf-8-sig"), ""),
        ("<a>é</a>".encode("utf-8-sig"), "iso-8859-1"),
        ("<a>é</a>".encode("utf-16"), ""),
        ("<a>é</a>".encode("utf-16-le"), "utf-16"),
        ("<a>é</a>".encode("utf-16-be"), "UTF-16BE"),
        ("<a>é</a>".encode("iso-8859-1"), "ISO-8859-1"),
        ("<a>é</a>".encode("windows-1252"), "Windows-1252"),
        ('<?xml version="1.0" encoding="UTF-8"?><a>é</a>'.encode(), ""),
        ("<?xml version='1.0' encoding='iso-8859-1' standalone='yes'?><a>é</a>".encode("iso-8859-1"), ""),
        ('<?xml version="1.0" encoding="utf-8"?><a>é</a>'.encode("iso-8859-1"), "iso-8859-1"),
        ('<?xml version="1.0" encoding="utf-8"?><a>é</a>'.encode("utf-16"), ""),
        ('<?xml version="1.0" encoding="utf-16"?><a>é</a>'.encode(), ""),
        ('<?xml version="1.0" encoding="utf-8"?><a>é</a>'.encode(), "unheard-of"),
    ],
)
def test_the_encodings_that_are_known_are_read(body, charset):
    assert text_of(body, charset) == "é"


@pytest.mark.parametrize("encoding", ["UTF-7", "EBCDIC-CP-US", "UTF-32", "x", "", "utf-8\0", "é", "A" * 100_000])
def test_other_encodings_are_refused(encoding):
    answer = parse(f'<?xml version="1.0" encoding="{encoding}"?><a/>'.encode())

    assert answer == "The body's encoding is none of UTF-8, UTF-16, US-ASCII, ISO-8859-1 and windows-1252."


def test_bytes_that_are_not_what_they_are_called_are_refused():
    answers = [
        parse(b"<a>\xe9</a>"),
        parse(b"<a>\x81</a>", "windows-1252"),
        parse(b"\xff\xfe<\0a\0/\0>\0\0"),
        parse(b"<a>\xed\xa0\x80</a>"),
    ]

    assert answers == [
        f"{MALFORMED}: not well-formed (invalid token).",
        "The body is not WINDOWS-1252.",
        "The body is not UTF-16.",
        f"{MALFORMED}: not well-formed (invalid token).",
    ]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"\0",
        b"{}",
        b"<",
        b"<a",
        b"<a>",
        b"<a></b>",
        b"<a/><b/>",
        b"<a>\0</a>",
        b"<a\0/>",
        b"<a>&#0;</a>",
        b"<a>&#xD800;</a>",
        b"<a b='c' b='d'/>",
        b"<a>\x0b</a>",
        b"<x:a/>",
        b"<!--",
        b"<?xml",
        b"<![CDATA[a]]>",
        b"\xef\xbb\xbf",
        b"\xff\xfe",
        b"\xff\xfe\0\0<\0\0\0a\0\0\0/\0\0\0>\0\0\0",
    ],
)
def test_what_is_not_well_formed_is_a_sentence(body):
    answer = parse(body)

    assert isinstance(answer, str)
    assert answer.startswith(MALFORMED)
    assert answer.endswith(".")


def test_every_truncation_of_a_document_is_a_sentence():
    document = b'<?xml version="1.0" encoding="UTF-8"?><!-- a --><e:a xmlns:e="urn:e" b="c"><e:d>&amp;</e:d></e:a>'

    answers = [parse(document[:length]) for length in range(len(document))]

    assert [answer for answer in answers if not isinstance(answer, str)] == []


def test_the_depth_is_limited():
    allowed = parse(b"<a>" * MAX_DEPTH + b"</a>" * MAX_DEPTH)
    refused = parse(b"<a>" * (MAX_DEPTH + 1) + b"</a>" * (MAX_DEPTH + 1))

    assert isinstance(allowed, Element)
    assert refused == f"The body nests deeper than {MAX_DEPTH} levels."


def test_nothing_is_asked_of_the_network():
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.05)
        url = f"http://127.0.0.1:{server.getsockname()[1]}/x"
        include = f'<i:include xmlns:i="http://www.w3.org/2001/XInclude" href="{url}"/>'

        parse(f'<!DOCTYPE a SYSTEM "{url}"><a/>'.encode())
        parse(f'<?xml-stylesheet href="{url}"?><a>{include}</a>'.encode())

        with pytest.raises(TimeoutError):
            server.accept()


HOSTILE: dict[str, Callable[[], bytes]] = {
    "entities that grow": lambda: LAUGHS.encode(),
    "one entity many times": lambda: BLOW_UP.encode(),
    "depth": lambda: b"<a>" * 300_000,
    "depth, closed": lambda: b"<a>" * 140_000 + b"</a>" * 140_000,
    "many elements": lambda: b"<a>" + b"<b/>" * 250_000 + b"</a>",
    "many attributes": lambda: b"<a %b/>" % b" ".join(b'a%d=""' % n for n in range(80_000)),
    "many qualified attributes": lambda: b"<a xmlns:x='u' %b/>" % b" ".join(b'x:a%d=""' % n for n in range(70_000)),
    "many namespaces": lambda: b"<a %b/>" % b" ".join(b'xmlns:a%d="u"' % n for n in range(50_000)),
    "many comments before": lambda: b"<!-- -->" * 120_000 + b"<",
    "many openings before": lambda: b"<!--" * 250_000,
    "many spaces before": lambda: b" " * 1_000_000 + b"x",
    "a long name": lambda: b"<%b/>" % (b"a" * 1_000_000),
    "a long declaration": lambda: b"<?xml " + b" encoding" * 110_000,
}


@pytest.mark.parametrize("make", HOSTILE.values(), ids=HOSTILE)
def test_a_megabyte_of_malice_costs_little(make):
    body = make()

    began = time.process_time()
    parse(body)
    seconds = time.process_time() - began
    tracemalloc.start()
    parse(body)
    _, peak = tracemalloc.get_traced_memory()  # expat's memory is Python's, and counted
    tracemalloc.stop()

    assert seconds < 2
    assert peak < 100_000_000


def test_names_that_strangers_make_up_are_not_remembered():
    process = psutil.Process()

    def name_everything_anew(turn: int) -> None:
        parse(b"<a>" + b"".join(b"<x%d_%d a%d_%d=''/>" % (turn, n, turn, n) for n in range(10_000)) + b"</a>")

    for turn in range(5):
        name_everything_anew(turn)
    before = process.memory_info().rss
    for turn in range(5, 45):
        name_everything_anew(turn)

    assert process.memory_info().rss - before < 8_000_000  # a parser that kept the names would have grown by some 20 MB


@given(st.binary(max_size=300), st.sampled_from(["", "utf-8", "utf-16", "iso-8859-1", "windows-1252", "x"]))
@settings(derandomize=True, deadline=None, max_examples=500)
def test_any_bytes_are_a_tree_or_a_sentence(body, charset):
    answer = parse(body, charset)

    assert isinstance(answer, str | Element)


@given(st.text(st.characters(exclude_categories=[]), max_size=60))
@settings(derandomize=True, deadline=None, max_examples=300)
def test_whatever_is_escaped_can_be_read_again(text):
    root = parse(f'<a b="{escape(text)}">{escape(text)}</a>'.encode())

    assert isinstance(root, Element)
    assert tostring(root, "unicode")
    expected = "".join(c if escape(c) != "\ufffd" else "\ufffd" for c in text)
    assert (root.text or "") == expected
