"""How many requests go to one endpoint at once, and who is next when they are too many."""

import asyncio
from collections import deque


class _Turn:
    """Somebody who waits. `given` becomes True when it may enter, False when it waited too long."""

    __slots__ = ("given", "until")

    def __init__(self, until: float) -> None:
        self.until = until
        self.given: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

    def give(self, entered: bool) -> bool:
        """Answers False when it has ended already."""
        if self.given.done():
            return False
        self.given.set_result(entered)
        return True


class Gate:
    """`width` may be inside. Stations' CALLs wait, at most `waiting` of them; letters wait behind them, however many.

    For one event loop. One timer serves all who wait: one for each would cost more than the waiting.
    """

    __slots__ = ("_calls", "_due", "_inside", "_letters", "_timer", "_waiting", "_width")

    def __init__(self, width: int, waiting: int) -> None:
        self._width = width
        self._waiting = waiting
        self._inside = 0
        self._calls: deque[_Turn] = deque()
        self._letters: deque[_Turn] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._due = 0.0

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
        turn = _Turn(asyncio.get_running_loop().time() + seconds)
        queue.append(turn)
        if self._timer is None or turn.until < self._due:
            self._wake_at(turn.until)
        try:
            return await turn.given
        except asyncio.CancelledError:
            if turn.given.done() and not turn.given.cancelled() and turn.given.result():
                self.leave()  # our turn came as we gave up: it is somebody else's
            elif turn in queue:
                queue.remove(turn)
            raise

    def leave(self) -> None:
        """Hand the place to whoever waits longest: calls first."""
        for queue in (self._calls, self._letters):
            while queue:
                if queue.popleft().give(True):
                    return
        self._inside -= 1

    def _wake_at(self, due: float) -> None:
        if self._timer:
            self._timer.cancel()
        self._due = due
        self._timer = asyncio.get_running_loop().call_at(due, self._expire)

    def _expire(self) -> None:
        now, self._timer = asyncio.get_running_loop().time(), None
        for queue in (self._calls, self._letters):
            late = [turn for turn in queue if turn.until <= now]
            for turn in late:
                queue.remove(turn)
                turn.give(False)
        if left := [turn.until for queue in (self._calls, self._letters) for turn in queue]:
            self._wake_at(min(left))
