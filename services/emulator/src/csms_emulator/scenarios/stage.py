"""Where a scenario is played: its stations with their players, the operator's side, chance, and what it remembers."""

from collections.abc import Sequence
from random import Random
from typing import Any

from csms_emulator.actions import Payload
from csms_emulator.messages import Message
from csms_emulator.player import Player
from csms_emulator.players import Players
from csms_emulator.scenarios.operator import Operator

COMMAND_WITHIN = 30.0


class UnplayableError(Exception):
    """What the scenario needs is not there; the text is a sentence."""


class Stage:
    """`stage[1]` is the first station's player, `stage["CP-1"]` that of this identity; `len(stage)` how many there are.

    `random` is seeded by the scenario. `variables` are the scenario's and whatever was saved since. `paces` are how
    many emulated seconds each station's cars live in a real one.
    """

    def __init__(
        self,
        players: Players,
        identities: Sequence[str],
        *,
        random: Random,
        variables: dict[str, Any],
        paces: Sequence[float],
        operator: Operator | None = None,
    ) -> None:
        self._players = players
        self.identities = tuple(identities)
        self.random = random
        self.variables = variables
        self.paces = tuple(paces)
        self.operator = operator
        self.playing = ""  # the step, as people find it

    def __getitem__(self, which: int | str) -> Player:
        """Raises `LookupError`, with a sentence."""
        if isinstance(which, str):
            return self._players[which]
        if not 1 <= which <= len(self.identities):
            raise LookupError(f"There is no station {which}.")
        return self._players[self.identities[which - 1]]

    def __len__(self) -> int:
        """How many stations there are."""
        return len(self.identities)

    @property
    def players(self) -> list[Player]:
        """All of them, in the scenario's order."""
        return [self._players[identity] for identity in self.identities]

    @property
    def messages(self) -> list[tuple[str, Message]]:
        """Everything that was said, with the station's identity, in its order."""
        said = [(player.identity, message) for player in self.players for message in player.messages]
        return sorted(said, key=lambda one: one[1].at)

    async def command(
        self, player: Player, action: str, payload: Payload | None = None, *, within: float = COMMAND_WITHIN
    ) -> Payload:
        """Let the operator give this command to the station, by the REST API; answers what the station answers.

        Raises `CommandError` when it is not a result, `OSError` when the API is away.
        """
        if self.operator is None:
            raise UnplayableError("Commands are given through the REST API: say where it is (--api).")
        player.done_elsewhere()
        return await self.operator.command(player.identity, action, payload or {}, within)
