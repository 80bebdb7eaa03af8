"""What a `websockets` connection does when it is told to do wrong."""

from websockets.asyncio.client import ClientConnection

from csms_emulator.faults.wrong import Layer, Piece


async def put(socket: ClientConnection, piece: Piece) -> None:
    """Send it, whatever it is. Raises `ConnectionClosed`."""
    if piece.layer is Layer.SOCKET:
        socket.transport.write(piece.data)
    else:
        await socket.send(piece.data, text=piece.layer is Layer.TEXT)


def freeze(socket: ClientConnection) -> None:
    """Neither read nor ping any more; not even the end of the connection is noticed."""
    socket.transport.pause_reading()
    if socket.keepalive_task:
        socket.keepalive_task.cancel()


def thaw(socket: ClientConnection) -> None:
    """Read and ping again."""
    if not socket.transport.is_closing():
        socket.transport.resume_reading()
        socket.start_keepalive()
