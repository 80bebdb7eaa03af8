"""Run a command as the terminal's foreground process group: `python foreground.py COMMAND …`.

Ctrl-C goes to a terminal's foreground group. GNU make, when it shares that group, dies of the same SIGINT and reports
130, however well the command left. Apart from make, the command alone is interrupted, and its exit code is make's.
Without a terminal the command simply replaces this process.
"""

import os
import signal
import sys


def main(command: list[str]) -> int:
    """Run `command`; its exit code, or 128 and the signal that ended it."""
    try:
        terminal = os.open("/dev/tty", os.O_RDWR)
        before = os.tcgetpgrp(terminal)
    except OSError:
        os.execvp(command[0], command)
    # A background group that touches the terminal is stopped; taking the terminal back must not stop us.
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    child = os.fork()
    if child == 0:
        os.setpgid(0, 0)
        os.tcsetpgrp(terminal, os.getpid())
        signal.signal(signal.SIGTTOU, signal.SIG_DFL)
        os.execvp(command[0], command)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: os.kill(child, number))
    _, status = os.waitpid(child, 0)
    os.tcsetpgrp(terminal, before)
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
