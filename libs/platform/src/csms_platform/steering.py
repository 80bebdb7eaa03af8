"""What a process is told from outside: signals, as an operator, systemd or a terminal sends them.

TERM, INT    drain, and end; asked again, end now
QUIT         drain, and end
HUP          reload; from a terminal that is gone: drain, and end
WINCH        drain, and wait to be told to end; nothing on a terminal
"""

import asyncio
import os
import signal
from collections.abc import Callable


class Steering:
    """`drain` is set when the services are to leave, `stop` when the process is to end as well."""

    def __init__(self) -> None:
        self.drain = asyncio.Event()
        self.stop = asyncio.Event()
        self._terminal = _on_a_terminal()

    def leave(self) -> None:
        """Drain, and end."""
        self.stop.set()
        self.drain.set()

    def catch_signals(self, reload: Callable[[], None]) -> None:
        """From now on; `reload` is called for a HUP that means it. In the running loop."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
            loop.add_signal_handler(number, self._signalled, number)
        loop.add_signal_handler(signal.SIGHUP, self._hung_up, reload)
        loop.add_signal_handler(signal.SIGWINCH, self._resized)

    def _signalled(self, number: signal.Signals) -> None:
        if self.stop.is_set() and number is not signal.SIGQUIT:
            os._exit(128 + number)  # asked twice: leave now
        self.leave()

    def _resized(self) -> None:
        # A terminal says so whenever its window changes. Without one it is an operator who wants the stations moved.
        if not _on_a_terminal():
            self.drain.set()

    def _hung_up(self, reload: Callable[[], None]) -> None:
        if self._terminal and not _on_a_terminal():
            _let_go_of_the_terminal()
            self.leave()
        else:
            reload()


def _on_a_terminal() -> bool:
    return any(os.isatty(stream) for stream in range(3))


def _let_go_of_the_terminal() -> None:
    """It is gone: whoever writes to it would get an error."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in range(3):
        os.dup2(nowhere, stream)
    os.close(nowhere)
