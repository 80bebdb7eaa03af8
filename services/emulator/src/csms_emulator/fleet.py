"""Many stations, each on its own link: who they are, when they start, and that all of them have left at the end."""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from random import Random
from typing import Any

from csms_emulator import link_soap, link_ws, v15
from csms_emulator.behaviour import Behaviour
from csms_emulator.link import CLOSE_WITHIN, Link
from csms_emulator.settings import Settings
from csms_emulator.station import Station
from csms_emulator.v2 import station as v2
from csms_ocpp.version import Version
from csms_platform.logging import get_logger


def _v15(serial: str, **options: Any) -> Behaviour:
    return v15.Station(Station(serial, **options))


_LINKS = {"json": link_ws.links, "soap": link_soap.links}
_STATIONS: dict[str, dict[str, Callable[..., Behaviour]]] = {
    "json": {
        "1.6": Station,
        "2.0.1": partial(v2.Station, version=Version.V2_0_1),
        "2.1": partial(v2.Station, version=Version.V2_1),
    },
    "soap": {"1.5": _v15, "1.6": partial(Station, security=False)},
}

_log = get_logger("emulator")
Started = Callable[[str, Link], None]


class Fleet:
    """The stations of `settings`, from `run` until `stop`.

    `started` is told of each just before it says its first word.
    """

    def __init__(self, settings: Settings, started: Started = lambda identity, link: None) -> None:
        self._settings = settings
        self._started = started
        self._links: list[Link] = []
        self._stopping = asyncio.Event()
        self._gone = asyncio.Event()

    async def run(self) -> None:
        """Start the stations one by one; returns when all have left."""
        try:
            async with _LINKS[self._settings.transport](self._settings) as made:
                await self._run(made)
        finally:
            self._gone.set()

    async def _run(self, made: Callable[[Behaviour, str], Link]) -> None:
        async with asyncio.TaskGroup() as stations:
            gap = self._settings.ramp / self._settings.count
            for n, identity in enumerate(self._settings.identities(), 1):
                if self._stopping.is_set():
                    break
                link = made(self._station(n, identity), identity)
                self._links.append(link)
                self._started(identity, link)
                stations.create_task(link.run(), name=identity)
                await self._stops_within(gap)

    async def stop(self) -> None:
        """Let every station end its transactions and leave; takes at most `grace` and a few seconds."""
        self._stopping.set()
        for link in self._links:
            link.stop(self._settings.grace)
        try:
            async with asyncio.timeout(self._settings.grace + 2 * CLOSE_WITHIN + 1):
                await self._gone.wait()
        except TimeoutError:
            _log.warning("stations did not hang up in time")

    def _station(self, n: int, identity: str) -> Behaviour:
        settings = self._settings
        return _STATIONS[settings.transport][settings.version](
            identity,
            random=Random(f"{settings.seed}/{n}"),
            epoch=time.time() - asyncio.get_running_loop().time(),
            connectors=settings.connectors,
            pace=settings.pace,
            id_tags=settings.id_tags,
            **self._options(),
        )

    def _options(self) -> dict[str, Any]:
        """What else a station is made with."""
        return {}

    async def _stops_within(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
