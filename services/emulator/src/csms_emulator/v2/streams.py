"""Periodic event streams (OCPP 2.1): opened for monitors that have one, sent, adjusted, and closed with their monitors.

`keep_up` before monitors are asked, `flow` afterwards; both after anything may have changed, and at `next_step`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from csms_emulator.actions import Payload, Send
from csms_emulator.v2.device import Calls, Device
from csms_emulator.v2.stream import State, Stream
from csms_emulator.v2.watch import LONGEST

if TYPE_CHECKING:
    from csms_emulator.v2.board import Board

OPEN, CLOSE, NOTIFY = "OpenPeriodicEventStream", "ClosePeriodicEventStream", "NotifyPeriodicEventStream"
ATTEMPTS, PAUSE = 3, 60.0  # seconds, real ones: they spare the central system

ACCEPTED = {"status": "Accepted"}
REJECTED = {"status": "Rejected"}


def get_periodic_event_stream(device: Device, request: Payload, now: float) -> tuple[Payload, Calls]:
    """GetPeriodicEventStream: those that are open."""
    found = [stream.told for stream in device.memory.streams.values() if stream.state is State.OPEN]
    return {"constantStreamData": found} if found else {}, []


def adjust_periodic_event_stream(device: Device, request: Payload, now: float) -> tuple[Payload, Calls]:
    """AdjustPeriodicEventStream: of one that is open; its monitor stays as it is."""
    stream = _find(device, request["id"])
    if stream is None or stream.state is not State.OPEN:
        return {**REJECTED, "statusInfo": {"reasonCode": "NotFound"}}, []
    if not fits(request["params"]):
        return {**REJECTED, "statusInfo": {"reasonCode": "ValueOutOfRange"}}, []
    stream.adjust(request["params"], now)
    return ACCEPTED, []


def fits(params: Payload) -> bool:
    """Whether a stream can be sent so."""
    return bool(params.get("interval", 0) <= LONGEST)


def keep_up(board: Board, now: float) -> None:
    """Streams follow their monitors: new ones are opened, and those whose monitor has gone are closed."""
    memory = board.device.memory
    if not (memory.monitors or memory.streams):
        return
    for number in [*memory.streams]:
        if memory.monitors.get(number, {}).get("periodicEventStream") != memory.streams[number].wanted:
            _close(board, memory.streams.pop(number))
    for number, monitor in memory.monitors.items():
        wanted = monitor.get("periodicEventStream")
        if wanted is not None and number not in memory.streams:
            memory.opened += 1
            memory.streams[number] = Stream(memory.opened, number, wanted, wanted)
    for stream in memory.streams.values():
        _open(board, stream, now)


def flow(board: Board, now: float) -> None:
    """Send what was gathered, as far as it is time to."""
    if not board.online:
        return
    for stream in board.device.memory.streams.values():
        pieces = stream.ready(now) if stream.state is State.OPEN else []
        pending = sum(map(len, pieces)) + len(stream.data)
        for piece in pieces:
            pending -= len(piece)
            board.actions.append(Send(NOTIFY, _told(board, stream, piece, pending)))


def next_step(board: Board) -> float | None:
    """When there is something to do without an input; None: no time matters."""
    if not board.online:
        return None
    times = (_next(stream) for stream in board.device.memory.streams.values())
    return min((at for at in times if at is not None), default=None)


def answered(board: Board, stream_id: int, reply: Payload, now: float) -> None:
    """OpenPeriodicEventStream was answered."""
    stream, accepted = _find(board.device, stream_id), reply["status"] == "Accepted"
    if stream is None:
        # Its monitor has gone meanwhile.
        if accepted:
            _say(board, CLOSE, {"id": stream_id})
        return
    stream.state = State.OPEN if accepted else State.REFUSED
    if accepted:
        stream.adjust(stream.params, now)
    else:
        stream.data.clear()
        board.log("stream refused", "warning", monitor=stream.monitor)


def listen(board: Board) -> None:
    """The central system listens (again): what it was asked before may never have reached it."""
    for stream in board.device.memory.streams.values():
        stream.asked, stream.attempts = None, 0


def restarted(board: Board) -> None:
    """The station restarts: what was open is not any more."""
    memory = board.device.memory
    for number, stream in memory.streams.items():
        memory.streams[number] = Stream(stream.id, number, stream.wanted, stream.wanted)


def _open(board: Board, stream: Stream, now: float) -> None:
    waits = stream.asked is not None and now < stream.asked + PAUSE
    if stream.state is State.NEW and board.online and not waits and stream.attempts < ATTEMPTS:
        stream.asked, stream.attempts = now, stream.attempts + 1
        board.outbox.post(OPEN, {"constantStreamData": stream.told})


def _close(board: Board, stream: Stream) -> None:
    if stream.state is State.OPEN:
        _say(board, CLOSE, {"id": stream.id})


def _say(board: Board, action: str, body: Payload) -> None:
    if board.online:
        board.outbox.post(action, body)
    else:
        board.upkeep.untold.append((action, body))


def _next(stream: Stream) -> float | None:
    if stream.state is State.OPEN:
        return stream.due
    tries = stream.state is State.NEW and stream.asked is not None and stream.attempts < ATTEMPTS
    return stream.asked + PAUSE if tries and stream.asked is not None else None


def _told(board: Board, stream: Stream, piece: list[tuple[float, str]], pending: int) -> Payload:
    base = piece[0][0]
    data = [{"t": round(at - base, 3), "v": value} for at, value in piece]
    return {"id": stream.id, "pending": pending, "basetime": board.timestamp(base), "data": data}


def _find(device: Device, stream_id: int) -> Stream | None:
    return next((stream for stream in device.memory.streams.values() if stream.id == stream_id), None)
