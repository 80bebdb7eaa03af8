"""Plays a scenario against a central system, from the stations' first word to their last, and tells how it ended."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random
from typing import Any

import msgspec

from csms_emulator.files.reading import redirected
from csms_emulator.files.specification import Specification, escaped
from csms_emulator.messages import Message
from csms_emulator.players import Players
from csms_emulator.scenarios.endings import Ending, ending
from csms_emulator.scenarios.operator import Operator
from csms_emulator.scenarios.results import Result
from csms_emulator.scenarios.scenario import Scenario
from csms_emulator.scenarios.stage import Stage
from csms_emulator.scenarios.steps import StepError

BOOTED_WITHIN = 15.0


class Central(msgspec.Struct, frozen=True):
    """Where it is played. `urls` replace the files' own; `prefix` comes before every identity."""

    urls: tuple[str, ...] = ()
    operator: Operator | None = None
    prefix: str = ""


async def perform(scenario: Scenario, central: Central) -> Result:
    """Play it. Whatever goes wrong is in the result; raises only what concerns every scenario (`ValueError`)."""
    if scenario.needs_api and central.operator is None:
        return Result(scenario=scenario, verdict="skipped", reason="It needs the REST API: say where it is (--api).")
    fleets = [_at(fleet, central) for fleet in scenario.fleets]
    said: list[tuple[str, Message]] = []
    clock = asyncio.get_running_loop().time
    began, ended = clock(), Ending("passed")
    try:
        await _played(scenario, central, fleets, said)
    except Exception as error:
        ended = ending(error, scenario.file, said)
    told = msgspec.structs.asdict(ended)
    return Result(scenario=scenario, seconds=clock() - began, began=began, said=tuple(said), **told)


async def _played(
    scenario: Scenario, central: Central, fleets: list[Specification], said: list[tuple[str, Message]]
) -> None:
    async with _cards(scenario, central.operator), Players(fleets) as players:
        stage = _stage(scenario, central, fleets, players)
        try:
            async with asyncio.timeout(scenario.limit):
                if scenario.booted:
                    await asyncio.gather(*(player.booted(BOOTED_WITHIN) for player in stage.players))
                await scenario.play(stage)
        except TimeoutError:
            raise StepError(stage.playing, f"the scenario was not over within {scenario.limit:g} s") from None
        finally:
            said += stage.messages


def _stage(scenario: Scenario, central: Central, fleets: list[Specification], players: Players) -> Stage:
    settings = [fleet.settings for fleet in fleets]
    identities = [identity for one in settings for identity in one.identities()]
    known = {"station": identities[0], "stations": identities, "version": scenario.version}
    return Stage(
        players,
        identities,
        random=Random(scenario.seed),
        variables={**scenario.variables, **known},
        paces=[one.pace for one in settings for _ in range(one.count)],
        operator=central.operator,
    )


def _at(fleet: Specification, central: Central) -> Specification:
    settings = fleet.settings
    named = msgspec.structs.replace(settings, identity=escaped(central.prefix) + settings.identity)
    moved = msgspec.structs.replace(fleet, settings=named)
    return redirected(moved, *central.urls) if central.urls else moved


@asynccontextmanager
async def _cards(scenario: Scenario, operator: Operator | None) -> AsyncIterator[None]:
    """The scenario's cards are known; afterwards everything is as it was."""
    before: dict[str, Any] = {}
    if operator is None:
        yield
        return
    try:
        for card, status in scenario.cards.items():
            before[card] = await operator.card(card)
            await operator.put_card(card, {"status": status})
        yield
    finally:
        for card, fields in before.items():
            await (operator.put_card(card, fields) if fields else operator.delete_card(card))
