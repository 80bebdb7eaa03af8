"""What `kubectl kustomize` prints, without kubectl: resources, components, generators, patches, and the like.

Knows what k8s/ uses and refuses everything else with `UnknownFeatureError`, so that nothing is left out in silence.
Where there is a kubectl, a test compares the two.
"""

import base64
import copy
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

Thing = dict[str, Any]

# Lists that a strategic merge patch merges by this key. Other lists of objects are replaced in real clusters, or merged
# by a key that is not known here: such a patch is refused.
_MERGED_BY = {
    "containers": "name",
    "env": "name",
    "volumes": "name",
    "topologySpreadConstraints": "topologyKey",
}
_REPLACED = {"items", "tls"}
_NAMELESS = "#"  # marks a generated object until its name has its hash
_CLUSTER_WIDE = {"Namespace"}
_KNOWN = {
    *("apiVersion", "kind", "namespace", "resources", "components", "labels", "configMapGenerator", "secretGenerator"),
    *("images", "replicas", "patches"),
}


class UnknownFeatureError(Exception):
    """A kustomization says something that this renderer does not know."""


def render(folder: Path) -> list[Thing]:
    """Every object of the kustomization in `folder`, with generated names, in no particular order."""
    things = _build(folder, [])
    _hash_names(things)
    return things


def _build(folder: Path, things: list[Thing]) -> list[Thing]:
    """What the kustomization makes of `things`: of nothing for an overlay, of what there is so far for a component."""
    said: Thing = yaml.safe_load((folder / "kustomization.yaml").read_text(encoding="utf-8"))
    if unknown := said.keys() - _KNOWN:
        raise UnknownFeatureError(f"{folder}: {', '.join(sorted(unknown))}")
    things = [*things, *_resources(folder, said)]
    for kind in ("ConfigMap", "Secret"):
        for one in said.get(f"{kind[0].lower()}{kind[1:]}Generator", []):
            things = _generated(folder, kind, one, things)
    for name in said.get("components", []):
        things = _build(folder / name, things)
    for patch in said.get("patches", []):
        _patch(folder, patch, things)
    for change in (_namespace, _labels, _replicas, _images):
        change(said, things)
    return things


def _resources(folder: Path, said: Thing) -> Iterator[Thing]:
    for name in said.get("resources", []):
        if (folder / name).is_dir():
            yield from _build(folder / name, [])
        else:
            yield from _documents(folder / name)


def _documents(file: Path) -> list[Thing]:
    return [one for one in yaml.safe_load_all(file.read_text(encoding="utf-8")) if one]


# --- generators -------------------------------------------------------------------------------------------------------


def _generated(folder: Path, kind: str, said: Thing, things: list[Thing]) -> list[Thing]:
    _only(said, {"name", "files", "literals", "behavior"})
    data = {Path(name).name: (folder / name).read_text(encoding="utf-8") for name in said.get("files", [])}
    for literal in said.get("literals", []):
        key, _, value = literal.partition("=")
        data[key] = value
    made: Thing = {"apiVersion": "v1", "kind": kind, "metadata": {"name": said["name"]}, "data": data, _NAMELESS: True}
    if kind == "Secret":
        made["data"] = {key: _base64(text) for key, text in data.items()}
        made["type"] = "Opaque"
    match said.get("behavior", "create"):
        case "create":
            return [*things, made]
        case "replace":
            older = _find(things, kind, said["name"])
            older["data"] = made["data"]
            return things
        case other:
            raise UnknownFeatureError(f"behavior {other}")


def _base64(text: str) -> str:
    """In lines of 70 characters, which end with one when there are several."""
    code = base64.b64encode(text.encode()).decode()
    return code if len(code) < 70 else "".join(code[at : at + 70] + "\n" for at in range(0, len(code), 70))


def _hash_names(things: list[Thing]) -> None:
    renamed: dict[tuple[str, str], str] = {}
    for thing in things:
        if thing.pop(_NAMELESS, False):
            name = thing["metadata"]["name"]
            renamed[thing["kind"], name] = thing["metadata"]["name"] = f"{name}-{_hash(thing)}"
    for thing in things:
        for holder, key, kind in _references(thing):
            holder[key] = renamed.get((kind, holder[key]), holder[key])


def _hash(thing: Thing) -> str:
    """Kustomize's: ten characters that make no words, of everything but the name."""
    said = {"data": thing["data"], "kind": thing["kind"], "name": ""}
    if thing["kind"] == "Secret":
        said["type"] = thing["type"]
    text = json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    for sign, code in (("<", "\\u003c"), (">", "\\u003e"), ("&", "\\u0026")):
        text = text.replace(sign, code)
    return hashlib.sha256(text.encode()).hexdigest()[:10].translate(str.maketrans("013ae", "ghkmt"))


def _references(thing: Any) -> Iterator[tuple[Thing, str, str]]:
    """Where a ConfigMap or a Secret is named: holder, key, and which of the two."""
    if isinstance(thing, list):
        for one in thing:
            yield from _references(one)
    if not isinstance(thing, dict):
        return
    for key, value in thing.items():
        if key in ("configMap", "configMapRef", "configMapKeyRef") and isinstance(value, dict):
            yield value, "name", "ConfigMap"
        elif key == "secret" and isinstance(value, dict):
            yield value, "secretName" if "secretName" in value else "name", "Secret"
        elif key in ("secretRef", "secretKeyRef") and isinstance(value, dict):
            yield value, "name", "Secret"
        yield from _references(value)


# --- patches ----------------------------------------------------------------------------------------------------------


def _patch(folder: Path, said: Thing, things: list[Thing]) -> None:
    _only(said, {"path"})
    for patch in _documents(folder / said["path"]):
        _merge(_find(things, patch["kind"], patch["metadata"]["name"]), patch, "")


def _merge(thing: Thing, patch: Thing, where: str) -> None:
    for key, value in patch.items():
        if key.startswith("$"):
            raise UnknownFeatureError(f"{where}.{key}")
        if value is None:
            thing.pop(key, None)
        elif isinstance(value, dict) and isinstance(thing.get(key), dict):
            _merge(thing[key], value, f"{where}.{key}")
        elif isinstance(value, list) and key in thing and any(isinstance(one, dict) for one in value):
            thing[key] = _merged_list(thing[key], value, key)
        else:
            thing[key] = copy.deepcopy(value)


def _merged_list(old: list[Thing], new: list[Thing], name: str) -> list[Thing]:
    if name in _REPLACED:
        return copy.deepcopy(new)
    if name not in _MERGED_BY:
        raise UnknownFeatureError(f"a patch of {name}")
    key, rest, merged = _MERGED_BY[name], copy.deepcopy(old), []
    for one in new:  # what is patched comes first
        same = next((older for older in rest if older[key] == one[key]), None)
        if same is not None:
            rest.remove(same)
            _merge(same, one, name)
        merged.append(copy.deepcopy(one) if same is None else same)
    return [*merged, *rest]


# --- transformers -----------------------------------------------------------------------------------------------------


def _namespace(said: Thing, things: list[Thing]) -> None:
    if "namespace" in said:
        for thing in things:
            if thing["kind"] not in _CLUSTER_WIDE:
                thing["metadata"]["namespace"] = said["namespace"]


def _labels(said: Thing, things: list[Thing]) -> None:
    for one in said.get("labels", []):
        _only(one, {"pairs", "includeTemplates"})
        for thing in things:
            places = [thing["metadata"]]
            if one.get("includeTemplates") and "template" in thing.get("spec", {}):
                places.append(thing["spec"]["template"]["metadata"])
            for place in places:
                place["labels"] = {**place.get("labels", {}), **one["pairs"]}


def _replicas(said: Thing, things: list[Thing]) -> None:
    for one in said.get("replicas", []):
        _only(one, {"name", "count"})
        for thing in things:
            if thing["metadata"]["name"] == one["name"] and thing["kind"] in ("Deployment", "StatefulSet"):
                thing["spec"]["replicas"] = one["count"]


def _images(said: Thing, things: list[Thing]) -> None:
    for one in said.get("images", []):
        _only(one, {"name", "newName", "newTag"})
        for thing in things:
            pod = thing.get("spec", {}).get("template", {}).get("spec", {})
            for container in [*pod.get("initContainers", []), *pod.get("containers", [])]:
                name, _, tag = container["image"].partition(":")
                if name == one["name"]:
                    container["image"] = f"{one.get('newName', name)}:{one.get('newTag', tag)}"


# --- common -----------------------------------------------------------------------------------------------------------


def _find(things: list[Thing], kind: str, name: str) -> Thing:
    found = [one for one in things if (one["kind"], one["metadata"]["name"]) == (kind, name)]
    if len(found) != 1:
        raise UnknownFeatureError(f"{len(found)} objects are {kind} {name}")
    return found[0]


def _only(said: Thing, known: set[str]) -> None:
    if unknown := said.keys() - known:
        raise UnknownFeatureError(", ".join(sorted(unknown)))
