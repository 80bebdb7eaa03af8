"""An order to a load generator, and what came of it."""

from dataclasses import dataclass

from bench.latency import Latency


@dataclass(frozen=True, slots=True)
class Run:
    """`rate` None is the closed loop; else calls a second, spread over the `active` stations. Times in seconds."""

    scenario: str
    active: int
    warm_up: float
    window: float
    rate: float | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the stations saw in one window. `own_cpu`: the load generator's CPU seconds in it."""

    calls: int
    seconds: float
    latency: Latency
    errors: dict[str, int]
    own_cpu: float
