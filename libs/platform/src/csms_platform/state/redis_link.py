"""One connection to Redis: all commands of a loop tick go out as one write, and the replies are read in order.

One connection and one batch at a time, so commands take effect in the order in which they were asked. Commands are
packed by hiredis where they are asked; per command there is then a future, and no timer, lock or retry.

    redis' ConnectionError, TimeoutError, ...  →  ports.Unavailable
    a reply that says "not now" (see below)    →  ports.Unavailable
    any other error reply                      →  redis.exceptions.ResponseError: a bug of ours, or missing rights
"""

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from hashlib import sha1
from typing import Any

from hiredis import pack_command
from redis.asyncio.connection import AbstractConnection, ConnectionPool
from redis.exceptions import (
    ClusterDownError,
    NoScriptError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    ResponseError,
    TryAgainError,
)

from csms_platform.coalesce import Coalescer
from csms_platform.logging import get_logger
from csms_platform.metrics import NUMBERS, Stopwatches, counter, gauge
from csms_platform.ports import Unavailable

_log = get_logger("state.redis")
_seconds = Stopwatches("redis_seconds", "From sending a batch of commands to Redis to its last reply").child()
_sizes = Stopwatches("redis_batch_commands", "Commands sent to Redis in one batch", bounds=NUMBERS).child()
_errors = counter("redis_errors", "Commands that Redis did not carry out, by why", ("reason",))
_unreachable, _not_now, _refused = (_errors.labels(reason) for reason in ("unreachable", "not_now", "refused"))
_up = gauge("redis_up", "0 since Redis did not answer, else 1")
_up.set(1)
_NOT_NOW = (ReadOnlyError, OutOfMemoryError, ClusterDownError, TryAgainError)

Argument = str | bytes | int | float
_Command = tuple[bytes, asyncio.Future[Any], float]


class Script:
    """A Lua script; once Redis has it, its digest is enough to run it."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.digest = sha1(text.encode(), usedforsecurity=False).hexdigest()


class Link:
    """Commands to the Redis at `url`; connects when there is something to say, and again after the connection is lost.

    Each new connection teaches Redis the `scripts`. `timeout` (seconds) bounds connecting, and how long a batch waits
    for its replies. Raises `ValueError` when the URL cannot be understood. Needs a running loop; not thread-safe.
    """

    def __init__(self, url: str, scripts: Iterable[Script] = (), *, timeout: float = 3.0) -> None:
        # Without `socket_timeout` the library makes no timer for each reply; `_exchange` has one for the whole batch.
        # Protocol 2 leaves HGETALL a flat list and sends nothing unasked.
        pool = ConnectionPool.from_url(url, protocol=2, socket_timeout=None, socket_connect_timeout=timeout)
        self._connection: AbstractConnection = pool.make_connection()  # type: ignore[no-untyped-call]
        self._scripts = tuple(scripts)
        self._timeout = timeout
        self._loop = asyncio.get_running_loop()
        self._away = False
        self._line: Coalescer[_Command] = Coalescer(self._flush, most=1024)

    def execute(self, *arguments: Argument) -> asyncio.Future[Any]:
        """Ask one command; the future has its reply (text as bytes) or raises. It is sent whether awaited or not."""
        future = self._loop.create_future()
        packed = pack_command(arguments)  # type: ignore[arg-type] # its stub allows one argument only
        self._line.add((packed, future, self._loop.time() + self._timeout))
        return future

    async def run(self, script: Script, keys: list[str], *arguments: Argument) -> Any:
        """Run `script`, sending its text only when Redis has forgotten it."""
        try:
            return await self.execute("EVALSHA", script.digest, len(keys), *keys, *arguments)
        except NoScriptError:
            return await self.execute("EVAL", script.text, len(keys), *keys, *arguments)

    async def ready(self) -> bool:
        """Whether Redis answers now."""
        try:
            return bool(await self.execute("PING") == b"PONG")
        except (Unavailable, ResponseError):
            return False

    async def close(self) -> None:
        """Wait for the replies to what was asked, and hang up."""
        await self._line.drained()
        await self._connection.disconnect()

    async def _flush(self, batch: list[_Command]) -> None:
        began = self._loop.time()
        try:
            # The batch waits as long as its youngest command may, so that a queue which built up while Redis hung
            # does not hang once more for every batch of it.
            async with asyncio.timeout_at(batch[-1][2]):
                await self._exchange(batch)
        except (RedisError, OSError) as error:
            reason = str(error) or "no answer in time"
            _unreachable.inc(len(batch))
            _up.set(0)
            _fail(batch, f"Redis cannot be reached: {reason}")
            if not self._away:
                _log.warning("redis is away", error=reason)
            self._away = True
        except asyncio.CancelledError:
            _fail(batch, "The connection to Redis is being closed.")
            raise
        else:
            if self._away:
                _log.info("redis is back")
            self._away = False
            _up.set(1)
            _seconds.observe(self._loop.time() - began)
            _sizes.observe(len(batch))

    async def _exchange(self, batch: list[_Command]) -> None:
        connection = self._connection
        # A connection that is readable between batches has been closed by Redis: leave it before anything is sent.
        if connection.is_connected and await connection.can_read():
            await connection.disconnect(nowait=True)
        if not connection.is_connected:
            await connection.connect()  # type: ignore[no-untyped-call]
            await self._teach(connection)
        await connection.send_packed_command(b"".join([packed for packed, _, _ in batch]))
        read = connection.read_response
        for _, future, _ in batch:
            try:
                reply = await read()
            except ResponseError as error:
                if not future.done():
                    future.set_exception(_translated(error))
            else:
                if not future.done():
                    future.set_result(reply)

    async def _teach(self, connection: AbstractConnection) -> None:
        # Before anything is asked: a command that must be asked twice would come after younger ones.
        for script in self._scripts:
            await connection.send_command("SCRIPT", "LOAD", script.text)
        for _ in self._scripts:
            with suppress(ResponseError):
                await connection.read_response()


def _translated(error: ResponseError) -> Exception:
    if str(error).startswith("BUSY ") or isinstance(error, _NOT_NOW):
        _not_now.inc()
        return Unavailable(f"Redis cannot do this now: {error}")
    if not isinstance(error, NoScriptError):  # which a restart of Redis explains, and `run` mends
        _refused.inc()
    return error


def _fail(batch: list[_Command], reason: str) -> None:
    for _, future, _ in batch:
        if not future.done():
            future.set_exception(Unavailable(reason))
