"""Plays a crowd: everybody of the plan comes, charges and leaves; those at one place one after the other."""

import asyncio
from collections import defaultdict

import msgspec

from csms_emulator import deeds
from csms_emulator.expectations import UnmetError
from csms_emulator.player import Player
from csms_emulator.scenarios.arrivals import Arrivals, Place, Visit, plan
from csms_emulator.scenarios.stage import Stage

_PATIENCE = 10.0  # seconds for a transaction to begin, and to end


class Crowd(msgspec.Struct, frozen=True):
    """The step: over once all have left. They come to all stations."""

    arrivals: Arrivals

    async def play(self, stage: Stage, player: Player) -> None:
        visits: dict[Place, list[Visit]] = defaultdict(list)
        for visit in plan(self.arrivals, _places(stage), stage.random):
            visits[visit.place].append(visit)
        began = asyncio.get_running_loop().time()
        try:
            async with asyncio.TaskGroup() as crowd:
                for place, those in visits.items():
                    crowd.create_task(_queue(those, stage, place, began))
        except ExceptionGroup as group:
            raise group.exceptions[0] from None


def _places(stage: Stage) -> list[Place]:
    stations = enumerate(stage.players, 1)
    return [Place(n, connector.number) for n, player in stations for connector in player.view.connectors]


async def _queue(visits: list[Visit], stage: Stage, place: Place, began: float) -> None:
    player, pace = stage[place.station], stage.paces[place.station - 1]
    loop = asyncio.get_running_loop()
    for visit in visits:
        await asyncio.sleep(max(0.0, began + visit.at / pace - loop.time()))
        await _visit(visit, player, pace)


async def _visit(visit: Visit, player: Player, pace: float) -> None:
    number = visit.place.connector
    card, plug = deeds.Swipe(number, visit.card), deeds.Plug(number)
    for deed in (card, plug) if visit.card_first else (plug, card):
        await _do(player, deed)
    await player.until(lambda view: view.connector(number).transaction not in ("", "?"), _PATIENCE, "a transaction")
    await asyncio.sleep(visit.stay / pace)
    if visit.swipes_out:
        await _do(player, card)
    await _do(player, deeds.Unplug(number))
    await player.until(lambda view: not view.connector(number).transaction, _PATIENCE, "the end of a transaction")


async def _do(player: Player, deed: deeds.PlaceDeed) -> None:
    if refusal := await player.do(deed):
        name = type(deed).__name__.lower()
        raise UnmetError(f"{player.identity}: {name} at connector {deed.connector}: {refusal}")
