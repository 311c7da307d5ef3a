"""The files for Prometheus and Grafana: whole, explained, and right where Prometheus' own tool is there to say so."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.worlds.monitoring import DASHBOARDS, PROMETHEUS, ROOT, names_in, rules

PAGE = (ROOT / "docs" / "monitoring.md").read_text(encoding="utf-8")
METRICS = set(re.findall(r"^\| `(evpower_\w+)` \|", (ROOT / "docs" / "operating.md").read_text("utf-8"), re.MULTILINE))


def test_every_alert_says_whom_it_wakes_and_where_its_page_is() -> None:
    assert len(rules()) >= 25
    for rule in rules():
        assert rule.labels in ("{severity: page}", "{severity: ticket}"), rule.name
        assert rule.runbook == f"docs/monitoring.md#{rule.name.lower()}"


def test_the_page_has_each_alert_and_no_other() -> None:
    assert re.findall(r"^### (\w+)$", PAGE, re.MULTILINE) == [rule.name for rule in rules()]


def test_expressions_ask_for_documented_metrics_alone() -> None:
    asked = {re.sub("_bucket$", "", name) for rule in rules() for name in names_in(rule.expression)}
    assert asked <= METRICS


@pytest.mark.parametrize("file", DASHBOARDS, ids=lambda file: file.stem)
def test_a_dashboard_can_be_imported_into_any_grafana(file: Path) -> None:
    """Its data source is chosen there, its panels have ids of their own and do not lie on each other."""
    dashboard = json.loads(file.read_text(encoding="utf-8"))
    assert dashboard["uid"] == f"evpower-{file.stem}"
    assert [each["name"] for each in dashboard["templating"]["list"]] == ["datasource"]
    panels = dashboard["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        place = panel["gridPos"]
        cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert place["x"] + place["w"] <= 24
        assert not taken & cells, panel["title"]
        taken |= cells
        for target in panel.get("targets", ()):
            assert target["datasource"]["uid"] == "${datasource}", panel["title"]
            assert names_in(target["expr"]) or "job=" in target["expr"], panel["title"]


@pytest.mark.external
def test_prometheus_tool_finds_nothing_wrong() -> None:
    """Where promtool is installed (Debian: `prometheus`) it checks the files and runs the tests of the rules; elsewhere
    the tests above are all there is."""
    promtool = shutil.which("promtool")
    files = (["check", "config", "prometheus.yml"], ["test", "rules", "evpower.rules.test.yml"])
    for arguments in files if promtool else ():
        done = subprocess.run([str(promtool), *arguments], cwd=PROMETHEUS, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def test_the_rules_tests_name_alerts_that_exist() -> None:
    tested = set(re.findall(r"alertname: (\w+)", (PROMETHEUS / "evpower.rules.test.yml").read_text(encoding="utf-8")))
    assert tested <= {rule.name for rule in rules()}
