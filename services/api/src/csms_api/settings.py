"""What an operator may set about the API: `[api]` in csms.toml, or `CSMS_API_…` in the environment (lists as JSON)."""

from typing import Annotated, Literal

import msgspec

Seconds = Annotated[float, msgspec.Meta(gt=0)]
Count = Annotated[int, msgspec.Meta(ge=0)]
ScopeName = Literal["read", "command", "admin"]
Text = Annotated[str, msgspec.Meta(min_length=1)]


class User(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """HTTP Basic. `password` is the text itself or a digest made by `csms password`."""

    username: Text
    password: Text
    scopes: tuple[ScopeName, ...] = ("command",)


class Key(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An API key, shown as `Authorization: Bearer <key>`. `key` is the text itself or `sha256:<64 hex digits>`."""

    name: Text
    key: Text
    scopes: tuple[ScopeName, ...] = ("command",)


class Jwt(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """OAuth 2.0 access tokens (RFC 9068): who issues them, for whom, and the keys that they are signed with.

    Exactly one of `secret` (for HS256, HS384, HS512), `jwks_file` and `jwks_url`. The keys at a URL are fetched again
    after `jwks_seconds`. `scope_claim` holds words separated by spaces, or a list of words; other words are ignored.
    """

    issuer: Text
    audience: Text
    algorithms: tuple[str, ...] = ("RS256", "ES256")
    secret: str = ""
    jwks_file: str = ""
    jwks_url: str = ""
    jwks_seconds: Seconds = 3600.0
    scope_claim: Text = "scope"


class Settings(msgspec.Struct, frozen=True):
    """Everything has a default. Durations are in seconds.

    - `enable`: whether `csms up` has an API; `csms api` always does.
    - `auth`: "required"; "open" lets everybody do everything; "auto": open on a loopback address while no credentials
      are configured, otherwise required. Open elsewhere than on loopback needs `insecure`, too.
    - `users`, `keys`, `jwt`: who may ask, and what for: "read", "command" (read, too) or "admin" (everything).
    - `rate`, `burst`: requests a second of one client (credential, or address when open); 0 switches it off.
    - `failed_logins_per_minute`: of one address; past it no credentials from there are looked at. 0 switches it off.
    - `cors_origins`: web pages from elsewhere that may use the API, as `https://host:port`; "*" for all.
    - `max_body`: bytes of a request's body.
    - `command_wait`: how long a request waits for a station's answer.
    - `listeners`: how many clients may listen to the event stream at once.
    - `list_limit`: how many transactions one answer lists at most.
    - `drain_seconds`: how long commands under way may hold up leaving.
    - `log_commands`: commands a second with a log line of their own.
    """

    enable: bool = True
    auth: Literal["auto", "required", "open"] = "auto"
    insecure: bool = False
    users: tuple[User, ...] = ()
    keys: tuple[Key, ...] = ()
    jwt: Jwt | None = None
    rate: Annotated[float, msgspec.Meta(ge=0)] = 50.0
    burst: Annotated[int, msgspec.Meta(ge=1)] = 100
    failed_logins_per_minute: Count = 10
    cors_origins: tuple[str, ...] = ()
    max_body: Annotated[int, msgspec.Meta(ge=1024)] = 1024 * 1024
    command_wait: Seconds = 30.0
    listeners: Count = 200
    list_limit: Annotated[int, msgspec.Meta(ge=1)] = 10_000
    drain_seconds: Seconds = 10.0
    log_commands: Count = 50

    @property
    def has_credentials(self) -> bool:
        """Whether anybody could log in."""
        return bool(self.users or self.keys or self.jwt)
