"""k8s/ as it is rendered: every renderer agrees, and Kubernetes takes every object of it."""

import subprocess
from pathlib import Path

import kubernetes_validate
import pytest
import yaml

from tests.support.choice import find_program
from tests.support.cluster import COMPLETE, K8S, OVERLAYS, WORKLOADS, cluster
from tests.support.kustomize import Thing, UnknownFeatureError, render

OLDEST, NEWEST = "1.31", "1.37"

# What an object of somebody else's kind has to say, and may say, at the least depth where a slip would show.
CUSTOM: dict[str, tuple[str, set[str], set[str]]] = {
    "RabbitmqCluster": (
        "rabbitmq.com/v1beta1",
        {"replicas", "image", "persistence", "resources", "rabbitmq"},
        {"terminationGracePeriodSeconds", "affinity", "override"},
    ),
    "ServiceMonitor": ("monitoring.coreos.com/v1", {"selector", "endpoints"}, {"jobLabel"}),
    "PrometheusRule": ("monitoring.coreos.com/v1", {"groups"}, set()),
    "Certificate": ("cert-manager.io/v1", {"secretName", "issuerRef", "dnsNames"}, {"privateKey"}),
}


def workloads(overlay: str) -> list[tuple[str, Thing]]:
    return [*cluster(overlay).all(*WORKLOADS).items()]


# --- rendering --------------------------------------------------------------------------------------------------------


def by_name(things: list[Thing]) -> dict[tuple[str, str], Thing]:
    return {(one["kind"], one["metadata"]["name"]): one for one in things if one}


def renderings(folder: Path) -> list[list[Thing]]:
    """By this project's renderer and, where there is one, by kubectl."""
    made = [render(folder)]
    if kubectl := find_program("kubectl"):
        done = subprocess.run([kubectl, "kustomize", folder], capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        made.append(list(yaml.safe_load_all(done.stdout)))
    return made


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_renderer_makes_the_same_of_it(overlay: str) -> None:
    ours, *others = map(by_name, renderings(K8S / overlay))

    assert [other == ours for other in others] == [True] * len(others)


@pytest.mark.parametrize(
    ("kustomization", "complaint"),
    [
        ("namePrefix: a-", "namePrefix"),
        ("configMapGenerator: [{name: a, envs: [b]}]", "envs"),
        ("patches: [{target: {kind: Deployment}}]", "target"),
    ],
)
def test_what_the_renderer_does_not_know_it_refuses(kustomization: str, complaint: str, tmp_path: Path) -> None:
    (tmp_path / "kustomization.yaml").write_text(kustomization)

    with pytest.raises(UnknownFeatureError, match=complaint):
        render(tmp_path)


@pytest.mark.parametrize("component", sorted(folder.name for folder in (K8S / "components").iterdir()))
def test_every_component_is_part_of_something(component: str) -> None:
    said = [yaml.safe_load((K8S / one / "kustomization.yaml").read_text()) for one in COMPLETE]
    used = {Path(name).name for one in said for name in one["components"]}

    assert component in used


# --- valid ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_object_is_valid(overlay: str, version: str) -> None:
    known = [one for one in cluster(overlay).things if one["kind"] not in CUSTOM]

    assert [kubernetes_validate.validate(one, version, strict=True) for one in known]


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_objects_of_others_kinds_have_their_shape(overlay: str) -> None:
    wrong = []
    for one in cluster(overlay).things:
        if one["kind"] in CUSTOM:
            version, needed, allowed = CUSTOM[one["kind"]]
            said = one["spec"].keys()
            if one["apiVersion"] != version or needed - said or said - needed - allowed:
                wrong.append(one["metadata"]["name"])

    assert wrong == []


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_names_are_unique_and_everything_is_in_one_namespace(overlay: str) -> None:
    named = [(one["kind"], one["metadata"]["name"]) for one in cluster(overlay).things]
    namespaces = {one["metadata"].get("namespace") for one in cluster(overlay).things if one["kind"] != "Namespace"}

    assert len(set(named)) == len(named)
    assert namespaces == ({None} if overlay == "base" else {"csms"})


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_selectors_take_their_own_pods_and_no_others(overlay: str) -> None:
    taken = {name: cluster(overlay).selected(one["spec"]["selector"]) for name, one in workloads(overlay)}

    assert taken == {name: {name} for name in taken}


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_service_has_pods_that_listen_there(overlay: str) -> None:
    for name, service in cluster(overlay).all("Service").items():
        pods = cluster(overlay).selected({"matchLabels": service["spec"]["selector"]})
        ports = {port["targetPort"] for port in service["spec"]["ports"]}

        assert pods == {name}
        assert ports <= {port["name"] for port in cluster(overlay).containers[name]["ports"]}


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_everything_that_is_mounted_is_there(overlay: str) -> None:
    here = cluster(overlay)
    readme = (K8S / "README.md").read_text(encoding="utf-8")
    missing = []
    for name, pod in here.pods.items():
        volumes = {one["name"]: one for one in pod["spec"].get("volumes", [])}
        claims = {one["metadata"]["name"] for one in here.all(*WORKLOADS)[name]["spec"].get("volumeClaimTemplates", [])}
        mounted = {mount["name"] for mount in here.containers[name]["volumeMounts"]}
        missing += [f"{name}: {one}" for one in mounted ^ (volumes.keys() | claims)]
        for volume in volumes.values():
            if "configMap" in volume and volume["configMap"]["name"] not in here.all("ConfigMap"):
                missing.append(volume["configMap"]["name"])
            if "secret" in volume and (secret := volume["secret"]["secretName"]) not in here.all("Secret"):
                missing += [] if f"`{secret}`" in readme and overlay != "." else [secret]

    assert missing == []
