"""Tells systemd how the process is (sd_notify(3)): one datagram to the socket that `NOTIFY_SOCKET` names.

Without that variable nothing is told, so everybody may call it.
"""

import os
import socket
import time
from collections.abc import Mapping

READY, STOPPING, ALIVE = "READY=1", "STOPPING=1", "WATCHDOG=1"


def notify(*states: str, environ: Mapping[str, str] = os.environ) -> None:
    """Say these assignments, such as `READY`. What cannot be said is not: a service lives without its supervisor."""
    address = environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return
    # sd_notify(3): a socket in the abstract namespace is written with @ for the zero byte.
    name = "\0" + address[1:] if address.startswith("@") else address
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as supervisor:
            supervisor.sendto("\n".join(states).encode(), name)
    except OSError:
        pass


def reloading() -> str:
    """What Type=notify-reload wants to hear before the configuration is read again."""
    return f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}"


def watchdog_patience(environ: Mapping[str, str] = os.environ) -> float:
    """After how many seconds without `ALIVE` systemd takes this process for hung; 0: it does not look."""
    # sd_watchdog_enabled(3): it may be another process that systemd looks at.
    if environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return 0
    microseconds = environ.get("WATCHDOG_USEC", "")
    return int(microseconds) / 1e6 if microseconds.isdecimal() else 0
