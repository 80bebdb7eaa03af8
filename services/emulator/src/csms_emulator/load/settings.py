"""What a load is: how many stations, where to, what they say, and for how long."""

import ssl
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from csms_emulator.load.scripts import NAMES
from csms_emulator.load.station import Address

_PORTS = {"ws": 80, "wss": 443}
MOST_PROCESSES = 64


@dataclass(frozen=True, slots=True)
class Settings:
    """`ramp` is stations a second; `rate` calls a second of all stations together, or 0: each again when answered.

    `duration` is the seconds of calling, once every station has been dialled; `timeout` those that a handshake or an
    answer may take. `identity` is a format string over `n` = 1…`stations`; `first` and `step` pick the part of one
    process: every `step`th station from `first` on. `ca` is a file with the certificates that wss:// trusts ("": those
    of the system). `allow_errors` is the share of calls that may fail, and of stations that may be missing. Raises
    ValueError with a sentence.
    """

    url: str
    stations: int = 100
    ramp: float = 500.0
    profile: str = "charging"
    duration: float = 60.0
    processes: int = 1
    password: str = ""
    identity: str = "LOAD-{n:06}"
    rate: float = 0.0
    timeout: float = 30.0
    allow_errors: float = 0.0
    ca: str = ""
    first: int = 1
    step: int = 1

    def __post_init__(self) -> None:
        _require(self.stations >= 1, "stations is at least 1")
        _require(self.ramp > 0, "ramp is more than 0 stations a second")
        _require(self.profile in NAMES, f"profile is one of {', '.join(NAMES)}")
        _require(self.duration >= 0, "duration is not negative")
        _require(1 <= self.processes <= MOST_PROCESSES, f"processes is 1 to {MOST_PROCESSES}")
        _require(self.processes <= self.stations, "there are not more processes than stations")
        _require(self.rate >= 0, "rate is not negative")
        _require(self.timeout >= 1, "timeout is at least 1 second")
        _require(0 <= self.allow_errors <= 1, "allow-errors is a share between 0 and 1")
        _require(self.stations == 1 or _name(self.identity, 1) != _name(self.identity, 2), "identity contains {n}")
        self._check_url()
        self._check_ca()

    def _check_url(self) -> None:
        parts = urlsplit(self.url)
        _require(parts.scheme in _PORTS and bool(parts.hostname), "url begins with ws:// or wss:// and names a host")
        _require(not (parts.query or parts.fragment), "url has no ? and no #: the identity is its last segment")
        _require(parts.username is None, "url has no password in it: that is --password")
        try:
            _ = parts.port, self.host.encode("idna")
        except ValueError as error:
            raise ValueError(f"load: url has no valid host and port: {error}.") from None

    def _check_ca(self) -> None:
        try:
            ssl.create_default_context(cafile=self.ca or None)
        except OSError as error:
            raise ValueError(f"load: ca {self.ca} has no certificates: {error.strerror or error}.") from None

    @property
    def host(self) -> str:
        return urlsplit(self.url).hostname or ""

    @property
    def port(self) -> int:
        parts = urlsplit(self.url)
        return parts.port or _PORTS[parts.scheme]

    @property
    def secure(self) -> bool:
        return urlsplit(self.url).scheme == "wss"

    @property
    def address(self) -> Address:
        parts = urlsplit(self.url)
        return Address(parts.netloc, parts.path.rstrip("/"), self.password)

    @property
    def ramping(self) -> float:
        """Seconds within which all stations are dialled."""
        return self.stations / self.ramp

    def identities(self) -> list[str]:
        """Those of this part."""
        return [_name(self.identity, n) for n in range(self.first, self.stations + 1, self.step)]

    def parts(self) -> list["Settings"]:
        """One for each process; rate and ramp are shared out, the stations dealt in turn."""
        of = self.processes
        return [
            replace(self, first=k + 1, step=of, ramp=self.ramp, rate=self.rate / of, processes=1) for k in range(of)
        ]


def _name(pattern: str, n: int) -> str:
    try:
        return pattern.format(n=n)
    except (LookupError, ValueError, AttributeError, TypeError) as error:
        raise ValueError(f"identity is a format string over n, such as LOAD-{{n:06}}: {error!r}.") from error


def _require(holds: bool, sentence: str) -> None:
    if not holds:
        raise ValueError(f"load: {sentence}.")
