"""A body's element ↔ the JSON shape of the same version, typed by the tables; compiled once for each message.

Lenient on input: elements are known by their local names, in any order and namespace; unknown ones are left out. What
is no integer, decimal or boolean stays text, so that the schema refuses it and names the field. Output is in wire
order.
Neither direction raises, whatever it is given.
"""

import re
from collections.abc import Callable
from functools import cache
from math import isfinite
from typing import Any
from xml.etree.ElementTree import Element

import msgspec
from msgspec import Raw

from csms_ocpp.errors import UNREADABLE
from csms_ocpp.soap.tables import Field, Service, Simple, Tables, tables
from csms_ocpp.soap.xml import escape
from csms_ocpp.version import Version

Convert = Callable[[str], Any]
Read = Callable[[Element], Any]
Write = Callable[[Any], str]

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode

_NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"
# Strangers' texts are tried on these before anybody knows who they are: possessive, so that none takes long to fail.
_INTEGER = re.compile(r"([+-]?)(?:0*+([1-9][0-9]{0,18})|0+)")
_DECIMAL = re.compile(r"[+-]?(?:[0-9]++(?:\.[0-9]*+)?|\.[0-9]++)(?:[eE][+-]?[0-9]{1,3})?")
_INTEGERS = range(-(2**63), 2**63)
_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}
_TRUE = ("true", "1")


class _Absent:
    """What an element amounts to that might as well have been left out."""


_ABSENT = _Absent()


# --- XML to JSON ------------------------------------------------------------------------------------------------------


@cache
def reader(version: Version, service: Service, message: str) -> Callable[[Element], bytes]:
    """From the element inside soap:Body, such as that of `HeartbeatRequest`, to JSON text.

    Raises `KeyError` for a message that the service has not.
    """
    known = _tables_with(version, service, message)
    read = _complex_reader(known, message)
    return lambda element: _encode(read(element))


def _tables_with(version: Version, service: Service, message: str) -> Tables:
    known = tables(version, service)
    if message.removesuffix("Request").removesuffix("Response") not in known.operations:
        raise KeyError(message)
    return known


def _complex_reader(known: Tables, type: str) -> Read:
    about = known.complex[type]
    single = {field.name: _field_reader(known, field) for field in about.fields if not (field.attribute or field.many)}
    many = {field.name: _field_reader(known, field) for field in about.fields if field.many}
    attributes = {field.name: _converter(known.simple[field.type]) for field in about.fields if field.attribute}

    def read(element: Element) -> dict[str, Any]:
        found: dict[str, Any] = {"value": _text(element)} if about.text else {}
        for key, text in element.items() if attributes else ():
            name = key.rpartition("}")[2]
            if name in attributes and (value := attributes[name](text)) != "":
                found[name] = value
        for child in element:
            # Not remembered by its tag: strangers make up namespaces, and they would never be forgotten.
            name = child.tag.rpartition("}")[2]
            if name in single:
                # Of an element that may be there once the last one counts.
                if (value := single[name](child)) is not _ABSENT:
                    found[name] = value
            elif name in many and (value := many[name](child)) is not _ABSENT:
                found.setdefault(name, []).append(value)
        return found

    return read


def _field_reader(known: Tables, field: Field) -> Read:
    if field.type in known.complex:
        return _or_nil(_parts_reader(known, field))
    simple = known.simple[field.type]
    convert, is_text = _converter(simple), simple.base == "string" and not simple.values
    if is_text:
        return _or_nil(lambda element: convert(_text(element)))

    def read(element: Element) -> Any:
        text = _text(element).strip()
        return convert(text) if text or field.required else _ABSENT

    return _or_nil(read)


def _parts_reader(known: Tables, field: Field) -> Read:
    read = _complex_reader(known, field.type)
    if field.required or not any(part.required for part in known.fields(field.type)):
        return read
    # Without what it must have it tells as much as if it were not there, unless something else stands in its place.
    return lambda element: read(element) if len(element) or _text(element).strip() else _ABSENT


def _or_nil(read: Read) -> Read:
    def unless_nil(element: Element) -> Any:
        if element.attrib and element.get(_NIL, "").strip() in _TRUE:
            return _ABSENT
        return read(element)

    return unless_nil


def _text(element: Element) -> str:
    text = element.text or ""
    return text + "".join(child.tail or "" for child in element) if len(element) else text


def _converter(simple: Simple) -> Convert:
    if simple.name == "IdToken":
        return _token
    if simple.values:
        return str.strip
    return _CONVERTERS[simple.base]


def _token(text: str) -> str:
    # Nobody's card begins with a line break: that is a writer who prints prettily.
    if not _breaks(text):
        return text
    bare = text.lstrip()
    if _breaks(text[: len(text) - len(bare)]):
        text = bare
    bare = text.rstrip()
    return bare if _breaks(text[len(bare) :]) else text


def _breaks(space: str) -> bool:
    return "\n" in space or "\r" in space


def _integer(text: str) -> int | str:
    if not (found := _INTEGER.fullmatch(text)):
        return text
    number = int(found[1] + (found[2] or "0"))
    return number if number in _INTEGERS else text


def _decimal(text: str) -> float | str:
    if not _DECIMAL.fullmatch(text):
        return text
    number = float(text)
    return number if isfinite(number) else text


def _boolean(text: str) -> bool | str:
    return _BOOLEANS.get(text.lower(), text)


_CONVERTERS: dict[str, Convert] = {
    "string": str,
    "int": _integer,
    "decimal": _decimal,
    "boolean": _boolean,
    "dateTime": str.strip,
    "anyURI": str.strip,
}


# --- JSON to XML ------------------------------------------------------------------------------------------------------


@cache
def writer(version: Version, service: Service, message: str) -> Callable[[bytes | Raw], str]:
    """From JSON text to the element inside soap:Body, which declares the service's namespace as its default.

    Properties that the message has not are left out, and so is what no element of that type could hold. Raises
    `KeyError` for a message that the service has not.
    """
    known = _tables_with(version, service, message)
    write = _parts_writer(known, message)
    tag = message[0].lower() + message[1:]
    opening = f'{tag} xmlns="{known.namespace}"'

    def write_body(payload: bytes | Raw) -> str:
        try:
            inner = write(_decode(payload))
        except UNREADABLE:
            inner = ""
        return f"<{opening}>{inner}</{tag}>" if inner else f"<{opening}/>"

    return write_body


def _parts_writer(known: Tables, type: str) -> Write:
    about = known.complex[type]
    parts = [(field.name, field.many, _element_writer(known, field)) for field in about.fields if not field.attribute]

    def write(value: Any) -> str:
        if not isinstance(value, dict):
            return ""
        pieces: list[str] = []
        for name, many, element in parts:
            item = value.get(name)
            if item is None:
                continue
            if many and isinstance(item, list):
                pieces += map(element, item)
            else:
                pieces.append(element(item))
        return "".join(pieces)

    return write


def _element_writer(known: Tables, field: Field) -> Write:
    name = field.name
    if field.type in known.simple:
        printed = _printer(known.simple[field.type])
        return lambda value: f"<{name}>{printed(value)}</{name}>"
    if known.complex[field.type].text:
        return _text_writer(known, field)
    inner = _parts_writer(known, field.type)
    return lambda value: f"<{name}>{inner(value)}</{name}>"


def _text_writer(known: Tables, field: Field) -> Write:
    """An element with attributes and a text, which is called `value` in JSON."""
    name, about = field.name, known.complex[field.type]
    attributes = [part.name for part in about.fields if part.attribute]

    def write(value: Any) -> str:
        told = value if isinstance(value, dict) else {"value": value}
        given = "".join(
            f' {name}="{_quoted(_printed(told[name]))}"' for name in attributes if told.get(name) is not None
        )
        return f"<{name}{given}>{_printed(told.get('value'))}</{name}>"

    return write


def _quoted(text: str) -> str:
    # XML 1.0 §3.3.3: a parser makes spaces of them unless they are references.
    return text.replace("\t", "&#9;").replace("\n", "&#10;")


def _printer(simple: Simple) -> Write:
    digits = simple.digits
    if digits is None:
        return _printed

    def written(value: Any) -> str:
        if isinstance(value, float):
            return f"{value:.{digits}f}"
        # Not by way of a float, which holds no integer that is too long.
        return f"{value}.{'0' * digits}" if type(value) is int else _printed(value)

    return written


def _printed(value: Any) -> str:
    if isinstance(value, str):
        return escape(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return ""
    return str(value) if isinstance(value, int | float) else escape(_encode(value).decode("utf-8", "replace"))
