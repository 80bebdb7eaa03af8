"""`rabbitmq-server` and `redis-server` as private processes: own directory, own ports, loopback only.

Knows how the programs are told so, from RabbitMQ 3.10 to 4.x; not what tests do with them.
"""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from tests.support.group import ProcessGroup
from tests.support.ports import answers, free_port, wait_until

_RABBITMQ_CONF = """\
listeners.tcp.1 = 127.0.0.1:{port}
load_definitions = {definitions}
# No alarm: a test session's disk and memory are not the subject.
disk_free_limit.absolute = 1
vm_memory_high_watermark.relative = 0.95
"""


class RedisProgram:
    """One `redis-server`. What was written survives `stop` and, but for the last second, `kill`."""

    host = "127.0.0.1"

    def __init__(self, path: str, databases: int) -> None:
        self.port = free_port()
        self._path = path
        self._databases = databases
        self._directory = Path(tempfile.mkdtemp(prefix="csms-redis-"))
        self._group: ProcessGroup | None = None

    @property
    def log(self) -> str:
        return _tail(self._directory / "output")

    @property
    def running(self) -> bool:
        return self._group is not None and self._group.running

    def start(self) -> None:
        self._group = ProcessGroup(self._command(), os.environ, self._directory / "output", self._directory)

    def _command(self) -> list[str]:
        return [
            *(self._path, "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self._directory)),
            *("--save", "", "--appendonly", "yes", "--daemonize", "no", "--databases", str(self._databases)),
        ]

    def stop(self) -> None:
        if self._group is not None:
            self._group.end(grace=10)

    def kill(self) -> None:
        if self._group is not None:
            self._group.end()

    def close(self) -> None:
        self.kill()
        shutil.rmtree(self._directory, ignore_errors=True)


class RabbitMQProgram:
    """One `rabbitmq-server` node with the vhosts and the user of `definitions`, and an `epmd` of its own."""

    host = "127.0.0.1"

    def __init__(self, path: str, definitions: str) -> None:
        self.port = free_port()
        self._path = path
        self._directory = Path(tempfile.mkdtemp(prefix="csms-rabbitmq-"))
        self._epmd_port = free_port()
        self._env = self._lay_out(definitions)
        self._epmd: ProcessGroup | None = None
        self._server: ProcessGroup | None = None

    @property
    def log(self) -> str:
        return "\n".join(_tail(file) for file in [self._directory / "output", *self._directory.glob("log/*.log")])

    @property
    def running(self) -> bool:
        return self._server is not None and self._server.running

    def start(self) -> None:
        output = self._directory / "output"
        # Before the server, which would start one as a daemon that outlives it.
        if self._epmd is None:
            command = [_find_epmd(), "-port", str(self._epmd_port), "-address", "127.0.0.1"]
            self._epmd = ProcessGroup(command, self._env, output)
            wait_until(lambda: answers(self._epmd_port, b"", b""), seconds=5)
        self._server = ProcessGroup([self._path], self._env, output, self._directory)

    def stop(self) -> None:
        if self._server is not None:
            self._server.end(grace=30)

    def kill(self) -> None:
        if self._server is not None:
            self._server.end()

    def control(self, program: str, *arguments: str) -> None:
        """Run a program that came with the server. Raises RuntimeError with what it said when it fails."""
        command = [str(Path(self._path).with_name(program)), *arguments]
        done = subprocess.run(command, env=self._env, capture_output=True, text=True, timeout=60, check=False)
        if done.returncode:
            raise RuntimeError(done.stdout + done.stderr)

    def close(self) -> None:
        self.kill()
        if self._epmd is not None:
            self._epmd.end()
        shutil.rmtree(self._directory, ignore_errors=True)

    def _lay_out(self, definitions: str) -> dict[str, str]:
        """Write the node's files; the environment that leads the server to them, and to no others of the machine."""
        at = self._directory
        files = {
            "rabbitmq.conf": _RABBITMQ_CONF.format(port=self.port, definitions=at / "definitions.json"),
            "definitions.json": definitions,
            "advanced.config": "[].\n",
            "enabled_plugins": "[].\n",
            "env.conf": "",
        }
        for name, text in files.items():
            (at / name).write_text(text)
        (at / "conf.d").mkdir()
        (at / "home").mkdir()
        own = {
            "HOME": at / "home",  # the Erlang cookie is made there
            "RABBITMQ_NODENAME": f"csms-{self.port}@localhost",
            "RABBITMQ_NODE_PORT": self.port,
            "RABBITMQ_DIST_PORT": free_port(),
            "ERL_EPMD_PORT": self._epmd_port,
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_MNESIA_BASE": at / "data",
            "RABBITMQ_LOG_BASE": at / "log",
            "RABBITMQ_CONFIG_FILE": at / "rabbitmq.conf",
            "RABBITMQ_CONFIG_FILES": at / "conf.d",
            "RABBITMQ_ADVANCED_CONFIG_FILE": at / "advanced.config",
            "RABBITMQ_ENABLED_PLUGINS_FILE": at / "enabled_plugins",
            "RABBITMQ_CONF_ENV_FILE": at / "env.conf",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
        }
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("RABBITMQ_", "ERL_"))}
        return inherited | {name: str(value) for name, value in own.items()}


def _find_epmd() -> str:
    """Erlang's port mapper: in PATH, or beside the Erlang that is in PATH."""
    if path := shutil.which("epmd"):
        return path
    if erl := shutil.which("erl"):
        for found in Path(erl).resolve().parent.parent.glob("**/bin/epmd"):
            return str(found)
    raise FileNotFoundError("RabbitMQ needs Erlang's program epmd, which is not in PATH.")


def _tail(file: Path) -> str:
    return file.read_text(errors="replace")[-4000:] if file.exists() else ""
