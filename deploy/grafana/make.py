"""Writes `dashboards/*.json`, for Grafana 10 and newer, from `panels/`: run it after every change there."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "dashboards"
sys.path.insert(0, str(Path(__file__).parent))

from panels import DASHBOARDS  # noqa: E402 - it lies beside this script, wherever that is run
from panels.parts import Dashboard, Panel  # noqa: E402

_SCHEMA = 39  # Grafana 10.4
_SOURCE = {"type": "prometheus", "uid": "${source}"}
_WIDTH = 24
_INSTANCES = 'instance=~"$instance"'


def documents() -> dict[str, str]:
    """The files' texts by their names."""
    return {f"{one.name}.json": json.dumps(_dashboard(one), indent=1) + "\n" for one in DASHBOARDS}


def _dashboard(one: Dashboard) -> dict[str, Any]:
    return {
        "uid": f"csms-{one.name}",
        "title": one.title,
        "tags": ["csms"],
        "schemaVersion": _SCHEMA,
        "version": 1,
        "editable": False,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "links": [{"title": "CSMS", "type": "dashboards", "tags": ["csms"], "asDropdown": True, "keepTime": True}],
        "templating": {"list": [_source(), _instance()]},
        "panels": list(_panels(one)),
    }


def _source() -> dict[str, Any]:
    return {"name": "source", "label": "Data source", "type": "datasource", "query": "prometheus"}


def _instance() -> dict[str, Any]:
    query = "label_values(csms_loop_lag_seconds_count, instance)"
    return {
        "name": "instance",
        "label": "Instance",
        "type": "query",
        "datasource": _SOURCE,
        "query": {"query": query, "refId": "instances"},
        "definition": query,
        "refresh": 2,
        "multi": True,
        "includeAll": True,
        "allValue": ".*",
        "current": {"text": ["All"], "value": ["$__all"]},
    }


def _panels(one: Dashboard) -> Iterator[dict[str, Any]]:
    number, top = 0, 0
    for title, panels in one.rows.items():
        number += 1
        yield {
            "id": number,
            "type": "row",
            "title": title,
            "collapsed": False,
            "panels": [],
            "gridPos": _at(0, top, 24, 1),
        }
        top += 1
        for row in _rows(panels):
            width, height = _WIDTH // len(row), 4 if row[0].stat else 8
            for place, panel in enumerate(row):
                number += 1
                yield _panel(panel, number, _at(place * width, top, width, height))
            top += height


def _rows(panels: list[Panel]) -> Iterator[list[Panel]]:
    most = 4 if panels[0].stat else 3
    for start in range(0, len(panels), most):
        yield panels[start : start + most]


def _at(x: int, y: int, w: int, h: int) -> dict[str, int]:
    return {"x": x, "y": y, "w": w, "h": h}


def _panel(panel: Panel, number: int, at: dict[str, int]) -> dict[str, Any]:
    return {
        "id": number,
        "type": "stat" if panel.stat else "timeseries",
        "title": panel.title,
        "description": panel.text,
        "datasource": _SOURCE,
        "gridPos": at,
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
        "options": {} if panel.stat else {"tooltip": {"mode": "multi"}, "legend": {"displayMode": "list"}},
        "targets": [_target(*query, chr(ord("A") + place)) for place, query in enumerate(panel.queries.items())],
    }


def _target(legend: str, query: str, letter: str) -> dict[str, Any]:
    text = query.replace("$i}", f"{_INSTANCES}}}")
    return {"refId": letter, "datasource": _SOURCE, "expr": text, "legendFormat": legend or "__auto"}


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, text in documents().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
