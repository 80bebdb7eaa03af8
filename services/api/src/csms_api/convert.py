"""Payloads from forms and query strings: names become places, texts the types that the action's schema asks for. Pure.

A text that does not fit its type stays a text: the schema's check then says which field is wrong, and why.

    BadName    a name that says no place, or two names that contradict each other
"""

import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

Schema = Mapping[str, Any]
Tree = dict[str, Any]  # name → the texts given under it (a list), or another tree

_NAME = re.compile(r"([^.\[\]]+)((?:\.[^.\[\]]+|\[[^.\[\]]*\])*)")
_STEP = re.compile(r"\.([^.\[\]]+)|\[([^.\[\]]*)\]")
_DEEPEST = 12
_INTEGER = re.compile(r"-?[0-9]{1,18}")
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}


class BadName(ValueError):  # noqa: N818 - the client's, not ours
    """The text is a sentence for the client."""


def payload(pairs: Iterable[tuple[str, str]], schema: Schema) -> bytes:
    """The JSON object that `pairs` of names and texts describe, for a request with this schema. Raises `BadName`.

    `a.b`, `a[b]` and `a[0][b]` are places inside objects and arrays; `a[]`, or `a` several times, are an array's items.
    An object or array may also be given as JSON text under its name.
    """
    tree: Tree = {}
    for name, text in pairs:
        _plant(tree, name, text)
    return msgspec.json.encode(_Types(schema).object(tree, schema))


def _plant(tree: Tree, name: str, text: str) -> None:
    steps = _steps(name)
    for step in steps[:-1]:
        tree = tree.setdefault(step, {})
        if not isinstance(tree, dict):
            raise BadName(f"{name}: {step} is given both as a value and by its parts.")
    texts = tree.setdefault(steps[-1], [])
    if not isinstance(texts, list):
        raise BadName(f"{name}: it is given both as a value and by its parts.")
    texts.append(text)


def _steps(name: str) -> list[str]:
    found = _NAME.fullmatch(name)
    if found is None:
        raise BadName(f"{name[:100]!r} is no field's name; use name, name.part, name[part] or name[0][part].")
    steps = [found[1], *(dotted or inside for dotted, inside in _STEP.findall(found[2]))]
    if steps[-1] == "":
        steps.pop()  # a[]=x: another item of a
    if "" in steps:
        raise BadName(f"{name[:100]}: [] may only stand at the end.")
    if len(steps) > _DEEPEST:
        raise BadName(f"{name[:100]}: more than {_DEEPEST} levels.")
    return steps


class _Types:
    """Converts by the schemas of one document, whose `definitions` its references name."""

    def __init__(self, document: Schema) -> None:
        self._definitions: Mapping[str, Schema] = document.get("definitions", {})

    def object(self, tree: Tree, schema: Schema) -> dict[str, Any]:
        properties = self._resolve(schema).get("properties", {})
        return {name: self._node(node, properties.get(name, {})) for name, node in tree.items()}

    def _node(self, node: Any, schema: Schema) -> Any:
        schema = self._resolve(schema)
        if schema.get("type") == "array":
            return self._array(node, schema.get("items", {}))
        if isinstance(node, dict):
            return self.object(node, schema)
        return self._text(node[0], schema) if len(node) == 1 else node

    def _array(self, node: Any, items: Schema) -> Any:
        if isinstance(node, dict):
            if not all(key.isdecimal() for key in node):
                return self.object(node, {})
            return [self._node(node[key], items) for key in sorted(node, key=lambda key: (len(key), key))]
        if len(node) == 1 and (value := _json(node[0], list)) is not None:
            return value
        return [self._node([text], items) for text in node]

    def _text(self, text: str, schema: Schema) -> Any:
        kind = schema.get("type")
        if kind == "integer" or kind == "number":
            return _number(text, whole=kind == "integer")
        if kind == "boolean":
            return _BOOLEANS.get(text.lower(), text)
        if kind == "object":
            value = _json(text, dict)
            return text if value is None else value
        return text

    def _resolve(self, schema: Schema) -> Schema:
        reference = schema.get("$ref")
        return self._definitions[reference.rpartition("/")[2]] if reference else schema


def _number(text: str, *, whole: bool) -> int | float | str:
    if _INTEGER.fullmatch(text):
        return int(text)
    if not whole and _NUMBER.fullmatch(text) and math.isfinite(value := float(text)):
        return value
    return text


def _json(text: str, kind: type) -> Any:
    try:
        value = msgspec.json.decode(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, kind) else None
