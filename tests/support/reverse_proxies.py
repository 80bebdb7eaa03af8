"""Debian's nginx and haproxy on the loopback, with the files of deploy/: only addresses and ports are others.

A file is used as it is but for the words that a test says; a word that is not in it is an error.
"""

import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from tests.support.choice import find_program
from tests.support.group import ProcessGroup
from tests.support.ports import answers, free_port, wait_until

NGINX, HAPROXY = "nginx", "haproxy"  # also the names of the packages
DEPLOY = Path(__file__).parents[2] / "deploy"
TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


class ProxyMissingError(Exception):
    """No program; the message is one sentence that says what to install."""


def need(program: str) -> str:
    """The program's path. Raises `ProxyMissingError`."""
    if path := find_program(program):
        return path
    raise ProxyMissingError(
        f"This test needs {program}: install it (Debian and Ubuntu: apt-get install --no-install-recommends {program}; "
        f"macOS: brew install {program})."
    )


class ReverseProxy:
    """A running proxy; `port` is where stations connect. `log` is what it said."""

    def __init__(self, command: list[str], directory: Path, port: int) -> None:
        self.port = port
        self._output = directory / "output"
        self._directory = directory
        self._group = ProcessGroup(command, os.environ, self._output, directory)
        try:
            assert wait_until(lambda: answers(port, b"", b"") or not self._group.running, 10), self.log
            assert self._group.running, self.log
        except BaseException:
            self.close()
            raise

    @property
    def ws(self) -> str:
        """Where stations connect, without their identity."""
        return f"ws://127.0.0.1:{self.port}/ocpp"

    @property
    def http(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        return self._output.read_text(errors="replace") if self._output.exists() else ""

    def close(self) -> None:
        """End it, and forget its files. Idempotent."""
        self._group.end()
        shutil.rmtree(self._directory, ignore_errors=True)


def replaced(file: Path, words: Mapping[str, str]) -> str:
    """The text of `file`, with other words. Raises AssertionError for a word that is not there."""
    text = file.read_text()
    for old, new in words.items():
        assert old in text, f"{file.name} does not say {old}"
        text = text.replace(old, new)
    return text


def directory() -> Path:
    """A new folder for one proxy's files."""
    return Path(tempfile.mkdtemp(prefix="csms-proxy-"))


def nginx_folder(at: Path, sites: Mapping[str, Mapping[str, str]]) -> Path:
    """What README.md says to lay out in /etc/nginx: `sites` are files of deploy/nginx/own, and their other words."""
    shutil.copytree(DEPLOY / "nginx" / "csms", at / "csms")
    (at / "conf.d").mkdir()
    for name, words in sites.items():
        (at / "conf.d" / name).write_text(replaced(DEPLOY / "nginx" / "own" / name, words))
    paths = "\n".join(f"    {name}_temp_path {at}/{name};" for name in TEMPORARY)
    (at / "nginx.conf").write_text(
        f"{_user()}worker_processes 1;\nerror_log stderr warn;\npid {at}/nginx.pid;\nevents {{}}\n"
        f"http {{\n    access_log off;\n{paths}\n    include conf.d/*.conf;\n}}\n"
    )
    return at / "nginx.conf"


def _user() -> str:
    # Its workers cannot read a private folder as somebody else.
    return "user root;\n" if os.geteuid() == 0 else ""


def nginx(configuration: Path, port: int) -> ReverseProxy:
    """nginx with this file."""
    at = configuration.parent
    command = [need(NGINX), "-p", str(at), "-e", "stderr", "-c", str(configuration), "-g", "daemon off;"]
    return ReverseProxy(command, at, port)


def own_nginx(addresses: Mapping[str, str]) -> ReverseProxy:
    """deploy/nginx/own before these addresses, by those that the files name."""
    at, port = directory(), free_port()
    words = {"listen 9220": f"listen 127.0.0.1:{port}"}
    return nginx(nginx_folder(at, {"upstreams.conf": addresses, "csms.conf": words}), port)


def haproxy(name: str, addresses: Mapping[str, str]) -> ReverseProxy:
    """deploy/haproxy/`name` before these addresses, by those that the file names."""
    at, port = directory(), free_port()
    words = {"bind :9220": f"bind 127.0.0.1:{port}", "maxconn 100000": "maxconn 200", **addresses}
    (at / "haproxy.cfg").write_text(replaced(DEPLOY / "haproxy" / name, words))
    return ReverseProxy([need(HAPROXY), "-db", "-f", str(at / "haproxy.cfg")], at, port)


def compose_nginx(at: Path, words: Mapping[str, str] | None = None) -> Path:
    """The nginx of deploy/compose.yaml, which writes below `at` instead of /tmp."""
    shutil.copytree(DEPLOY / "nginx" / "csms", at / "csms")
    text = replaced(DEPLOY / "nginx" / "nginx.conf", {"/tmp/": f"{at}/", "/dev/stderr": "stderr"} | dict(words or {}))
    (at / "nginx.conf").write_text(_user() + text)
    return at / "nginx.conf"
