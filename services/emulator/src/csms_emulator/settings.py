"""What an emulated fleet is told at its start. Knows no environment and no file: who starts the fleet fills it in."""

from typing import Literal
from urllib.parse import urlsplit

import msgspec

from csms_ocpp.version import Version

_DEFAULT_URLS = {"json": "ws://localhost:9220/ocpp", "soap": "http://localhost:9220/Ocpp"}
_ENCRYPTED = ("wss", "https")
_SCHEMES = {"json": ("ws", "wss"), "soap": ("http", "https")}
_KINDS = {"json": "a ws:// or wss:// address", "soap": "an http:// or https:// address"}
_ONLY_TRANSPORT = {"1.5": "soap", "2.0.1": "json", "2.1": "json"}
# OCPP 1.6 §7.28: IdToken is a CiString20Type; 2.0.1 gives an idToken 36 characters, 2.1 255.
_LONGEST_ID_TAG = {"1.5": 20, "1.6": 20, "2.0.1": 36, "2.1": 255}
_EVERYWHERE = ("", "0.0.0.0", "::")


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """A fleet of charging stations that speak OCPP 1.6 over WebSocket or SOAP, 1.5 over SOAP, or 2.x over WebSocket.

    A station of 2.x has `connectors` EVSEs of one connector each.

    `url` is the central system's address: over WebSocket without the identity, over SOAP as it is ("": the default of
    the transport, which is then read here). `identity` is a format string over `n` = 1…`count`. `password` turns HTTP
    Basic on ("" leaves it off). `pace` is how many emulated seconds drivers, cars and meters live in one real second;
    what the central system dictates (heartbeats, boot retries) stays in real time. The same `seed` gives the same
    drivers. The stations connect one by one within `ramp` seconds. Drivers present one of `id_tags`, or, when that is
    empty, a card of their own. Leaving gives running transactions `grace` seconds to end.

    `certificate` and `key` are PEM files, or format strings over `n` where each station has its own, which they show to
    the central system; "" for `key`: the certificate's file holds it. `ca` is a PEM file with the authorities that they
    trust, "": those of the machine. All of it is for an encrypted `url`, which is then the default.

    SOAP stations can be called at `callback_host` and `callback_port` (0: any free one), each at a path of its own;
    `callback_url` is what they tell the central system where that is another address.

    `control` is HOST:PORT where `csms emulate` is operated over HTTP, under /emulator ("": nowhere; `csms up` has it on
    its own port). `control_token` is the bearer token for that; without one, it is for this machine alone.

    Raises ValueError, with a sentence, for a value that cannot work.
    """

    version: Literal["1.5", "1.6", "2.0.1", "2.1"] = "1.6"
    transport: Literal["json", "soap"] = "json"
    url: str = ""
    count: int = 5
    identity: str = "EMU-{n:05}"
    password: str = ""
    certificate: str = ""
    key: str = ""
    ca: str = ""
    connectors: int = 2
    pace: float = 1.0
    seed: int = 1
    ramp: float = 2.0
    id_tags: tuple[str, ...] = ()
    grace: float = 3.0
    callback_host: str = "127.0.0.1"
    callback_port: int = 0
    callback_url: str = ""
    control: str = ""
    control_token: str = ""

    def __post_init__(self) -> None:
        if not self.url:
            msgspec.structs.force_setattr(self, "url", default_url(self.transport, encrypted=bool(self._files())))
        self._check_url()
        self._check_files()
        self._check_callback()
        _require(not self.control or bool(self.control_address), "control is HOST:PORT, such as 127.0.0.1:9221")
        _require(self.count >= 1, "count is at least 1")
        _require(1 <= self.connectors <= 100, "connectors is between 1 and 100")
        _require(self.pace > 0, "pace is greater than 0")
        _require(self.ramp >= 0, "ramp is not negative")
        _require(self.grace >= 0, "grace is not negative")
        longest = _LONGEST_ID_TAG[self.version]
        _require(all(0 < len(tag) <= longest for tag in self.id_tags), f"an id tag has 1 to {longest} characters")
        different = named("identity", self.identity, 1) != named("identity", self.identity, 2)
        _require(self.count == 1 or different, "identity contains {n}")

    def _check_url(self) -> None:
        soap, address = self.transport == "soap", urlsplit(self.url)
        needed = _ONLY_TRANSPORT.get(self.version, self.transport)
        _require(self.transport == needed, f"version {self.version} needs the transport {needed}")
        known = address.scheme in _SCHEMES[self.transport] and bool(address.hostname)
        _require(known, f"url is {_KINDS[self.transport]}")
        bare = not address.query and not address.fragment
        _require(soap or bare, "url has no ? and no #: the identity is its last segment")

    def _check_files(self) -> None:
        _require(not self.key or bool(self.certificate), "key needs a certificate")
        for name in self._files():
            _require(self.encrypted, f"{name} needs a url with wss:// or https://")
        for name in ("certificate", "key"):
            named(name, getattr(self, name), 1)

    def _files(self) -> list[str]:
        return [name for name in ("certificate", "key", "ca") if getattr(self, name)]

    def _check_callback(self) -> None:
        _require(0 <= self.callback_port < 65536, "callback_port is between 0 and 65535")
        told = urlsplit(self.callback_url)
        absolute = told.scheme in _SCHEMES["soap"] and bool(told.hostname) and not told.query and not told.fragment
        _require(not self.callback_url or absolute, f"callback_url is {_KINDS['soap']} without ? and #")
        nowhere = self.transport == "soap" and self.callback_host in _EVERYWHERE and not self.callback_url
        _require(not nowhere, "callback_url is needed where callback_host is every address of a machine")

    @property
    def dialect(self) -> Version:
        """The version as the protocol names it."""
        return Version(f"ocpp{self.version}")

    @property
    def encrypted(self) -> bool:
        """Whether the stations connect over TLS."""
        return urlsplit(self.url).scheme in _ENCRYPTED

    @property
    def control_address(self) -> tuple[str, int] | None:
        """Host and port of `control`; None where there is none."""
        try:
            address = urlsplit(f"//{self.control}")
            host, port = address.hostname, address.port
        except ValueError:
            return None
        return (host, port) if host and port is not None and address.netloc == self.control else None

    def identities(self) -> list[str]:
        """The stations' identities, in the order in which they start."""
        return [named("identity", self.identity, n) for n in range(1, self.count + 1)]


def default_url(transport: str, *, encrypted: bool) -> str:
    """A central system on this machine."""
    url = _DEFAULT_URLS[transport]
    return url.replace("://", "s://", 1) if encrypted else url


def named(setting: str, pattern: str, n: int) -> str:
    """What the format string over `n` says for station `n`. Raises ValueError, with a sentence."""
    try:
        return pattern.format(n=n)
    except (ValueError, LookupError, AttributeError) as error:
        raise ValueError(f"{setting} is a format string over n, such as EMU-{{n:05}}: {error!r}") from error


def _require(holds: bool, sentence: str) -> None:
    if not holds:
        raise ValueError(sentence)
