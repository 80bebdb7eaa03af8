"""What the steps of a scenario do, each for one station."""

import asyncio
from collections.abc import Sequence
from typing import Any, Literal

import msgspec

from csms_emulator.expectations import UnmetError
from csms_emulator.faults.troubles import Trouble
from csms_emulator.messages import Message
from csms_emulator.player import CallError, Player
from csms_emulator.scenarios.conditions import Condition
from csms_emulator.scenarios.operator import CommandError
from csms_emulator.scenarios.paths import Path, values
from csms_emulator.scenarios.sentences import Expectation, Wait
from csms_emulator.scenarios.stage import Stage
from csms_emulator.scenarios.templates import fill
from csms_emulator.view import View

Save = dict[str, Path] | str  # a variable for each path, or one for all of the payload
Way = Literal["call", "command"]


class Do(msgspec.Struct, frozen=True):
    """A deed of this type; `fields` may hold variables."""

    deed: type[Any]
    fields: dict[str, Any]

    async def play(self, stage: Stage, player: Player) -> None:
        if refusal := await player.do(msgspec.convert(fill(self.fields, stage.variables), self.deed)):
            raise UnmetError(refusal)


class Network(msgspec.Struct, frozen=True):
    """The network goes away or comes back, or what was wrong with it is mended."""

    what: Literal["offline", "go_online", "heal"]

    async def play(self, stage: Stage, player: Player) -> None:
        await getattr(player, self.what)()


class GoWrong(msgspec.Struct, frozen=True):
    """Something goes wrong at the connection."""

    trouble: dict[str, Any]

    async def play(self, stage: Stage, player: Player) -> None:
        made: Trouble = msgspec.convert(fill(self.trouble, stage.variables), Trouble)
        await player.trouble(made)


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """A CALL by the station, or a command by the operator: answered with a result for which `where` holds.

    With `refused`, it is answered with this error code instead.
    """

    way: Way
    action: str
    payload: dict[str, Any]
    where: Condition | None = None
    refused: str = ""
    save: Save = msgspec.field(default_factory=dict)

    async def play(self, stage: Stage, player: Player) -> None:
        payload = fill(self.payload, stage.variables)
        ask = player.call if self.way == "call" else _commanding(stage, player)
        try:
            answer = await ask(self.action, payload)
        except (CallError, CommandError) as error:
            self._refused(error)
            return
        if self.refused:
            raise UnmetError(f"answered with {answer}, not with {self.refused}")
        if self.where and not self.where.holds(answer, stage.variables):
            raise UnmetError(f"answered with {answer}")
        _save(self.save, answer, stage)

    def _refused(self, error: CallError | CommandError) -> None:
        if error.code != self.refused:
            raise UnmetError(str(error)) from None


class Expect(msgspec.Struct, frozen=True):
    """The message is said."""

    expectation: Expectation
    save: Save = msgspec.field(default_factory=dict)

    async def play(self, stage: Stage, player: Player) -> None:
        try:
            message = await _said(self.expectation, stage, player)
        except UnmetError:
            said = _said_last(player, self.expectation.action)
            raise UnmetError(f"not within {self.expectation.within:g} s; said last: {said}") from None
        _save(self.save, _content(message), stage)


class Never(msgspec.Struct, frozen=True):
    """The message is not said for as long as it might be."""

    expectation: Expectation

    async def play(self, stage: Stage, player: Player) -> None:
        try:
            message = await _said(self.expectation, stage, player)
        except UnmetError:
            return
        raise UnmetError(f"was said: {message}")


class WaitFor(msgspec.Struct, frozen=True):
    """What is seen of the station, and of one connector (EVSE), becomes so."""

    wait: Wait
    connector: int = 1

    async def play(self, stage: Stage, player: Player) -> None:
        def holds(view: View) -> bool:
            return self.wait.condition.holds(seen(view, self.connector), stage.variables)

        try:
            await player.until(holds, self.wait.within)
        except UnmetError:
            place = player.connector(self.connector)
            told = f"seen last: {place}; said last: {_said_last(player)}"
            raise UnmetError(f"not within {self.wait.within:g} s; {told}") from None


class Pause(msgspec.Struct, frozen=True):
    """Time passes."""

    seconds: float

    async def play(self, stage: Stage, player: Player) -> None:
        await asyncio.sleep(self.seconds)


class Check(msgspec.Struct, frozen=True):
    """A condition of the variables holds now."""

    condition: Condition

    async def play(self, stage: Stage, player: Player) -> None:
        if not self.condition.holds({}, stage.variables):
            looked = {path.variable: stage.variables.get(path.variable) for path in self.condition.paths}
            told = ", ".join(f"{name} is {value!r}" for name, value in looked.items() if name)
            raise UnmetError(f"does not hold: {told}")


def seen(view: View, connector: int) -> dict[str, Any]:
    """What conditions are about: the connector's fields, and those of the station."""
    shown: dict[str, Any] = msgspec.to_builtins(view)
    return shown | msgspec.structs.asdict(view.connector(connector))


def _commanding(stage: Stage, player: Player) -> Any:
    return lambda action, payload: stage.command(player, action, payload)


async def _said(wanted: Expectation, stage: Stage, player: Player) -> Message:
    def where(message: Message) -> bool:
        return wanted.where is None or wanted.where.holds(_content(message), stage.variables)

    return await player.expect(wanted.action, wanted.within, where=where, sender=wanted.sender, kind=wanted.kind)


def _content(message: Message) -> dict[str, Any]:
    if message.kind == "error":
        return {"code": message.code, "description": message.description}
    return message.payload


def _said_last(player: Player, action: str = "") -> str:
    """The last message about this, or else the last of all: it shows why what was expected is none of them."""
    said: Sequence[Message] = player.messages
    about = [message for message in said if message.action == action]
    return f"{(about or said)[-1]}" if said else "nothing"


def _save(save: Save, payload: dict[str, Any], stage: Stage) -> None:
    if isinstance(save, str):
        stage.variables[save] = payload
        return
    for name, path in save.items():
        stage.variables[name] = values(path, payload, stage.variables)[0]
