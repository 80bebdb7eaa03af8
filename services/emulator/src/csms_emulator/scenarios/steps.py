"""The steps of a scenario: each does its act for the stations that it is about, and says how it failed."""

import asyncio
from collections.abc import Sequence
from typing import Any, Literal, Protocol

import msgspec

from csms_emulator.expectations import UnmetError
from csms_emulator.player import Player
from csms_emulator.scenarios.operator import CommandError
from csms_emulator.scenarios.stage import Stage

Stations = int | Literal["all"]


class Act(Protocol):
    """What a step does."""

    async def play(self, stage: Stage, player: Player) -> None:
        """Do it for this station. Raises `AssertionError` with a sentence when what is expected does not come."""


class StepError(AssertionError):
    """A step has failed; the text is a sentence, `step` says which."""

    def __init__(self, step: str, sentence: str) -> None:
        super().__init__(sentence)
        self.step = step


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """`label` is how people find it in the file; `stations` is a number from 1 on, or all at the same time."""

    label: str
    act: Act
    stations: Stations = 1

    async def play(self, stage: Stage) -> None:
        """Raises `StepError`."""
        stage.playing = self.label
        numbers = range(1, len(stage) + 1) if self.stations == "all" else [self.stations]
        try:
            await _together([self.act.play(stage, stage[number]) for number in numbers])
        except (UnmetError, CommandError, ValueError, LookupError, OSError, TimeoutError) as error:
            raise StepError(self.label, str(error).partition("\n")[0] or "no answer came in time") from error


class Repeat(msgspec.Struct, frozen=True):
    """The same steps again and again."""

    times: int
    steps: tuple[Step, ...]

    async def play(self, stage: Stage, player: Player) -> None:
        for _ in range(self.times):
            for step in self.steps:
                await step.play(stage)


class Script(msgspec.Struct, frozen=True):
    """Steps one after the other: what a YAML file has to play."""

    steps: tuple[Step, ...]

    async def __call__(self, stage: Stage) -> None:
        for step in self.steps:
            await step.play(stage)


async def _together(plays: Sequence[Any]) -> None:
    if len(plays) == 1:
        await plays[0]
        return
    try:
        async with asyncio.TaskGroup() as group:
            for play in plays:
                group.create_task(play)
    except ExceptionGroup as failed:
        raise failed.exceptions[0] from None
