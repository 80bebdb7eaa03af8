"""k8s/ against the services: what it runs, sets, mounts, asks and scales by is what the code has."""

from pathlib import Path

import pytest
import yaml

from csms.compose import plan
from tests.deploy.test_observability import exported
from tests.support.cluster import COMPLETE, K8S, OVERLAYS, PRODUCTION, SERVICES, WORKLOADS, cluster, configuration
from tests.support.variables import known_variables

ROOT = K8S.parent


@pytest.mark.parametrize("overlay", COMPLETE)
def test_all_services_run_and_two_of_each_that_stations_depend_on(overlay: str) -> None:
    replicas = {name: one["spec"].get("replicas") for name, one in cluster(overlay).all(*WORKLOADS).items()}

    assert cluster(overlay).ours.keys() - {"park"} == SERVICES
    if overlay == ".":
        assert {name: replicas[name] for name in ("ws-gateway", "soap-gateway", "router")} == {
            "ws-gateway": 2,
            "soap-gateway": 2,
            "router": 2,
        }


@pytest.mark.parametrize(
    ("overlay", "name"),
    [(".", "park"), *((overlay, name) for overlay in COMPLETE for name in sorted(SERVICES))],
)
def test_a_service_starts_with_what_its_pod_gives_it(overlay: str, name: str, tmp_path: Path) -> None:
    options, made = configuration(overlay, name, tmp_path)

    planned = plan(options.command, made)

    assert options.command == ("emulate" if name == "park" else name)
    assert planned.listen is not None
    assert planned.listen.port == 9220
    assert made.bus.url.startswith("amqp://") or name == "park"


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_variable_is_one_that_the_services_read(overlay: str) -> None:
    used = {one["name"] for container in cluster(overlay).ours.values() for one in container.get("env", [])}

    assert used - known_variables() == set()


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_file_of_a_variable_is_mounted(overlay: str) -> None:
    for name, container in cluster(overlay).ours.items():
        named = {one["value"] for one in container.get("env", []) if one["name"].endswith("_FILE")}

        assert named - cluster(overlay).files(name).keys() == set()


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_images_have_versions_that_are_not_latest(overlay: str) -> None:
    images = {name: one["image"] for name, one in cluster(overlay).containers.items()}
    images |= {name: one["spec"]["image"] for name, one in cluster(overlay).all("RabbitmqCluster").items()}
    untagged = {image for image in images.values() if ":" not in image.rpartition("/")[2] or image.endswith(":latest")}

    assert untagged == ({"csms"} if overlay == "base" else set())


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_probes_ask_for_pages_that_there_are_at_ports_that_there_are(overlay: str) -> None:
    for name, container in cluster(overlay).ours.items():
        asked = [container[kind] for kind in ("startupProbe", "livenessProbe", "readinessProbe")]
        pages = [probe["httpGet"]["path"] for probe in asked if "httpGet" in probe]

        assert pages == ([] if name == "park" else ["/healthz", "/healthz", "/readyz"])
        assert {probe["httpGet"]["port"] for probe in asked if "httpGet" in probe} <= {
            port["name"] for port in container["ports"]
        }


@pytest.mark.parametrize("overlay", COMPLETE)
def test_the_grace_covers_the_drain(overlay: str, tmp_path: Path) -> None:
    for name in SERVICES:
        _, made = configuration(overlay, name, tmp_path)
        [_, pause] = cluster(overlay).ours[name]["lifecycle"]["preStop"]["exec"]["command"]
        grace = cluster(overlay).pods[name]["spec"]["terminationGracePeriodSeconds"]
        drains = [made.soap_gateway.drain_seconds, made.router.drain_seconds, made.webhook.drain_seconds]
        drains += [made.api.drain_seconds, made.ws_gateway.drain_seconds]

        assert grace == int(pause) + made.listen.drain_seconds + 5
        assert max(drains) + made.ws_gateway.close_deadline <= made.listen.drain_seconds


@pytest.mark.parametrize("overlay", COMPLETE)
def test_the_waves_of_a_leaving_gateway_end_within_its_drain(overlay: str, tmp_path: Path) -> None:
    _, made = configuration(overlay, "ws-gateway", tmp_path)
    gateway = made.ws_gateway
    slowest = (20 - 1) * 1.5 * gateway.drain_pause  # most waves, longest pause: services/ws-gateway, `Gateway.drain`

    assert slowest + gateway.close_deadline <= gateway.drain_seconds


def test_the_copies_are_those_of_the_originals() -> None:
    [rules] = cluster(PRODUCTION).all("PrometheusRule").values()

    assert rules["spec"] == yaml.safe_load((ROOT / "deploy/prometheus/rules/csms.yml").read_text(encoding="utf-8"))
    for copy, original in {
        "components/endpoint/app.py": "examples/webhook/app.py",
        "brokers/enabled_plugins": "deploy/rabbitmq/enabled_plugins",
        "overlays/production/namespace.yaml": "k8s/namespace.yaml",
    }.items():
        assert (K8S / copy).read_text(encoding="utf-8") == (ROOT / original).read_text(encoding="utf-8")


# --- scale ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_autoscalers_look_at_metrics_that_the_gateways_export(overlay: str) -> None:
    for name, scaler in cluster(overlay).all("HorizontalPodAutoscaler").items():
        pods = [one["pods"]["metric"]["name"] for one in scaler["spec"]["metrics"] if one["type"] == "Pods"]
        resources = [one["resource"]["name"] for one in scaler["spec"]["metrics"] if one["type"] == "Resource"]

        assert scaler["spec"]["scaleTargetRef"]["name"] == name
        assert len(pods) == 1
        assert pods[0].removeprefix("csms_").startswith(name.partition("-")[0])
        assert pods[0] in exported()
        assert resources == ["cpu"]
        assert "replicas" not in cluster(overlay).all("Deployment")[name]["spec"]


def test_a_gateway_is_full_long_after_the_autoscaler_wants_another(tmp_path: Path) -> None:
    _, made = configuration(PRODUCTION, "ws-gateway", tmp_path)
    scaler = cluster(PRODUCTION).all("HorizontalPodAutoscaler")["ws-gateway"]["spec"]

    assert int(scaler["metrics"][0]["pods"]["target"]["averageValue"]) * 2 <= made.ws_gateway.max_connections


@pytest.mark.parametrize("name", ["ws-gateway", "soap-gateway"])
def test_one_gateway_leaves_at_a_time_and_has_left_before_the_next(name: str) -> None:
    here = cluster(PRODUCTION)
    down = here.all("HorizontalPodAutoscaler")[name]["spec"]["behavior"]["scaleDown"]
    [policy] = down["policies"]

    assert (policy["type"], policy["value"]) == ("Pods", 1)
    assert policy["periodSeconds"] > here.pods[name]["spec"]["terminationGracePeriodSeconds"]
    assert down["stabilizationWindowSeconds"] >= 300


def test_every_service_has_a_budget_and_is_spread() -> None:
    here = cluster(PRODUCTION)
    budgets = {name: here.selected(one["spec"]["selector"]) for name, one in here.all("PodDisruptionBudget").items()}
    keys = {
        name: [one["topologyKey"] for one in here.pods[name]["spec"]["topologySpreadConstraints"]] for name in SERVICES
    }

    assert budgets == {name: {name} for name in SERVICES}
    assert keys == {name: ["kubernetes.io/hostname", "topology.kubernetes.io/zone"] for name in SERVICES}
