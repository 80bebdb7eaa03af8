"""What systemd is told."""

import os
import socket
from pathlib import Path

import pytest

from csms_platform.notify import READY, STOPPING, notify, reloading, watchdog_patience


@pytest.fixture
def supervisor(tmp_path: Path) -> socket.socket:
    made = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    made.bind(str(tmp_path / "notify"))
    made.settimeout(2)
    return made


def test_states_arrive_as_one_datagram(supervisor: socket.socket) -> None:
    with supervisor:
        notify(READY, "STATUS=here", environ={"NOTIFY_SOCKET": supervisor.getsockname()})

        assert supervisor.recv(100) == b"READY=1\nSTATUS=here"


def test_a_name_with_an_at_sign_is_an_abstract_socket() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as supervisor:
        supervisor.bind("")  # Linux chooses an abstract name
        name = supervisor.getsockname()
        notify(STOPPING, environ={"NOTIFY_SOCKET": "@" + name[1:].decode()})

        assert supervisor.recv(100) == b"STOPPING=1"


@pytest.mark.parametrize("address", ["", "relative", "/no/such/socket"])
def test_nobody_who_listens_is_no_error(address: str) -> None:
    notify(READY, environ={"NOTIFY_SOCKET": address})

    assert not Path(address or "/nowhere").exists()


def test_a_reload_tells_its_monotonic_time() -> None:
    first, second = (int(reloading().rpartition("=")[2]) for _ in range(2))

    assert reloading().startswith("RELOADING=1\nMONOTONIC_USEC=")
    assert 0 < first <= second


@pytest.mark.parametrize(
    ("environ", "seconds"),
    [
        ({"WATCHDOG_USEC": "30000000"}, 30.0),
        ({"WATCHDOG_USEC": "1500000", "WATCHDOG_PID": str(os.getpid())}, 1.5),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, 0),
        ({"WATCHDOG_USEC": "soon"}, 0),
        ({}, 0),
    ],
    ids=["named nobody", "this process", "another process", "no number", "not at all"],
)
def test_the_watchdog_s_patience_is_what_systemd_says_to_this_process(environ: dict[str, str], seconds: float) -> None:
    assert watchdog_patience(environ) == seconds
