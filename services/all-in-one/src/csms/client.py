"""`csms stations`, `send`, `tail` and `dead-letters`: the REST API from the command line.

Results are JSON on standard output, one object a line where there are many, so that other programs can read them.
Exit code 0: done; 1: the API, or the station, said no; 2: the API cannot be reached.
"""

import argparse
import base64
import json
import os
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import Any

DEFAULT_URL = "http://127.0.0.1:9220"
_PATIENCE = 15.0  # seconds beyond what a command may take
_SILENCE = 60.0  # seconds without even a heartbeat after which a stream of events is dead
_SWEPT = 5.0  # seconds after its time within which a waiting command is told to have expired
_LONGEST_WAIT = 300.0


class ApiError(Exception):
    """The API said no: its message, in a sentence."""


class Api:
    """The REST API at `url`, for whoever has `key` (Bearer) or `user` ("name:password")."""

    def __init__(self, url: str, key: str = "", user: str = "") -> None:
        self._url = url.rstrip("/") + "/api/v2"
        self._headers = {"Accept": "application/json"}
        if key:
            self._headers["Authorization"] = f"Bearer {key}"
        elif user:
            self._headers["Authorization"] = "Basic " + base64.b64encode(user.encode()).decode()

    def ask(self, method: str, path: str, body: Any = None, seconds: float = 30.0) -> Any:
        """The JSON that the API answers, None for no content. Raises `ApiError` and `OSError`."""
        with self._open(method, path, body, seconds) as response, self._told():
            content = response.read()
        return json.loads(content) if content else None

    def pages(self, path: str, items: str) -> Iterator[Any]:
        """Every item of a list, page by page."""
        after = ""
        while True:
            page = self.ask("GET", _with(path, after=after))
            yield from page[items]
            if not (after := page["next"]):
                return

    def events(self, path: str) -> Iterator[tuple[str, str]]:
        """Type and data of Server-Sent Events, one after the other, for as long as the API sends them."""
        kind = ""
        with self._open("GET", path, None, _SILENCE) as response, self._told():
            for line in response:
                name, _, text = line.decode().strip().partition(": ")
                if name == "event":
                    kind = text
                elif name == "data":
                    yield kind, text

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except HTTPException as error:
            raise OSError(f"The API at {self._url} broke off: {error!r}.") from None

    def _open(self, method: str, path: str, body: Any, seconds: float) -> HTTPResponse:
        data = None if body is None else json.dumps(body).encode()
        headers = self._headers | ({"Content-Type": "application/json"} if data else {})
        request = urllib.request.Request(self._url + path, data, headers, method=method)
        try:
            response: HTTPResponse = urllib.request.urlopen(request, timeout=seconds)
        except urllib.error.HTTPError as error:
            with error:
                raise ApiError(_reason(error)) from None
        except urllib.error.URLError as error:
            raise OSError(f"The API at {self._url} cannot be reached: {error.reason}.") from None
        except HTTPException as error:
            raise OSError(f"The API at {self._url} does not speak HTTP: {error!r}.") from None
        return response


def _reason(error: urllib.error.HTTPError) -> str:
    try:
        told = json.loads(error.read())["error"]
        return f"{told['code']}: {told['message']}"
    except (ValueError, LookupError, TypeError):
        return f"{error.code}: {error.reason}"


def _with(path: str, **query: Any) -> str:
    asked = {key: value for key, value in query.items() if value not in (None, "", [])}
    return path + ("&" if "?" in path else "?") + urllib.parse.urlencode(asked, doseq=True) if asked else path


def _quoted(part: str) -> str:
    return urllib.parse.quote(part, safe="")


# --- the commands -----------------------------------------------------------------------------------------------------


def stations(api: Api, options: argparse.Namespace) -> int:
    """Every station, or one."""
    if options.identity:
        _say(api.ask("GET", f"/stations/{_quoted(options.identity)}"))
        return 0
    online = {None: "", True: "true", False: "false"}[options.online]
    for station in api.pages(_with("/stations", online=online, account=options.account), "stations"):
        _say(station)
    return 0


def send(api: Api, options: argparse.Namespace) -> int:
    """One command to one station; its outcome, or without waiting for one that it was accepted."""
    command: dict[str, Any] = {"action": options.action, "payload": _payload(options.payload)}
    if options.id:
        command["uniqueId"] = options.id
    if options.offline:
        command["offline"] = options.offline
    wait = options.wait
    if wait and options.offline:
        wait = max(wait, min(options.offline + _SWEPT, _LONGEST_WAIT))
    path = _with(f"/stations/{_quoted(options.identity)}/commands", wait=wait)
    outcome = api.ask("POST", path, command, wait + _PATIENCE)
    _say(outcome)
    return 0 if outcome.get("outcome", "result") == "result" else 1


def tail(api: Api, options: argparse.Namespace) -> int:
    """Events as they happen."""
    kind = ""
    for kind, data in api.events(_with("/events", key=options.key, identity=options.identity)):
        if kind in _ABOUT_THE_STREAM:
            print(f"csms: {json.loads(data)['message']}", file=sys.stderr)
        else:
            print(data, flush=True)
    return 1 if kind == "overrun" else 0


_ABOUT_THE_STREAM = ("gap", "overrun")


def dead_letters(api: Api, options: argparse.Namespace) -> int:
    """Messages that the operator's endpoint never took."""
    if options.verb == "list":
        for letter in api.pages("/dead-letters", "deadLetters"):
            _say(letter)
        return 0
    if bool(options.id) == options.all:
        raise ValueError(f"csms dead-letters {options.verb}: give delivery ids, or --all.")
    ids = options.id or [letter["id"] for letter in list(api.pages("/dead-letters", "deadLetters"))]
    done = sum(_handled(api, options.verb, delivery) for delivery in ids)
    if options.verb != "show":
        print(f"{options.verb}: {done}")
    return 0 if done == len(ids) else 1


def _handled(api: Api, verb: str, delivery: str) -> bool:
    """Do it to one; one that is gone meanwhile does not hold up the others."""
    path = f"/dead-letters/{_quoted(delivery)}"
    try:
        match verb:
            case "show":
                _say(api.ask("GET", path))
            case "replay":
                api.ask("POST", f"{path}/replay")
            case "discard":
                api.ask("DELETE", path)
    except ApiError as error:
        print(f"csms: {error}", file=sys.stderr)
        return False
    return True


def _payload(text: str) -> Any:
    if text.startswith("@"):
        text = sys.stdin.read() if text == "@-" else Path(text[1:]).read_text(encoding="utf-8")
    try:
        return json.loads(text)
    except ValueError as error:
        raise ValueError(f"The payload is not JSON: {error}.") from None


def _say(value: Any) -> None:
    print(json.dumps(value, ensure_ascii=False))


COMMANDS: dict[str, Callable[[Api, argparse.Namespace], int]] = {
    "stations": stations,
    "send": send,
    "tail": tail,
    "dead-letters": dead_letters,
}


def run(options: argparse.Namespace) -> int:
    """Run the chosen command; answers the exit code."""
    key, user = (
        options.api_key or os.environ.get("CSMS_API_KEY", ""),
        options.user or os.environ.get("CSMS_API_USER", ""),
    )
    api = Api(options.api, key, user)
    try:
        return COMMANDS[options.command](api, options)
    except ApiError as error:
        print(f"csms: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        return 0  # whoever read our output has enough


def add_parsers(commands: Any, formatter: Any) -> None:
    """Add these commands to `csms`' own."""

    def add(name: str, help: str) -> argparse.ArgumentParser:
        made: argparse.ArgumentParser = commands.add_parser(name, help=help, formatter_class=formatter)
        made.add_argument(
            "--api", metavar="URL", default=os.environ.get("CSMS_API_URL", DEFAULT_URL), help=f"the API ({DEFAULT_URL})"
        )
        made.add_argument("--api-key", metavar="KEY", help="API key or token (CSMS_API_KEY)")
        made.add_argument("--user", metavar="NAME:PASSWORD", help="HTTP Basic instead (CSMS_API_USER)")
        return made

    listed = add("stations", "charging stations, through the REST API")
    listed.add_argument("identity", nargs="?", help="only this one")
    listed.add_argument("--online", action="store_true", default=None, help="only those that are connected")
    listed.add_argument("--offline", dest="online", action="store_false", help="only those that are not")
    listed.add_argument("--account", help="only those of this account")

    sent = add("send", "send a command to a charging station, through the REST API")
    sent.add_argument("identity")
    sent.add_argument("action", help="an OCPP action, e.g. Reset")
    sent.add_argument("payload", nargs="?", default="{}", help="JSON, @FILE or @- ({})")
    sent.add_argument("--wait", type=float, default=30.0, metavar="SECONDS", help="for the outcome; 0: not at all (30)")
    sent.add_argument("--offline", type=float, metavar="SECONDS", help="how long it may wait for the station (0)")
    sent.add_argument("--id", help="the command's uniqueId: never executed twice (a new one)")

    tailed = add("tail", "events as they happen, through the REST API")
    tailed.add_argument("--key", action="append", help="topic pattern, e.g. 'ocpp1.6.#'; may be repeated (all)")
    tailed.add_argument("--identity", action="append", help="only this station's; may be repeated (all)")

    dead = add("dead-letters", "messages that the operator's endpoint never took")
    dead.add_argument("verb", choices=["list", "show", "replay", "discard"])
    dead.add_argument("id", nargs="*", help="delivery ids")
    dead.add_argument("--all", action="store_true", help="every dead letter there is")


__all__ = ["COMMANDS", "Api", "ApiError", "add_parsers", "run"]
