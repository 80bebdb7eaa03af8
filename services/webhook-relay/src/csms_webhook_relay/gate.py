"""How many requests go to one endpoint at once, and who is next when they are too many."""

import asyncio
import contextlib
from collections import deque


class Gate:
    """`width` may be inside. Stations' CALLs wait, at most `waiting` of them; letters wait behind them, however many.

    For one event loop.
    """

    __slots__ = ("_calls", "_inside", "_letters", "_waiting", "_width")

    def __init__(self, width: int, waiting: int) -> None:
        self._width = width
        self._waiting = waiting
        self._inside = 0
        self._calls: deque[asyncio.Future[None]] = deque()
        self._letters: deque[asyncio.Future[None]] = deque()

    @property
    def inside(self) -> int:
        """How many have entered and not left."""
        return self._inside

    @property
    def open(self) -> bool:
        """Whether somebody may enter without waiting."""
        return self._inside < self._width

    def enter(self) -> None:
        """Enter at once; only while it is `open`. Whoever enters must `leave`."""
        self._inside += 1

    async def wait(self, seconds: float, *, live: bool) -> bool:
        """Enter when it is one's turn; False, without having entered, when too many wait or it took `seconds`."""
        queue = self._calls if live else self._letters
        if live and len(queue) >= self._waiting:
            return False
        turn = asyncio.get_running_loop().create_future()
        queue.append(turn)
        try:
            async with asyncio.timeout(seconds):
                await turn
        except BaseException as error:
            if turn.done() and not turn.cancelled():
                self.leave()  # our turn came as we gave up: it is somebody else's
            else:
                with contextlib.suppress(ValueError):  # `leave` has passed over it
                    queue.remove(turn)
            if isinstance(error, TimeoutError):
                return False
            raise
        return True

    def leave(self) -> None:
        """Hand the place to whoever waits longest: calls first."""
        for queue in (self._calls, self._letters):
            while queue:
                if not (turn := queue.popleft()).done():
                    turn.set_result(None)
                    return
        self._inside -= 1
