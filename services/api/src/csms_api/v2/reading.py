"""Reads what clients send to `/api/v2`: query parameters and JSON bodies. What is wrong is 400 in a sentence."""

from collections.abc import Callable
from typing import TypeVar

import msgspec
from starlette.requests import Request

from csms_api.errors import ApiError
from csms_api.listing import milliseconds
from csms_platform import times

MOST = 1000
USUAL = 100
LONGEST_NAME = 255
_BOOLEANS = {"true": True, "false": False}
T = TypeVar("T")


def invalid(field: str, sentence: str) -> ApiError:
    """400 about one field."""
    return ApiError(400, f"Invalid request: {field}: {sentence}", field=field)


async def body(request: Request, decode: Callable[[bytes], T]) -> T:
    """The body, decoded."""
    try:
        return decode(await request.body() or b"{}")
    except (msgspec.MsgspecError, UnicodeError) as error:
        raise ApiError(400, f"Invalid request: {str(error).rstrip('.')}.") from None
    except RecursionError:
        raise ApiError(400, "Invalid request: the JSON is nested too deeply.") from None


def limit(request: Request) -> int:
    """How many rows are wanted at most."""
    text = request.query_params.get("limit", str(USUAL))
    if not (text.isascii() and text.isdecimal() and 1 <= int(text[:5]) <= MOST):
        raise invalid("limit", f"must be a number from 1 to {MOST}.")
    return int(text[:5])


def after(request: Request) -> str:
    """The cursor of the page before, "" for the first one."""
    return request.query_params.get("after", "")


def boolean(request: Request, name: str) -> bool | None:
    """A yes or a no; None when it is not said."""
    text = request.query_params.get(name)
    if text is None:
        return None
    if text not in _BOOLEANS:
        raise invalid(name, "must be true or false.")
    return _BOOLEANS[text]


def seconds(request: Request, name: str, usual: float, most: float) -> float:
    """A duration from 0 to `most`."""
    try:
        value = float(request.query_params.get(name, usual))
    except ValueError:
        value = -1.0
    if not 0 <= value <= most:
        raise invalid(name, f"must be a number of seconds from 0 to {most:g}.")
    return value


def moment(request: Request, name: str) -> int | None:
    """Milliseconds since 1970 of an ISO 8601 time; None when it is not said."""
    text = request.query_params.get(name)
    try:
        return milliseconds(text) if text else None
    except (ValueError, OverflowError):
        raise invalid(name, "must be an ISO 8601 time.") from None


def utc(field: str, text: str) -> str:
    """An ISO 8601 time as one in UTC; without a zone it is UTC already."""
    try:
        return times.iso_8601(times.seconds(text))
    except (ValueError, OverflowError):
        raise invalid(field, "must be an ISO 8601 time.") from None


def name(field: str, text: str) -> str:
    """An identity, account or tag: printable, as handshakes take them."""
    if not (0 < len(text) <= LONGEST_NAME and text.isprintable()):
        raise invalid(field, f"must have from 1 to {LONGEST_NAME} printable characters.")
    return text
