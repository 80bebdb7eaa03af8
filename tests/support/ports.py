"""Free TCP ports on the loopback, and waiting until somebody answers on one."""

import random
import socket
import time
from collections.abc import Callable

# Below the ranges from which Linux (32768…) and macOS (49152…) take ports for outgoing connections: a port that a
# restarting server wants back is not taken by a client meanwhile.
_RANGE = range(15_000, 32_000)
_given: set[int] = set()


def free_port() -> int:
    """A loopback port that nobody listens on; never the same one twice in this process."""
    while True:
        port = random.choice(_RANGE)
        if port not in _given and _is_free(port):
            _given.add(port)
            return port


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def answers(port: int, greeting: bytes, reply: bytes, host: str = "127.0.0.1") -> bool:
    """Whether a server on `port` sends something that begins with `reply` after `greeting`, within a second."""
    try:
        with socket.create_connection((host, port), timeout=1) as connection:
            connection.settimeout(1)
            connection.sendall(greeting)
            return connection.recv(len(reply) or 1).startswith(reply) if reply else True
    except OSError:
        return False


def wait_until(true: Callable[[], bool], seconds: float) -> bool:
    """Ask every 50 ms; False when it was not so within `seconds`. Blocks: from async code call it in a thread."""
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
