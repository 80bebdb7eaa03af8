"""A channel of one's own for publishing with confirms. What closes it does not end the link."""

import asyncio
from collections.abc import Awaitable, Callable

import aiormq

from csms_platform.bus.amqp_link import Link


class Publisher:
    """Opens the channel when it is asked for, and again after a loss. `prepare` declares on each new one."""

    def __init__(self, prepare: Callable[[aiormq.Channel], Awaitable[None]]) -> None:
        self._prepare = prepare
        self._channel: aiormq.Channel | None = None
        self._opening = asyncio.Lock()

    async def open(self, link: Link) -> aiormq.Channel:
        """The channel on this link. Raises one of `LOST`."""
        async with self._opening:
            channel = self._channel
            if channel is None or channel.is_closed or channel.connection is not link.publishing:
                channel = await link.channel(link.publishing, confirms=True)
                await self._prepare(channel)
                self._channel = channel
            return channel
