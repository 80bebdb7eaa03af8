"""How scenarios ended: values."""

from typing import Literal

import msgspec

from csms_emulator.messages import Message
from csms_emulator.scenarios.scenario import Scenario

Verdict = Literal["passed", "failed", "error", "skipped"]


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """`step` is where it failed, `reason` a sentence. An "error" is none of the central system's: `trace` has it.

    `said` is the conversation, with the stations' identities, and `began` when it did, on the same clock.
    """

    scenario: Scenario
    verdict: Verdict
    seconds: float = 0.0
    step: str = ""
    reason: str = ""
    trace: str = ""
    began: float = 0.0
    said: tuple[tuple[str, Message], ...] = ()

    @property
    def conversation(self) -> str:
        """A line for each message."""
        return "\n".join(f"{message.at - self.began:8.3f} {identity} {message}" for identity, message in self.said)


def well(results: list[Result]) -> bool:
    """Whether all did what they should."""
    return all(result.verdict in ("passed", "skipped") for result in results)
