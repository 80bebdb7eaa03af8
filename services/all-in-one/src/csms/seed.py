"""Puts the configuration's stations and tags into the store at start."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from csms.settings import Settings, StationEntry
from csms_ocpp.version import StationId
from csms_platform.logging import get_logger
from csms_platform.passwords import digest
from csms_platform.ports import Ports, Station, Tag

log = get_logger("csms")


@asynccontextmanager
async def seed(ports: Ports, settings: Settings) -> AsyncIterator[None]:
    """Insert or update `[[stations]]` and `[[tags]]`. Records that are not in the configuration stay."""
    for entry in settings.stations:
        await ports.stations.put(await _station(entry))
    for tag in settings.tags:
        await ports.tags.put(Tag(tag.id, tag.status, tag.expires, tag.parent, tag.limit))
    if settings.stations or settings.tags:
        log.info("configured", stations=len(settings.stations), tags=len(settings.tags))
    yield


async def _station(entry: StationEntry) -> Station:
    password = entry.password
    if password and not password.startswith("scrypt$"):
        password = await asyncio.to_thread(digest, password)
    profile = entry.security_profile
    return Station(
        identity=StationId(entry.identity),
        account=entry.account,
        password=password,
        security_profile=(1 if password else 0) if profile is None else profile,
        quirks=" ".join(entry.quirks),
        registration=entry.registration,
        disabled=entry.disabled,
        callback=entry.callback,
    )
