"""Brokers as containers, through testcontainers: the host port stays the same over restarts.

Without a Docker engine nothing here raises: `image_usable` says no.
"""

import contextlib
import functools
import gc
import time
import warnings
from typing import Any

import docker  # type: ignore[import-untyped]
import requests
from docker.errors import DockerException, ImageNotFound  # type: ignore[import-untyped]
from testcontainers.core.config import testcontainers_config
from testcontainers.core.container import DockerContainer

from tests.support.ports import free_port

_ENGINE_SECONDS = 3
_SILENCE_SECONDS = 30
_PULL_SECONDS = 120
_NO_ENGINE = (DockerException, requests.RequestException, OSError)


@functools.cache
def image_usable(name: str) -> bool:
    """Whether an engine answers within seconds and has the image, or can pull it within two minutes.

    The same holds for the image of the reaper, which removes the containers of a session that crashed.
    """
    names = [name] if testcontainers_config.ryuk_disabled else [testcontainers_config.ryuk_image, name]
    images = [testcontainers_config.hub_image_name_prefix + name for name in names]
    with warnings.catch_warnings():
        # docker's client forgets to close its socket when nobody listens; a test would be blamed for it later.
        warnings.simplefilter("ignore", ResourceWarning)
        usable = _all_usable(images)
        gc.collect()
    return usable


def _all_usable(images: list[str]) -> bool:
    try:
        with contextlib.closing(docker.from_env(timeout=_ENGINE_SECONDS)) as client:
            client.ping()
            client.api.timeout = _SILENCE_SECONDS
            return all(_is_local(client, image) or _pull(client, image) for image in images)
    except _NO_ENGINE:
        return False


def _is_local(client: Any, image: str) -> bool:
    try:
        client.images.get(image)
    except ImageNotFound:
        return False
    return True


def _pull(client: Any, image: str) -> bool:
    repository, _, tag = image.rpartition(":")
    deadline = time.monotonic() + _PULL_SECONDS
    for progress in client.api.pull(repository, tag=tag, stream=True, decode=True):
        if "error" in progress or time.monotonic() > deadline:
            return False
    return _is_local(client, image)


class Container:
    """One container of `image` whose `inner_port` is `port` of `host`. `files`: path inside → content."""

    def __init__(self, image: str, inner_port: int, command: list[str], files: dict[str, str]) -> None:
        self.port = free_port()
        self._container = DockerContainer(image).with_bind_ports(inner_port, self.port)
        self.host = self._container.get_docker_client().host()
        if command:
            self._container.with_command(command)
        for path, content in files.items():
            self._container.with_copy_into_container(content.encode(), path)
        self._created = False
        self._closed = False

    @property
    def running(self) -> bool:
        if not self._created:
            return False
        inner = self._container.get_wrapped_container()
        inner.reload()
        return bool(inner.status == "running")

    @property
    def log(self) -> str:
        return self._container.get_wrapped_container().logs(tail=60).decode(errors="replace") if self._created else ""

    def start(self) -> None:
        if self._created:
            self._container.get_wrapped_container().start()
        else:
            self._container.start()
            self._created = True

    def stop(self) -> None:
        if self.running:
            self._container.get_wrapped_container().stop(timeout=30)

    def kill(self) -> None:
        if self.running:
            self._container.get_wrapped_container().kill()

    def control(self, program: str, *arguments: str) -> None:
        """Run a program beside the broker. Raises RuntimeError with what it said when it fails."""
        code, output = self._container.exec([program, *arguments])
        if code:
            raise RuntimeError(output.decode(errors="replace"))

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._container.stop()
