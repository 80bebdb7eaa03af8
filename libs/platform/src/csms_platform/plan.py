"""What a process is made of: where it listens, how it logs, which services it runs, and what a reload changes of that.

Values only; `runtime` makes a process of a `Plan`.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Literal, NamedTuple, TextIO

import msgspec

from csms_platform.bus import BusSettings
from csms_platform.logging import configure
from csms_platform.otel import TracingSettings
from csms_platform.ports import Ports, Service
from csms_platform.proxies import Proxies

Level = Literal["debug", "info", "warning", "error"]


class LogSettings(msgspec.Struct, frozen=True):
    """`[log]`: level is debug, info, warning or error; format is json, text or auto (text on a terminal).

    `levels` are for single loggers, whatever `level` says: `levels = { router = "debug" }`. The names are those that
    the lines bear as `logger`. idTags are shortened unless `show_id_tags`. Below level error at most
    `lines_a_second` are written about the same event of the same logger (0: all); the next line says how many were
    `unlogged`. All of it is read again when the process is told to reload.
    """

    level: Level = "info"
    format: Literal["auto", "json", "text"] = "auto"
    levels: dict[str, Level] = {}
    show_id_tags: bool = False
    lines_a_second: Annotated[int, msgspec.Meta(ge=0)] = 200

    def configure(self, out: TextIO | None = None) -> None:
        """Log like this from now on; see `logging.configure`."""
        configure(
            self.level,
            self.format,
            self.levels,
            show_id_tags=self.show_id_tags,
            lines_a_second=self.lines_a_second,
            out=out,
        )


class StateSettings(msgspec.Struct, frozen=True):
    """`[state]`: where sessions, stations, tags and transactions are kept."""

    url: str = "memory://"


class ListenSettings(msgspec.Struct, frozen=True):
    """Where the process listens, and how long it may take to leave.

    With `tls_certificate` and `tls_key` (PEM files) the port speaks TLS 1.2 or newer; with `tls_client_ca` it asks
    stations for certificates signed by that authority (security profile 3).

    `trusted_proxies` are addresses and networks of proxies ("10.0.0.0/8"): what they say in X-Forwarded-For and
    X-Forwarded-Proto is believed, and so is the common name of a station's certificate, which they have verified, in
    the header `client_name_header`. With `proxy_protocol` each of their connections begins with a PROXY header, of
    version 1 or 2; a connection of theirs without one is dropped. That goes without TLS on this port only.
    """

    host: str = "127.0.0.1"
    port: Annotated[int, msgspec.Meta(ge=0, le=65535)] = 9220
    drain_seconds: float = 25.0
    tls_certificate: str = ""
    tls_key: str = ""
    tls_client_ca: str = ""
    trusted_proxies: tuple[str, ...] = ()
    client_name_header: str = ""
    proxy_protocol: bool = False

    def __post_init__(self) -> None:
        Proxies(self.trusted_proxies)
        if self.proxy_protocol and not self.trusted_proxies:
            raise ValueError("proxy_protocol needs trusted_proxies: whose headers are to be believed?")
        if self.proxy_protocol and self.tls_certificate:
            raise ValueError("proxy_protocol goes without tls_certificate: the proxy speaks TLS with the stations")


class Part(NamedTuple):
    """A service to run. Services with `after_listening` start when the port is open, and leave before it closes."""

    name: str
    start: Callable[[Ports], Service]
    after_listening: bool = False


class Renewal(NamedTuple):
    """What a reload changes while the process runs. `parts` are entered and left at once.

    `pending` names the settings that have changed besides, and wait for a restart.
    """

    log: LogSettings
    listen: ListenSettings | None
    parts: Sequence[Part] = ()
    pending: Sequence[str] = ()


class Plan(NamedTuple):
    """Everything a process needs. `stores` is False for services that may not touch the store.

    Without `listen` the process opens no port: it is a client only, and has no HTTP. `renew` reads the configuration
    again, and raises `ValueError` when it cannot be used; None: there is nothing to read. `name` is what the process is
    called in traces.
    """

    parts: Sequence[Part]
    listen: ListenSettings | None
    bus: BusSettings
    state: StateSettings
    data: Path | None = None
    stores: bool = True
    renew: Callable[[], Renewal] | None = None
    tracing: TracingSettings = TracingSettings()
    name: str = "csms"
