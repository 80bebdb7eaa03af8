"""YAML as scenarios need it: 1.2's few words for values, no key twice, and the line of everything.

`on`, `off`, `no` and dates are texts, 04112233 is no octal number, and nothing in a file is ever an object of Python.
"""

import re
from pathlib import Path
from typing import Any

import yaml

Place = tuple[str | int, ...]  # keys and positions from the top of the document on


class YamlError(ValueError):
    """It is no such YAML; `line` counts from 1."""

    def __init__(self, reason: str, line: int) -> None:
        super().__init__(reason)
        self.line = line


class _Loader(yaml.SafeLoader):
    """One that knows no other words than these."""


_TAG = "tag:yaml.org,2002:"
_KNOWN = ("map", "seq", "str", "bool", "null", "int", "float")
_Loader.yaml_implicit_resolvers = {}
# YAML 1.2 §10.2.2, the JSON schema.
for _word, _pattern, _first in (
    ("bool", r"true|false", "tf"),
    ("null", r"null|~|", ["n", "~", ""]),
    ("int", r"-?(?:0|[1-9][0-9]*)", "-0123456789"),
    ("float", r"-?(?:0|[1-9][0-9]*)\.[0-9]+", "-0123456789"),
):
    _Loader.add_implicit_resolver(_TAG + _word, re.compile(f"(?:{_pattern})$"), list(_first))


def read(file: Path) -> tuple[Any, dict[Place, int]]:
    """The document, and the line of every mapping, list and value in it. Raises `YamlError`."""
    try:
        loader = _Loader(file.read_text(encoding="utf-8-sig"))
        node = loader.get_single_node()
        lines: dict[Place, int] = {}
        return (None if node is None else _value(loader, node, (), lines)), lines
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        raise YamlError(f"not YAML: {error.problem}", mark.line + 1 if mark else 1) from None
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise YamlError(f"not YAML: {error}", 1) from None


def _value(loader: _Loader, node: yaml.Node, place: Place, lines: dict[Place, int]) -> Any:
    lines[place] = node.start_mark.line + 1
    if not node.tag.startswith(_TAG) or node.tag.removeprefix(_TAG) not in _KNOWN:
        raise YamlError(f"{node.tag} is not understood", node.start_mark.line + 1)
    if isinstance(node, yaml.SequenceNode):
        return [_value(loader, one, (*place, n), lines) for n, one in enumerate(node.value)]
    if not isinstance(node, yaml.MappingNode):
        return loader.construct_object(node)
    found: dict[str, Any] = {}
    for key_node, one in node.value:
        key = str(loader.construct_scalar(key_node)) if isinstance(key_node, yaml.ScalarNode) else ""
        if not key or key in found:
            raise YamlError(f"{key} is there twice" if key else "a key is a word", key_node.start_mark.line + 1)
        found[key] = _value(loader, one, (*place, key), lines)
    return found
