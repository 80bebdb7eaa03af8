"""Until when gateways live, in memory. Finding whose lease has ended costs what has ended, however many live.

A heap holds a mark for each gateway, at the end of its lease or before it: renewing leaves the mark where it is, and
one that comes up too early is put back.
"""

import heapq
from collections.abc import Callable, Iterator
from math import inf

from csms_platform.ports import GatewayId


class MemoryLeases:
    """Leases by gateway; their ends are in seconds since 1970, as is the time of `clock`."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._ends: dict[GatewayId, float] = {}
        self._marks: dict[GatewayId, float] = {}
        self._heap: list[tuple[float, GatewayId]] = []

    def lives(self, gateway: GatewayId) -> bool:
        """Whether the gateway has a lease that has not ended."""
        return self._ends.get(gateway, 0.0) > self._clock()

    def renew(self, gateway: GatewayId, seconds: float) -> None:
        """The lease ends `seconds` from now."""
        self._set(gateway, self._clock() + seconds)

    def expect(self, gateway: GatewayId) -> None:
        """A gateway without a lease counts as one whose lease has ended."""
        if gateway not in self._ends:
            self.end(gateway)

    def end(self, gateway: GatewayId) -> None:
        """The lease has ended: `ended` answers the gateway, also when it has done so before."""
        self._set(gateway, 0.0)

    def drop(self, gateway: GatewayId) -> None:
        """Forget the lease, if there is one: `ended` does not answer the gateway."""
        self._ends.pop(gateway, None)

    def ended(self) -> Iterator[GatewayId]:
        """The gateways whose lease has ended, each once; those that the caller does not come to are answered again."""
        while self._heap and self._heap[0][0] <= self._clock():
            at, gateway = heapq.heappop(self._heap)
            if self._marks.get(gateway) != at:
                continue
            del self._marks[gateway]
            if self.lives(gateway):
                self._mark(gateway)
            elif gateway in self._ends:
                yield gateway

    def _set(self, gateway: GatewayId, ends: float) -> None:
        self._ends[gateway] = ends
        self._mark(gateway)

    def _mark(self, gateway: GatewayId) -> None:
        at = self._ends[gateway]
        if at < self._marks.get(gateway, inf):
            self._marks[gateway] = at
            heapq.heappush(self._heap, (at, gateway))
