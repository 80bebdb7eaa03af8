"""Bytes to an element tree, hardened; and text to what may stand between two tags.

The parser is expat, behind `xml.etree.ElementTree`: libxml2 under lxml keeps every name it has ever seen for as long as
the process lives, so that a stranger's messages with made-up names would fill the memory.

    Rule 1  Bytes are made UTF-8 here, by a short list of encodings; the parser never chooses one.
    Rule 2  The parser is given the root element only, never what stands before it: no document type, and so no
            entities, no external files, no expansion, whatever its settings are.
    Rule 3  The size of a body is the caller's to limit; depth is limited here.
"""

import re
from xml.etree.ElementTree import Element, ParseError, XMLParser
from xml.parsers.expat import ErrorString

MAX_DEPTH = 32  # SOAP and WS-Addressing need four levels, the deepest OCPP-S body seven

_BEFORE_ROOT = re.compile(rb"(?>[ \t\r\n]+|<!--.*?-->|<\?.*?\?>)*+", re.DOTALL)
_DECLARED = re.compile(rb"\s*<\?xml\s[^>]*?\sencoding\s*=\s*[\"']([^\"'>]*)[\"']")
_DOCTYPE = b"<!DOCTYPE"
_UTF8_BOM = b"\xef\xbb\xbf"
_UTF16_BEGINS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16", b"<\0": "utf-16-le", b"\0<": "utf-16-be"}

_ENCODINGS = {
    "utf-8": "utf-8",
    "utf8": "utf-8",
    "us-ascii": "utf-8",
    "ascii": "utf-8",
    "iso-8859-1": "iso-8859-1",
    "latin1": "iso-8859-1",
    "windows-1252": "windows-1252",
    "cp1252": "windows-1252",
    # Writers that made a string first declare UTF-16 in what they send as UTF-8. Real UTF-16 is known by its bytes.
    "utf-16": "utf-8",
    "utf-16le": "utf-8",
    "utf-16be": "utf-8",
}

# XML 1.0 §2.2 Char: everything else cannot be written at all, not even as a reference.
_UNSAFE = re.compile('[&<>"\r\0-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]')
_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\r": "&#13;"}


def parse(body: bytes, charset: str = "") -> Element | str:
    """The root element, or a sentence that says why there is none. Never raises, whatever the bytes are.

    `charset` is the parameter of the HTTP header Content-Type, "" without one. Comments and processing instructions
    are left out of the tree.
    """
    text = _utf8(body, charset)
    if isinstance(text, str):
        return text
    before = _BEFORE_ROOT.match(text)
    root = text[before.end() :] if before else text
    if root[: len(_DOCTYPE)].upper() == _DOCTYPE:
        return "Document type declarations are not accepted."
    parser = XMLParser(encoding="utf-8")
    try:
        parser.feed(root)
        element: Element = parser.close()
    except ParseError as error:
        return f"The body is not well-formed XML: {ErrorString(error.code)}."
    return f"The body nests deeper than {MAX_DEPTH} levels." if _nests_deeply(element) else element


def _utf8(body: bytes, charset: str) -> bytes | str:
    """The body in UTF-8, not yet checked when it came so; or why it cannot be had."""
    if body.startswith(_UTF8_BOM):
        return body[len(_UTF8_BOM) :]
    encoding = _UTF16_BEGINS.get(body[:2]) or _encoding(body, charset)
    if encoding == "utf-8":
        return body
    if encoding is None:
        return "The body's encoding is none of UTF-8, UTF-16, US-ASCII, ISO-8859-1 and windows-1252."
    try:
        return body.decode(encoding).encode()
    except UnicodeError:
        return f"The body is not {encoding.upper()}."


def _encoding(body: bytes, charset: str) -> str | None:
    # RFC 7303 §3: "If an XML MIME entity is received where the charset parameter … is present, it is authoritative",
    # but for a byte order mark, which was looked for first.
    if told := _ENCODINGS.get(charset.lower()):
        return told
    declared = _DECLARED.match(body)
    return _ENCODINGS.get(declared[1].decode("latin-1").lower()) if declared else "utf-8"


def _nests_deeply(root: Element) -> bool:
    level = [root]
    for _ in range(MAX_DEPTH):
        level = [child for element in level for child in element]
        if not level:
            return False
    return True


def escape(text: str) -> str:
    """`text` as it may stand between tags or in a quoted attribute; characters that XML lacks become U+FFFD."""
    return _UNSAFE.sub(lambda found: _ESCAPES.get(found[0], "\ufffd"), text) if _UNSAFE.search(text) else text
