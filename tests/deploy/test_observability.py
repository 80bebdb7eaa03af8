"""Dashboards and alerts ask for what the code exports, and every alert has its runbook."""

import importlib.util
import json
import pkgutil
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import yaml
from prometheus_client.metrics import MetricWrapperBase

from csms_platform.metrics import REGISTRY, Stopwatches
from tests.support.choice import find_program

ROOT = Path(__file__).parents[2]
DASHBOARDS = sorted((ROOT / "deploy" / "grafana" / "dashboards").glob("*.json"))
RULES = ROOT / "deploy" / "prometheus" / "rules" / "csms.yml"
OBSERVABILITY = (ROOT / "docs" / "observability.md").read_text(encoding="utf-8")
OPERATIONS = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")

# What the plugin rabbitmq_prometheus exports, from RabbitMQ 3.10 on: at /metrics, and at /metrics/detailed.
RABBITMQ = {
    "rabbitmq_alarms_file_descriptor_limit": set(),
    "rabbitmq_alarms_free_disk_space_watermark": set(),
    "rabbitmq_alarms_memory_used_watermark": set(),
    "rabbitmq_channels": set(),
    "rabbitmq_connections": set(),
    "rabbitmq_detailed_queue_messages": {"queue", "vhost"},
    "rabbitmq_detailed_queue_messages_ready": {"queue", "vhost"},
    "rabbitmq_detailed_queue_messages_unacked": {"queue", "vhost"},
    "rabbitmq_disk_space_available_bytes": set(),
    "rabbitmq_disk_space_available_limit_bytes": set(),
    "rabbitmq_global_messages_delivered_total": {"protocol", "queue_type"},
    "rabbitmq_global_messages_received_total": {"protocol"},
    "rabbitmq_process_resident_memory_bytes": set(),
    "rabbitmq_resident_memory_limit_bytes": set(),
}  # fmt: skip
EVERYWHERE = {"job", "instance"}
SERVICES = ("csms_api", "csms_emulator", "csms_router", "csms_soap_gateway", "csms_webhook_relay", "csms_ws_gateway")
ROW = re.compile(r"^\| `(csms_\w+)` \| (.*?) \| (\w+) \| (.*) \|$", re.MULTILINE)
UNITS = {"short", "s", "bytes", "percentunit", "reqps", "ops"}


@cache
def families() -> dict[str, tuple[str, str, set[str]]]:
    """Every metric of our processes by its name in the registry: type, what it says, and its labels."""
    for package in ("csms_platform.bus", "csms_platform.state", *SERVICES):
        for module in pkgutil.walk_packages(import_module(package).__path__, f"{package}."):
            if not module.name.endswith("__main__"):
                import_module(module.name)
    import_module("csms_platform.vitals")
    labels: dict[str, set[str]] = {}
    for collector in REGISTRY._collector_to_names:
        if isinstance(collector, MetricWrapperBase):
            labels[collector._name] = set(collector._labelnames)
        elif isinstance(collector, Stopwatches):
            labels[collector._name] = set(collector._labels)
    return {
        one.name: (one.type, one.documentation, labels.get(one.name, {"generation"}))
        for one in REGISTRY.collect()
        if not one.name.startswith("csms_test_")
    }


@cache
def exported() -> dict[str, set[str]]:
    """The labels of everything that queries may name."""
    found: dict[str, set[str]] = {"up": set(), **RABBITMQ}
    for name, (kind, _, labels) in families().items():
        match kind:
            case "counter":
                found[f"{name}_total"] = labels
            case "histogram":
                found |= {f"{name}_bucket": labels | {"le"}, f"{name}_count": labels, f"{name}_sum": labels}
            case _:
                found[name] = labels
    return found


def panels() -> Iterator[tuple[str, dict[str, Any]]]:
    for file in DASHBOARDS:
        for panel in json.loads(file.read_text(encoding="utf-8"))["panels"]:
            if panel["type"] != "row":
                yield f"{file.stem}: {panel['title']}", panel


def alerts() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"] for rule in group["rules"]]


def queries() -> dict[str, str]:
    """Every query of a dashboard or an alert, by what it is for."""
    shown = {f"{name} {target['refId']}": target["expr"] for name, panel in panels() for target in panel["targets"]}
    return shown | {rule["alert"]: rule["expr"] for rule in alerts()}


def promtool(*arguments: str | Path) -> str:
    """What it says. Fails with that when it finds something wrong."""
    program = find_program("promtool")
    assert program, "Debian's package prometheus has promtool, which this test needs."
    done = subprocess.run([program, *map(str, arguments)], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


_SELECTED = re.compile(r"([a-zA-Z_:][\w:]*)(\{[^}]*\})?")
_WORDS = {"by", "and", "or", "unless", "on", "offset", "le", "bool"}


def named(query: str) -> dict[str, set[str]]:
    """The metrics that a query names, each with the labels that it selects by."""
    bare = re.sub(r"\b(?:by|on)\s*\([^)]*\)|\[[^]]*\]|\boffset \w+|\b\d\w*", " ", query)
    return {
        name: set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", selector))
        for name, selector in _SELECTED.findall(re.sub(r"\b\w+(?=\s*\()", " ", bare))
        if name not in _WORDS
    }


def test_queries_are_read_as_prometheus_does() -> None:
    query = 'histogram_quantile(0.9, sum by (le, job) (rate(a_bucket{x="1",y=~"b.*"}[5m]))) / (b offset 15m > 50) and c'

    assert named(query) == {"a_bucket": {"x", "y"}, "b": set(), "c": set()}


def test_every_query_names_only_what_is_exported() -> None:
    unknown = {what: named(query).keys() - exported().keys() for what, query in queries().items()}

    assert {what: names for what, names in unknown.items() if names} == {}


def test_every_query_selects_and_groups_by_labels_that_there_are() -> None:
    wrong = {}
    for what, query in queries().items():
        metrics = named(query)
        grouped = {label.strip() for labels in re.findall(r"\bby \(([^)]*)\)", query) for label in labels.split(",")}
        every = set.union(EVERYWHERE, *(exported()[name] for name in metrics))
        unknown = {label for name in metrics for label in metrics[name] - exported()[name] - EVERYWHERE}
        if grouped - every or unknown:
            wrong[what] = unknown | (grouped - every)

    assert wrong == {}


def test_dashboards_are_as_their_script_makes_them() -> None:
    documents = _made().documents()

    assert documents == {file.name: file.read_text(encoding="utf-8") for file in DASHBOARDS}


def _made() -> ModuleType:
    specification = importlib.util.spec_from_file_location("make_dashboards", DASHBOARDS[0].parents[1] / "make.py")
    assert specification is not None
    assert specification.loader is not None
    module, before = importlib.util.module_from_spec(specification), sys.path[:]
    specification.loader.exec_module(module)
    sys.path[:] = before
    return module


def test_dashboards_have_names_of_their_own_and_a_data_source_to_choose() -> None:
    documents = [json.loads(file.read_text(encoding="utf-8")) for file in DASHBOARDS]

    assert sorted(one["uid"] for one in documents) == [f"csms-{file.stem}" for file in DASHBOARDS]
    assert len({one["title"] for one in documents}) == len(documents) == 5
    assert {one["schemaVersion"] >= 39 for one in documents} == {True}
    assert {one["templating"]["list"][0]["type"] for one in documents} == {"datasource"}
    for document in documents:
        assert len({panel["id"] for panel in document["panels"]}) == len(document["panels"])


def test_panels_do_not_overlap() -> None:
    for file in DASHBOARDS:
        cells: set[tuple[int, int]] = set()
        for panel in json.loads(file.read_text(encoding="utf-8"))["panels"]:
            at = panel["gridPos"]
            own = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
            assert not own & cells, panel["title"]
            assert at["x"] + at["w"] <= 24
            cells |= own


def test_every_panel_has_a_unit_and_the_chosen_data_source() -> None:
    for name, panel in panels():
        sources = {target["datasource"]["uid"] for target in panel["targets"]} | {panel["datasource"]["uid"]}
        assert panel["fieldConfig"]["defaults"]["unit"] in UNITS, name
        assert sources == {"${source}"}, name
        assert [target["refId"] for target in panel["targets"]] == list("ABCDEF"[: len(panel["targets"])]), name


def test_promtool_understands_every_query_of_the_dashboards(tmp_path: Path) -> None:
    plain = [query.replace("$__rate_interval", "5m").replace("$instance", ".*") for query in queries().values()]
    rules = [{"record": f"query:{number}", "expr": query} for number, query in enumerate(plain)]
    file = tmp_path / "queries.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "queries", "rules": rules}]}))

    assert f"SUCCESS: {len(rules)} rules found" in promtool("check", "rules", "--lint=none", file)


def test_promtool_finds_nothing_wrong_with_the_rules() -> None:
    assert f"SUCCESS: {len(alerts())} rules found" in promtool("check", "rules", RULES)


def test_alerts_fire_when_they_should_and_only_then(tmp_path: Path) -> None:
    file = tmp_path / "alerts.yml"
    cases = (Path(__file__).parent / "alerts.yml").read_text(encoding="utf-8")
    file.write_text(f"rule_files: [{RULES}]\n{cases}")

    assert "SUCCESS" in promtool("test", "rules", file)


def test_every_alert_leads_to_its_runbook_and_back() -> None:
    headings = set(re.findall(r"^### (Csms\w+)$", OPERATIONS, re.MULTILINE))

    assert {rule["alert"] for rule in alerts()} == headings
    for rule in alerts():
        assert rule["annotations"]["runbook_url"] == f"docs/operations.md#{rule['alert'].lower()}"
        assert rule["labels"]["severity"] in ("warning", "critical")


def test_every_metric_is_told_with_its_labels() -> None:
    told = {name: (kind, labels.replace("`", ""), text) for name, labels, kind, text in ROW.findall(OBSERVABILITY)}

    assert told == {
        f"{name}_total" if kind == "counter" else name: (kind, ", ".join(sorted(labels)), text)
        for name, (kind, text, labels) in families().items()
        if name.startswith("csms_")
    }


def test_no_metric_is_labelled_by_station_or_tag() -> None:
    labels = set.union(*(labels for _, _, labels in families().values()))

    assert labels & {"station", "identity", "id", "account", "id_tag", "peer", "unique_id", "trace"} == set()
