"""What every route may use, made once when the service starts."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from csms_api.asking import Asking
from csms_api.live import Live
from csms_api.settings import Settings
from csms_platform.ports import Ports


@dataclass(frozen=True, slots=True)
class Context:
    """`now` is in seconds since 1970. `leaving` is set when streams must end."""

    ports: Ports
    settings: Settings
    asking: Asking
    now: Callable[[], float]
    live: Live
    leaving: asyncio.Event = field(default_factory=asyncio.Event)
