"""Reads a request's payload, whatever form it came in: JSON as it is, everything else by the operation's schema."""

from collections.abc import Mapping
from typing import Any

from starlette.datastructures import FormData
from starlette.requests import Request

from csms_api import convert
from csms_api.errors import ApiError

_FORM = "application/x-www-form-urlencoded"
_MULTIPART = "multipart/form-data"
_JSON = frozenset({"", "application/json", "text/json", "text/plain"})


async def read(request: Request, schema: Mapping[str, Any]) -> bytes:
    """JSON text, unchecked. Without a body it is what the query says. Raises `ApiError` 400 or 415."""
    body = await request.body()
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if not body:
        return _converted(request.query_params.multi_items(), schema)
    # `curl -d '{…}'` calls everything a form.
    if kind in _JSON or kind.endswith("+json") or (kind == _FORM and body.lstrip()[:1] == b"{"):
        return body
    if kind in (_FORM, _MULTIPART):
        return _converted(_texts(await request.form()), schema)
    raise ApiError(415, f"Bodies are JSON, {_FORM} or {_MULTIPART}, not {kind[:100]}.")


def _texts(form: FormData) -> list[tuple[str, str]]:
    pairs = [(name, value) for name, value in form.multi_items() if isinstance(value, str)]
    if len(pairs) < len(form.multi_items()):
        raise ApiError(400, "Files are not taken; give each field as text.")
    return pairs


def _converted(pairs: list[tuple[str, str]], schema: Mapping[str, Any]) -> bytes:
    try:
        return convert.payload(pairs, schema) if pairs else b"{}"
    except convert.BadName as error:
        raise ApiError(400, str(error)) from None
