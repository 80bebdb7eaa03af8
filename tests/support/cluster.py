"""The objects of one rendering of k8s/, as tests ask for them, and what its containers read."""

import base64
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from csms import arguments
from csms.settings import Configuration, read
from tests.support.kustomize import Thing, render

K8S = Path(__file__).parents[2] / "k8s"
OVERLAYS = [".", "base", *sorted(f"overlays/{folder.name}" for folder in (K8S / "overlays").iterdir())]
COMPLETE = [overlay for overlay in OVERLAYS if overlay != "base"]
PRODUCTION = "overlays/production"
SERVICES = {"ws-gateway", "soap-gateway", "router", "webhook-relay", "api"}
WORKLOADS = ("Deployment", "StatefulSet")

_IMAGE = {"CSMS_HOST": "0.0.0.0", "CSMS_PORT": "9220", "CSMS_API_ENABLE": "false"}
_MADE_BY_HAND = {  # as k8s/README.md has the operator make them, and the RabbitMQ Cluster Operator
    "/run/secrets/bus/url": "amqp://user:password@rabbitmq.csms.svc:5672/",
    "/run/secrets/state/url": "rediss://:password@redis.example.com:6379/0",
    "/run/secrets/webhook/password": "",
    "/run/secrets/webhook/token": "",
    "/run/secrets/api/keys": '[{"name": "operator", "key": "a long random text", "scopes": ["admin"]}]',
}


class Cluster:
    """`things` are the objects of a rendering."""

    def __init__(self, things: list[Thing]) -> None:
        self.things = things

    def all(self, *kinds: str) -> dict[str, Thing]:
        """By name."""
        return {one["metadata"]["name"]: one for one in self.things if one["kind"] in kinds}

    @property
    def pods(self) -> dict[str, Thing]:
        """The template of every workload's pods, by the workload's name."""
        return {name: one["spec"]["template"] for name, one in self.all(*WORKLOADS).items()}

    @property
    def containers(self) -> dict[str, Thing]:
        """The one container of every workload, by the workload's name. Raises ValueError where there are more."""
        made = {}
        for name, pod in self.pods.items():
            [made[name]] = pod["spec"]["containers"]
        return made

    @property
    def ours(self) -> dict[str, Thing]:
        """The containers that run `csms` with a command."""
        return {name: one for name, one in self.containers.items() if _runs_csms(one)}

    def selected(self, selector: Mapping[str, Any]) -> set[str]:
        """The workloads whose pods a label selector takes."""
        return {name for name, pod in self.pods.items() if matches(selector, pod["metadata"]["labels"])}

    def volume(self, workload: str, name: str) -> Thing:
        [found] = [one for one in self.pods[workload]["spec"]["volumes"] if one["name"] == name]
        return dict(found)

    def files(self, workload: str) -> dict[str, str]:
        """Path inside → text, of what ConfigMaps and Secrets hold (these as base64); "" for Secrets made elsewhere."""
        found = {}
        for mount in self.containers[workload].get("volumeMounts", []):
            for key, text in self._held(self.volume(workload, mount["name"]) if _has(self, workload, mount) else {}):
                found[f"{mount['mountPath']}/{key}" if "subPath" not in mount else mount["mountPath"]] = text
        return found

    def _held(self, volume: Thing) -> Iterator[tuple[str, str]]:
        if "configMap" in volume:
            yield from self._data("ConfigMap", volume["configMap"]["name"], volume["configMap"]).items()
        elif "secret" in volume:
            yield from self._data("Secret", volume["secret"]["secretName"], volume["secret"]).items()

    def _data(self, kind: str, name: str, source: Thing) -> dict[str, str]:
        known = self.all(kind).get(name, {}).get("data", {})
        items = source.get("items") or [{"key": key, "path": key} for key in known]
        return {one["path"]: known.get(one["key"], "") for one in items}


def _has(cluster: Cluster, workload: str, mount: Thing) -> bool:
    return any(one["name"] == mount["name"] for one in cluster.pods[workload]["spec"].get("volumes", []))


def _runs_csms(container: Thing) -> bool:
    return container["image"].partition(":")[0].endswith("csms") and "command" not in container


def matches(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Whether a label selector takes these labels. Raises KeyError for an operator that k8s/ does not use."""
    known = {"In": lambda value, one: value in one["values"]}
    return all(labels.get(key) == value for key, value in selector.get("matchLabels", {}).items()) and all(
        known[one["operator"]](labels.get(one["key"]), one) for one in selector.get("matchExpressions", [])
    )


@cache
def cluster(overlay: str) -> Cluster:
    """What k8s/ or an overlay below it makes."""
    return Cluster(render(K8S / overlay))


def configuration(overlay: str, name: str, folder: Path) -> tuple[Any, Configuration]:
    """The options of a container, and what it reads from the files and variables that it has in its pod."""
    container, files = cluster(overlay).ours[name], cluster(overlay).files(name)

    def here(word: str) -> str:
        return _written(word, files[word], folder) if word in files else word

    options = arguments.parser().parse_args([here(word) for word in container["args"]])
    environ = _IMAGE | {one["name"]: here(one["value"]) for one in container.get("env", [])}
    return options, read(options.config, environ, arguments.overrides(options))


def _written(path: str, held: str, folder: Path) -> str:
    """A file of this machine with what the container finds at `path`."""
    secret = path.startswith("/run/secrets/")
    file = folder / path.strip("/").replace("/", "-")
    file.write_text(base64.b64decode(held).decode() if secret and held else held or _MADE_BY_HAND[path])
    return str(file)
