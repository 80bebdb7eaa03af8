"""What a test expects a station and its central system to say: messages kept in order, each found at most once."""

import asyncio
from collections.abc import Callable

from csms_emulator.messages import Kind, Message, Sender

MOST_KEPT = 10_000

Where = Callable[[Message], bool]


class UnmetError(AssertionError):
    """What was expected has not come; the text tells what came instead."""


class Heard:
    """Everything that was said since the watching began, the newest `MOST_KEPT` of it."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self._open: list[Message] = []  # those that no expectation has been given yet
        self._since = 0  # of `_open`: those before it were said before the last deeds
        self._fresh = False  # whether an expectation came after the last deed
        self.news = asyncio.Event()

    def hear(self, message: Message | None) -> None:
        """A watcher of a link."""
        if message:
            self.messages.append(message)
            self._open.append(message)
            if len(self.messages) > MOST_KEPT:
                del self.messages[0]
            if len(self._open) > MOST_KEPT:
                del self._open[0]
                self._since = max(0, self._since - 1)
        self.news.set()

    def deed(self) -> None:
        """Something is done: expectations are about what is said from now on, and about the deeds just before."""
        if self._fresh:
            self._since, self._fresh = len(self._open), False

    def take(self, action: str, sender: Sender | None, kind: Kind, where: Where | None) -> Message | None:
        """The first such message that nobody has been given yet."""
        self._fresh = True
        for place in range(self._since, len(self._open)):
            message = self._open[place]
            named = message.action == action and message.kind == kind and sender in (None, message.sender)
            if named and (where is None or where(message)):
                return self._open.pop(place)
        return None

    def told(self, most: int = 20) -> str:
        """The last messages, a line each."""
        return "\n".join(f"  {message}" for message in self.messages[-most:]) or "  nothing was said"
