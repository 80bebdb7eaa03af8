"""The operator's side of a scenario: commands and cards, through the REST API of this project's central system."""

import asyncio
from typing import Any
from urllib.parse import quote

import aiohttp

from csms_emulator.actions import Payload

_PATIENCE = 10.0  # seconds beyond what a command may take
_FOUND, _MISSING = (200, 201, 204), 404


class CommandError(Exception):
    """The API, or the station, said no. `code` is the CALLERROR's, or the API's own; the text is a sentence."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


class Operator:
    """The API at `url`, for whoever has `key` (Bearer; "": nobody is asked). Use it inside `async with`."""

    def __init__(self, url: str, key: str = "") -> None:
        self._url = url.rstrip("/") + "/api/v2"
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}

    async def __aenter__(self) -> "Operator":
        """Open it; nothing is said yet."""
        self._client = aiohttp.ClientSession(headers=self._headers)
        return self

    async def __aexit__(self, *error: object) -> None:
        """Close it."""
        await self._client.close()

    async def command(self, identity: str, action: str, payload: Payload, within: float) -> Payload:
        """Ask the station; answers the payload of its answer. Raises `CommandError` and `OSError`."""
        path = f"/stations/{quote(identity, safe='')}/commands?wait={within:g}"
        status, told = await self._ask("POST", path, {"action": action, "payload": payload}, within + _PATIENCE)
        if status == 200 and told.get("outcome") == "result":
            answered: Payload = told.get("payload") or {}
            return answered
        code, reason = _reason(told)
        raise CommandError(code, f"{action}: {code}{f', {reason}' if reason else ''}")

    async def card(self, id: str) -> Payload | None:
        """What is known of this card; None: nothing."""
        status, told = await self._ask("GET", f"/tags/{quote(id, safe='')}")
        if status == _MISSING:
            return None
        return {key: told[key] for key in ("status", "expires", "parent", "limit") if told.get(key) is not None}

    async def put_card(self, id: str, fields: Payload) -> None:
        """Make it known."""
        status, told = await self._ask("PUT", f"/tags/{quote(id, safe='')}", fields)
        _done(status, told)

    async def delete_card(self, id: str) -> None:
        """Let it be unknown."""
        status, told = await self._ask("DELETE", f"/tags/{quote(id, safe='')}")
        _done(200 if status == _MISSING else status, told)

    async def _ask(self, method: str, path: str, body: Any = None, within: float = 30.0) -> tuple[int, Any]:
        try:
            async with asyncio.timeout(within), self._client.request(method, self._url + path, json=body) as response:
                text = await response.text()
                return response.status, await response.json() if text else {}
        except TimeoutError:
            raise OSError(f"The API at {self._url} did not answer within {within:g} s.") from None
        except (aiohttp.ClientError, ValueError) as error:
            raise OSError(f"The API at {self._url} cannot be used: {error}.") from None


def _done(status: int, told: Any) -> None:
    if status not in _FOUND:
        code, reason = _reason(told)
        raise CommandError(code, f"The API refused the card: {code}, {reason}")


def _reason(told: Any) -> tuple[str, str]:
    """Code and sentence of a refusal, or of how a command ended."""
    error = told.get("error") if isinstance(told, dict) else None
    if isinstance(error, dict):
        return str(error.get("code", "")), str(error.get("message") or error.get("description") or "")
    if isinstance(told, dict):
        return str(told.get("errorCode") or told.get("outcome", "")), str(told.get("errorDescription") or "")
    return "", ""
