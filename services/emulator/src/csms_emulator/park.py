"""Several fleets with different settings, run together: what the files describe, in one process."""

import asyncio
from collections.abc import Sequence
from typing import Any

from csms_emulator.behaviour import Behaviour
from csms_emulator.files.dressing import dressed, options
from csms_emulator.files.specification import Specification
from csms_emulator.fleet import Fleet, Started


class _Fleet(Fleet):
    """A fleet whose stations are as a file describes them."""

    def __init__(self, specification: Specification, started: Started) -> None:
        super().__init__(specification.settings, started)
        self._specification = specification

    def _options(self) -> dict[str, Any]:
        return options(self._specification)

    def _station(self, n: int, identity: str) -> Behaviour:
        now = asyncio.get_running_loop().time()
        return dressed(super()._station(n, identity), self._specification, n, now)


class Park:
    """The fleets of `specifications`, from `run` until `stop`; `started` as in `Fleet`."""

    def __init__(self, specifications: Sequence[Specification], started: Started = lambda identity, link: None) -> None:
        self._fleets = [_Fleet(specification, started) for specification in specifications]

    async def run(self) -> None:
        """Start all fleets; returns when all stations have left."""
        async with asyncio.TaskGroup() as running:
            for fleet in self._fleets:
                running.create_task(fleet.run())

    async def stop(self) -> None:
        """Let every station end its transactions and leave; takes as long as the slowest fleet does."""
        await asyncio.gather(*(fleet.stop() for fleet in self._fleets))
