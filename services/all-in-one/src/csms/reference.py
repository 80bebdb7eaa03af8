"""`docs/configuration.md`: every key of `csms.toml`, from the settings' own types, defaults and docstrings.

python -m csms.reference > docs/configuration.md
"""

import inspect
import sys
import types
import typing
from collections.abc import Iterator
from typing import Any

import msgspec

from csms.settings import Configuration

_HEAD = """\
# csms.toml

Every setting of every service. This page is made from the code (`make docs`), and a test keeps it true.

A key of section `ws_gateway` is `[ws_gateway] key` in the file and `CSMS_WS_GATEWAY_KEY` in the environment; keys
without a section are `CSMS_KEY`. The command line wins over the environment, the environment over the file.
`CSMS_…_FILE` names a file that holds the value: for passwords and keys. Lists and tables in the environment are JSON.
A key that is not known, and a value that cannot be used, stop `csms` before it has started, with a sentence;
`csms check-config` says so without starting.

`SIGHUP` reads everything again. What takes effect at once: `[log]`, the files of `tls_certificate`, `tls_key` and
`tls_client_ca`, `[[stations]]` and `[[tags]]`. Other keys that have changed are named in the log, and wait for a
restart.
"""


def page() -> str:
    """The whole page."""
    parts = [_HEAD]
    for field in msgspec.structs.fields(Configuration):
        name = "" if field.name in ("top", "listen") else field.name
        parts += [*_section(field.type, name)]
    return "\n".join(parts)


def _section(kind: type[msgspec.Struct], name: str, title: str = "") -> Iterator[str]:
    yield f"## {title or (f'`[{name}]`' if name else _TITLES[kind.__name__])}\n"
    yield inspect.cleandoc(kind.__doc__ or "") + "\n"
    yield "| key | type | default |\n|---|---|---|"
    for field in msgspec.structs.fields(kind):
        yield f"| `{field.name}` | {_type(field.type)} | {_default(field)} |"
    yield ""
    for field in msgspec.structs.fields(kind):
        for inner in _structs(field.type):
            path = f"{name}.{field.name}" if name else field.name
            yield from _section(inner, path, f"`{_written(field.type, path)}`")


_TITLES = {"Settings": "At the top", "ListenSettings": "Listening"}


def _written(kind: Any, path: str) -> str:
    origin = typing.get_origin(kind)
    if origin in (tuple, list):
        return f"[[{path}]]"
    return f"[{path}.<name>]" if origin is dict else f"[{path}]"


def _structs(kind: Any) -> Iterator[type[msgspec.Struct]]:
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        yield kind
    for inner in typing.get_args(kind):
        yield from _structs(inner)


def _type(kind: Any) -> str:
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin is typing.Annotated:
        return _type(inner[0])
    if origin is typing.Literal:
        return " or ".join(f"`{one!r}`".replace("'", '"') for one in inner)
    if origin in (typing.Union, types.UnionType):
        return " or ".join(_type(one) for one in inner if one is not type(None))
    if origin in (tuple, list, frozenset):
        return f"list of {_type(inner[0])}"
    if origin is dict:
        return f"table of {_type(inner[1])}"
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return "table"
    return _NAMES.get(kind, getattr(kind, "__name__", str(kind)))


_NAMES: dict[Any, str] = {str: "text", bool: "true or false", int: "whole number", float: "number", Any: "any"}


def _default(field: Any) -> str:
    if field.default_factory is not msgspec.NODEFAULT:
        return _shown(field.default_factory())
    return "needed" if field.required else _shown(field.default)


def _shown(value: Any) -> str:
    if value in (None, "", (), [], {}) and value is not False and value != 0:
        return ""
    if isinstance(value, msgspec.Struct):
        return "its own"
    return "`" + msgspec.json.encode(value).decode() + "`"


if __name__ == "__main__":
    sys.stdout.write(page())
