"""A program in a process group of its own that never outlives the test session, however that ends."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

# Waits on a pipe whose other end only we hold. A line: all is well, go. End of file: the test session is dead.
_GUARD = 'read -r line && exit 0; kill -s KILL -- "-$1" 2>/dev/null; test -z "$2" || rm -rf -- "$2"'


class ProcessGroup:
    """Starts `command` at once, output appended to the file `output`. Ctrl-C at the terminal does not reach it.

    If this process dies without `end()`, the group is killed and the directory `litter` is removed.
    """

    def __init__(
        self, command: Sequence[str], env: Mapping[str, str], output: Path, litter: Path | None = None
    ) -> None:
        with output.open("ab") as file:
            self._process = subprocess.Popen(
                command,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._guard = guard(self._process.pid, litter)

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def end(self, grace: float = 0) -> None:
        """Stop: SIGTERM to the program, `grace` seconds for it, SIGKILL to what is left of the group. Idempotent."""
        if grace and self.running:
            self._process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(grace)
        kill_group(self._process)
        release(self._guard)


def guard(group: int, litter: Path | None = None) -> subprocess.Popen[bytes]:
    """A small process that kills the process group `group` when this process dies; end it with `release`."""
    return subprocess.Popen(
        ["/bin/sh", "-c", _GUARD, "guard", str(group), str(litter or "")],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def release(guarding: subprocess.Popen[bytes]) -> None:
    """Dismiss a guard; idempotent."""
    if guarding.stdin is not None and not guarding.stdin.closed:
        with contextlib.suppress(BrokenPipeError):
            guarding.stdin.write(b"\n")
            guarding.stdin.flush()
        guarding.stdin.close()
    guarding.wait()


def kill_group(leader: subprocess.Popen[bytes]) -> None:
    """SIGKILL to everything in the group of `leader`, which was started as a session leader; reaps it."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader.pid, signal.SIGKILL)
    leader.wait()
