"""What a reload (SIGHUP) changes in a running process, and which settings wait for a restart."""

from collections.abc import Iterator

import msgspec

from csms.settings import Configuration
from csms_platform.plan import Part, Renewal

_TLS = {"tls_certificate", "tls_key", "tls_client_ca"}
_LIVE = {"top": {"stations", "tags"}, "listen": _TLS}


def renewal(running: Configuration, read: Configuration, parts: tuple[Part, ...]) -> Renewal:
    """From the configuration that the process was started with to the one that was just read.

    Levels of the log, certificates, and the parts given (stations and tags) are renewed; nothing else is.
    """
    return Renewal(read.log, read.listen, parts, tuple(_pending(running, read)))


def _pending(running: Configuration, read: Configuration) -> Iterator[str]:
    for section in msgspec.structs.fields(Configuration):
        if section.name == "log":
            continue
        before, after = getattr(running, section.name), getattr(read, section.name)
        for field in msgspec.structs.fields(before):
            name = field.name
            if name in _LIVE.get(section.name, ()) and not _turns(name, before, after):
                continue
            if getattr(before, name) != getattr(after, name):
                yield name if section.name in ("top", "listen") else f"{section.name}.{name}"


def _turns(name: str, before: msgspec.Struct, after: msgspec.Struct) -> bool:
    """Whether TLS as a whole is turned on or off, which no listening port can do."""
    return name == "tls_certificate" and bool(getattr(before, name)) != bool(getattr(after, name))
