"""`csms scenario`, apart from its options: scenarios of files against a central system, some at the same time."""

import asyncio
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TextIO

import msgspec

from csms_emulator.scenarios.operator import Operator
from csms_emulator.scenarios.perform import Central, perform
from csms_emulator.scenarios.reading import load
from csms_emulator.scenarios.reports import junit, listing, table
from csms_emulator.scenarios.results import Result, well
from csms_emulator.scenarios.scenario import Scenario

PLAYED, FAILED = 0, 1


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be played, where, and who is told.

    `urls` replace the files' own, `api` ("": none) is where the operator's commands go. `jobs` scenarios are played at
    the same time; their identities must differ, which those that the files leave to us do.
    """

    paths: tuple[Path, ...]
    urls: tuple[str, ...] = ()
    api: str = ""
    api_key: str = ""
    prefix: str = ""
    matching: str = ""
    seed: int | None = None
    jobs: int = 1
    junit: Path | None = None
    only_list: bool = False


async def run(wish: Wish, out: TextIO = sys.stdout) -> int:
    """Play all; answers the exit code: 0 when none failed. Raises `ValueError` and `OSError` before anything starts."""
    scenarios = load(wish.paths, wish.matching)
    if not scenarios:
        raise ValueError(f"No scenario's name contains {wish.matching!r}.")
    if wish.only_list:
        print(listing(scenarios), file=out)
        return PLAYED
    if wish.junit:
        wish.junit.touch()  # a report that cannot be written is told before the stations start, not after
    seeded = [one if wish.seed is None else one.seeded(wish.seed) for one in scenarios]
    results = await _perform_all(seeded, wish)
    if wish.junit:
        wish.junit.write_text(junit(results), encoding="utf-8")
    print(table(results), file=out)
    return PLAYED if well(results) else FAILED


async def _perform_all(scenarios: Sequence[Scenario], wish: Wish) -> list[Result]:
    async with AsyncExitStack() as stack:
        operator = await stack.enter_async_context(Operator(wish.api, wish.api_key)) if wish.api else None
        central = Central(wish.urls, operator, wish.prefix)
        turns = asyncio.Semaphore(wish.jobs)

        async def one(scenario: Scenario) -> Result:
            async with turns:
                return await perform(scenario, central)

        return await asyncio.gather(*(one(scenario) for scenario in scenarios))
