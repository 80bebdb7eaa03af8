"""Connections that end without a close, and stations that are back at once: the timers of `SuddenDeath` and `Storm`.

Acts only on what it was given: the network cable of one link, or all of TCP.
"""

import asyncio
from collections.abc import Callable
from typing import assert_never

from csms_emulator.faults.troubles import Outage, Storm, SuddenDeath


class Outages:
    """Of one link. `sever` cuts the connection; `unplug` does so, too, and it does not come back until `plug_in`."""

    def __init__(self, sever: Callable[[str], None], unplug: Callable[[], None], plug_in: Callable[[], None]) -> None:
        self._sever = sever
        self._unplug = unplug
        self._plug_in = plug_in
        self._loop = asyncio.get_running_loop()
        self._timers: dict[type[Outage], asyncio.TimerHandle] = {}
        self._unplugged = False

    def begin(self, outage: Outage) -> None:
        """It begins, or begins anew."""
        match outage:
            case SuddenDeath():
                self._later(SuddenDeath, outage.after, lambda: self._die(outage))
            case Storm():
                self._squall(outage, outage.times)
            case _:
                assert_never(outage)

    def end(self) -> None:
        """No more of it; the network is there again where it was taken away."""
        self.forget()
        if self._unplugged:
            self._return()

    def forget(self) -> None:
        """No more of it; what is gone stays gone."""
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()

    def _later(self, kind: type[Outage], seconds: float, what: Callable[[], None]) -> None:
        if timer := self._timers.pop(kind, None):
            timer.cancel()
        self._timers[kind] = self._loop.call_later(seconds, what)

    def _die(self, death: SuddenDeath) -> None:
        if death.returns:
            self._sever("sudden death")
        else:
            self._leave()

    def _squall(self, storm: Storm, left: int) -> None:
        self._leave()
        self._later(Storm, storm.gap, lambda: self._lull(storm, left - 1))

    def _lull(self, storm: Storm, left: int) -> None:
        self._return()
        if left:
            self._later(Storm, storm.every - storm.gap, lambda: self._squall(storm, left))

    def _leave(self) -> None:
        self._unplugged = True
        self._unplug()

    def _return(self) -> None:
        self._unplugged = False
        self._plug_in()
