"""k8s/ and what its pods may do: their rights, who talks to whom, the way in, and what Prometheus sees."""

import itertools
from pathlib import Path

import pytest

from tests.support.cluster import COMPLETE, OVERLAYS, PRODUCTION, SERVICES, Cluster, cluster, configuration
from tests.support.kustomize import Thing


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_pod_keeps_the_restricted_profile(overlay: str) -> None:
    for name, pod in cluster(overlay).pods.items():
        spec, container = pod["spec"], cluster(overlay).containers[name]
        ours = container["image"].partition(":")[0].endswith("csms")

        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["runAsUser"] == (10001 if ours else 999)
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert spec["automountServiceAccountToken"] is False
        assert spec["enableServiceLinks"] is False
        assert not {"hostNetwork", "hostPID", "hostIPC"} & spec.keys()
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert {"cpu", "memory"} <= container["resources"]["requests"].keys()
        assert "memory" in container["resources"]["limits"]


@pytest.mark.parametrize("overlay", COMPLETE)
def test_the_namespace_lets_in_nothing_else(overlay: str) -> None:
    [namespace] = cluster(overlay).all("Namespace").values()

    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"


def pairs(here: Cluster, way: str) -> set[tuple[str, str, str]]:
    """Who may talk to whom at which port, as the policies for `ingress` or `egress` say it: (asks, answers, ports)."""
    found = set()
    for policy in here.all("NetworkPolicy").values():
        chosen = chosen_by(here, policy["spec"]["podSelector"])
        for rule in policy["spec"].get(way, []):
            ports = " ".join(sorted(str(one["port"]) for one in rule.get("ports", []))) or "any"
            others = [other for peer in rule.get("to", rule.get("from", [{}])) for other in peers(here, peer)]
            both = itertools.product(chosen, others) if way == "egress" else itertools.product(others, chosen)
            found |= {(one, other, ports) for one, other in both}
    return found


def chosen_by(here: Cluster, selector: Thing) -> set[str]:
    """Our workloads, and RabbitMQ's pods, which its operator makes with this label."""
    rabbitmq = Cluster([{"kind": "Deployment", "metadata": {"name": "rabbitmq"}, "spec": {"template": RABBITMQ_POD}}])
    return here.selected(selector) | rabbitmq.selected(selector)


RABBITMQ_POD = {"metadata": {"labels": {"app.kubernetes.io/name": "rabbitmq"}}}


def peers(here: Cluster, peer: Thing) -> set[str]:
    if "podSelector" in peer:
        return chosen_by(here, peer["podSelector"])
    if "namespaceSelector" in peer:
        return {peer["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"]}
    return {"outside"}


def test_nobody_talks_unless_it_is_allowed() -> None:
    denied = cluster(PRODUCTION).all("NetworkPolicy")["default-deny"]["spec"]

    assert denied == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


def test_those_talk_that_the_architecture_lets_talk() -> None:
    here = cluster(PRODUCTION)
    nodes = {("rabbitmq", "rabbitmq", "25672 4369")}
    bus = {(name, "rabbitmq", "5672") for name in SERVICES}

    assert pairs(here, "egress") == {
        *bus,
        *nodes,
        *((name, "outside", "6379") for name in ("router", "webhook-relay", "api")),
        ("soap-gateway", "outside", "any"),
        ("webhook-relay", "outside", "443"),
        ("rabbitmq", "outside", "443 6443"),
        *((name, "kube-system", "53 53") for name in (*SERVICES, "rabbitmq")),
    }
    assert pairs(here, "ingress") == {
        *bus,
        *nodes,
        *(("ingress-nginx", name, "9220") for name in ("ws-gateway", "soap-gateway", "api")),
        *(("monitoring", name, "9220") for name in SERVICES),
        ("monitoring", "rabbitmq", "15692"),
        ("rabbitmq-system", "rabbitmq", "15672"),
    }


# --- the way in, and what is looked at --------------------------------------------------------------------------------


def test_paths_lead_to_the_services_that_serve_them(tmp_path: Path) -> None:
    here = cluster(PRODUCTION)
    _, made = configuration(PRODUCTION, "ws-gateway", tmp_path)
    routes = {
        path["path"]: path["backend"]["service"]
        for ingress in here.all("Ingress").values()
        for rule in ingress["spec"]["rules"]
        for path in rule["http"]["paths"]
    }

    assert {path: service["name"] for path, service in routes.items()} == {
        made.ws_gateway.path.rstrip("/"): "ws-gateway",
        made.soap_gateway.path: "soap-gateway",
        "/api": "api",
        "/docs": "api",
        "/openapi.json": "api",
    }
    for service in routes.values():
        ports = here.all("Service")[service["name"]]["spec"]["ports"]
        assert service["port"]["name"] in [port["name"] for port in ports]


def test_a_silent_station_outlives_its_pings_at_the_ingress(tmp_path: Path) -> None:
    _, made = configuration(PRODUCTION, "ws-gateway", tmp_path)
    said = cluster(PRODUCTION).all("Ingress")["stations"]["metadata"]["annotations"]
    idle = [int(said[f"nginx.ingress.kubernetes.io/proxy-{way}-timeout"]) for way in ("read", "send")]

    assert min(idle) > made.ws_gateway.ping_interval + made.ws_gateway.pong_deadline


def test_the_ingress_is_believed_about_who_is_behind_it(tmp_path: Path) -> None:
    _, made = configuration(PRODUCTION, "ws-gateway", tmp_path)

    assert made.listen.trusted_proxies == ("10.0.0.0/8",)


def test_the_certificate_is_for_the_hosts_of_the_ingresses() -> None:
    here = cluster(PRODUCTION)
    [certificate] = here.all("Certificate").values()
    hosts = certificate["spec"]["dnsNames"]

    for ingress in here.all("Ingress").values():
        assert [rule["host"] for rule in ingress["spec"]["rules"]] == hosts
        assert ingress["spec"]["tls"] == [{"hosts": hosts, "secretName": certificate["spec"]["secretName"]}]


def test_prometheus_finds_every_service() -> None:
    here = cluster(PRODUCTION)
    monitor = here.all("ServiceMonitor")["csms"]["spec"]
    services = {
        name: [port["name"] for port in one["spec"]["ports"]]
        for name, one in here.all("Service").items()
        if Cluster([{**one, "kind": "Deployment", "spec": {"template": {"metadata": one["metadata"]}}}]).selected(
            monitor["selector"]
        )
    }

    assert services == {name: ["http"] for name in SERVICES}
    assert [one["port"] for one in monitor["endpoints"]] == ["http"]
    assert [one["path"] for one in monitor["endpoints"]] == ["/metrics"]
