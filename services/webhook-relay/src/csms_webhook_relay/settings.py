"""What an operator may set about the webhook: `[webhook]` in csms.toml, or `CSMS_WEBHOOK_…` in the environment."""

import re
from collections.abc import Iterator
from typing import Annotated, Literal
from urllib.parse import urlsplit

import msgspec

from csms_platform.ports import MAIN_ENDPOINT
from csms_webhook_relay import policies

Seconds = Annotated[float, msgspec.Meta(gt=0)]
NotNegative = Annotated[float, msgspec.Meta(ge=0)]
Count = Annotated[int, msgspec.Meta(ge=1)]
Backend = Literal["", "builtin", "webhook"]

MAIN = MAIN_ENDPOINT

REFERENCE_VARIABLES = {
    "WEBHOOK_URL": "url",
    "WEBHOOK_AUTH": "authorization",
    "WEBHOOK_USERNAME": "username",
    "WEBHOOK_PASSWORD": "password",
    "WEBHOOK_TOKEN": "token",
}
"""Environment variables of the reference system, and the keys that they stand for."""

_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_SCHEMES = ("off", "basic", "bearer")


class Target(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An address, and how requests to it show that they are ours.

    `authorization` is "Off", "Basic" (`username`, `password`) or "Bearer" (`token`), in any case. With a `secret`
    every request is signed (`X-OCPP-Signature`).
    """

    url: str = ""
    authorization: str = "Off"
    username: str = ""
    password: str = ""
    token: str = ""
    secret: str = ""


class Account(Target, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who serves the stations of one account: an endpoint of its own, or ("builtin") the router itself."""

    backend: Literal["builtin", "webhook"] = "webhook"


class Observer(Target, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An address that gets copies of stations' messages, and is never waited for. `actions`: only these; () = all."""

    name: str
    actions: tuple[str, ...] = ()


class Settings(Target, frozen=True, kw_only=True):
    """Everything has a default. Times are in seconds, sizes in bytes. Raises ValueError, with a sentence.

    - `enable`: None, the default: when there is an endpoint. `backend`: who serves accounts that are not listed in
      `accounts`; "" is the webhook when `url` is set. `accounts` and `observers` by name: `[A-Za-z0-9_.-]+`.
    - `ca_file`, `client_certificate`, `client_key` (PEM files) and `verify` are about TLS, for all endpoints.
    - `concurrency`: requests to one endpoint at once; `waiting`: how many stations' CALLs may wait for their turn. One
      more gets its policy at once.
    - `connect_timeout`, `timeout`: of one attempt, to the connection and to the end of the reply. `attempts` are made
      while the station waits, `retry_delay` after the first (twice as long after each, with jitter); `margin` of its
      time is kept for the policy.
    - `breaker_failures` in a row leave the endpoint alone for `breaker_seconds`; then one request tries.
    - `policies`: what happens to an action's CALL when the endpoint fails, see `policies`; `default_policy`: for the
      others, instead of the table.
    - `spool_…`: how letters are delivered later; see docs/webhook.md.
    - `held`: how many batches are kept unacknowledged until they are answered, so that another relay gets them if this
      one dies. `drain_seconds`: how long what is under way, calls, letters and copies together, may hold up leaving.
      `troubles_logged`: failed calls a second that are logged one by one; more are counted.
    """

    enable: bool | None = None
    backend: Backend = ""
    ca_file: str = ""
    client_certificate: str = ""
    client_key: str = ""
    verify: bool = True
    concurrency: Count = 100
    waiting: Annotated[int, msgspec.Meta(ge=0)] = 1000
    connect_timeout: Seconds = 5.0
    timeout: Seconds = 15.0
    attempts: Count = 3
    retry_delay: Seconds = 0.25
    margin: NotNegative = 1.0
    max_reply: Count = 1024 * 1024
    breaker_failures: Count = 10
    breaker_seconds: Seconds = 5.0
    policies: dict[str, str] = {}
    default_policy: str = ""
    accounts: dict[str, Account] = {}
    observers: tuple[Observer, ...] = ()
    spool_max_age: Seconds = 259_200.0
    spool_attempts: Count = 10
    spool_first_pause: Seconds = 1.0
    spool_longest_pause: Seconds = 300.0
    spool_window: Count = 256
    held: Count = 32
    drain_seconds: Seconds = 15.0
    troubles_logged: Annotated[int, msgspec.Meta(ge=0)] = 20

    def __post_init__(self) -> None:
        for where, target in self._targets():
            _check(where, target)
        _check_names([*self.accounts, *(observer.name for observer in self.observers)])
        _require(not self.enable or bool(self.endpoints()), "url is missing: without one nobody can be asked")
        _require(self.backend != "webhook" or bool(self.url), "url is missing: backend = webhook needs one")
        _require(bool(self.client_certificate) or not self.client_key, "client_certificate is missing: there is a key")
        for observer in self.observers:
            for action in observer.actions:
                _require(policies.known(action), f"observers.{observer.name}: no station sends {action!r}")
        if sentence := policies.complaint(self.policies, self.default_policy):
            raise ValueError(sentence)

    def _targets(self) -> Iterator[tuple[str, Target]]:
        if self.url:
            yield "", self
        for name, account in self.accounts.items():
            if account.backend == "webhook":
                yield f"accounts.{name}.", account
        for observer in self.observers:
            yield f"observers.{observer.name}.", observer

    def endpoints(self) -> dict[str, Target]:
        """Who is asked, by name: `MAIN`, and every account that has an endpoint of its own. Empty when off."""
        if self.enable is False:
            return {}
        own: dict[str, Target] = {name: one for name, one in self.accounts.items() if one.backend == "webhook"}
        return ({MAIN: self} if self.url and self.backend != "builtin" else {}) | own

    def endpoint_of(self, account: str) -> str:
        """The name of the endpoint that serves `account`; "": the router answers it by itself."""
        endpoints = self.endpoints()
        if account in self.accounts:
            return account if account in endpoints else ""
        return MAIN if MAIN in endpoints else ""


def _check(where: str, target: Target) -> None:
    _check_url(f"{where}url", target.url)
    scheme = target.authorization.lower()
    _require(scheme in _SCHEMES, f"{where}authorization is Off, Basic or Bearer, not {target.authorization!r}")
    if scheme == "basic":
        _require(bool(target.username), f"{where}username is missing: authorization is Basic")
        # RFC 7617 §2: "a user-id containing a colon character is invalid".
        _require(":" not in target.username, f"{where}username contains a colon, which Basic cannot carry")
    _require(bool(target.username) or not target.password, f"{where}username is missing: there is a password")
    if scheme == "bearer":
        _require(bool(target.token), f"{where}token is missing: authorization is Bearer")
        _require(_is_visible(target.token), f"{where}token contains characters that no header can carry")


def _check_url(where: str, url: str) -> None:
    _require(bool(url), f"{where} is missing")
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0 and _is_visible(url)
    except ValueError:
        usable = False
    _require(usable, f"{where} is an http:// or https:// address, not {url[:100]!r}")
    _require(not parts.fragment, f"{where} has a #fragment, which is never sent")
    _require("@" not in parts.netloc, f"{where} contains credentials: use authorization, username and password")


def _is_visible(text: str) -> bool:
    return text.isprintable() and " " not in text and text.isascii()


def _check_names(names: list[str]) -> None:
    for name in names:
        _require(bool(_NAME.fullmatch(name)), f"{name[:70]!r}: an account or observer is named by [A-Za-z0-9_.-]+")
        _require(name != MAIN, f"{MAIN!r} is the name of the endpoint at the top: choose another one")
        _require(names.count(name) == 1, f"two accounts or observers are called {name!r}")


def _require(holds: bool, sentence: str) -> None:
    if not holds:
        raise ValueError(sentence)
