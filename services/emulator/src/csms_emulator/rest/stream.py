"""Server-Sent Events: what a station and its central system say from now on, until one of both sides leaves.

https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

from collections.abc import AsyncIterator

import msgspec

from csms_emulator.rest import shapes
from csms_emulator.rest.register import Watched, until_over

HEARTBEAT = 15.0  # seconds of silence before a comment, which shows whether anybody is there
_COMMENT = b":\n\n"
_encode = msgspec.json.Encoder().encode


async def frames(watched: Watched, epoch: float) -> AsyncIterator[bytes]:
    """The stream's pieces. It ends when the emulator leaves, and for one who does not keep up."""
    with watched.listening() as queue:
        yield _COMMENT
        async for message in until_over(queue, HEARTBEAT):
            if message is None:
                yield _COMMENT
            else:
                yield b"event: %b\ndata: %b\n\n" % (message.kind.encode(), _encode(shapes.said(message, epoch)))
