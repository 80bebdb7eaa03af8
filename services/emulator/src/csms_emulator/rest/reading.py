"""Reads what clients send: query parameters and JSON bodies. What is wrong is 400 in a sentence."""

from typing import Any, TypeVar

import msgspec
from starlette.requests import Request

from csms_emulator.rest.errors import ApiError

MOST_BYTES = 1024 * 1024
MOST = 1000
USUAL = 100
T = TypeVar("T")


async def body(request: Request, decoder: "msgspec.json.Decoder[T]") -> T:
    """The body, decoded; an empty one stands for `{}`. A struct may not have other fields than its own."""
    text = await _bytes(request) or b"{}"
    try:
        found = decoder.decode(text)
        given = msgspec.json.decode(text, type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeError) as error:
        raise ApiError(400, f"Invalid request: {str(error).rstrip('.')}.") from None
    except RecursionError:
        raise ApiError(400, "Invalid request: the JSON is nested too deeply.") from None
    if unknown := sorted(given.keys() - _fields(found)):
        raise ApiError(400, f"Invalid request: there is no field {unknown[0]!r} here.", field=unknown[0])
    return found


async def _bytes(request: Request) -> bytes:
    read = b""
    async for chunk in request.stream():
        read += chunk
        if len(read) > MOST_BYTES:
            raise ApiError(413, f"The request's body is larger than {MOST_BYTES} bytes.")
    return read


def _fields(found: Any) -> set[str]:
    tag = found.__struct_config__.tag_field
    return {*found.__struct_fields__, *([tag] if tag else [])}


def limit(request: Request, most: int = MOST, usual: int = USUAL) -> int:
    """How many are wanted at most."""
    text = request.query_params.get("limit", str(usual))
    if not (text.isascii() and text.isdecimal() and 1 <= int(text[:5]) <= most):
        raise ApiError(400, f"Invalid request: limit: must be a number from 1 to {most}.", field="limit")
    return int(text[:5])
