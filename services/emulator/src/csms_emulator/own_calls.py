"""The CALLs that somebody outside sends over a station's link: who waits for which of them. The station never hears."""

import asyncio

from csms_ocpp.session import CallEnded


class OwnCalls:
    """Their numbers count downwards, as a station's count upwards."""

    def __init__(self) -> None:
        self._waiting: dict[object, asyncio.Future[CallEnded]] = {}
        self._last = 0

    def begin(self) -> tuple[int, asyncio.Future[CallEnded]]:
        """A number, and what its end is told to."""
        self._last -= 1
        future: asyncio.Future[CallEnded] = asyncio.get_running_loop().create_future()
        self._waiting[self._last] = future
        return self._last, future

    def took(self, event: object) -> bool:
        """Whether this is the end of one of them; then whoever waits has it."""
        if not isinstance(event, CallEnded) or event.context not in self._waiting:
            return False
        future = self._waiting.pop(event.context)
        if not future.done():
            future.set_result(event)
        return True

    def drop(self) -> None:
        """The connection is gone."""
        waiting, self._waiting = self._waiting, {}
        for future in waiting.values():
            if not future.done():
                future.set_exception(ConnectionError("The connection is gone."))
