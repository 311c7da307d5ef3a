"""The files for Prometheus and Grafana, as tests read them: no more of YAML than these have."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROMETHEUS = ROOT / "config" / "prometheus"
DASHBOARDS = sorted((ROOT / "config" / "grafana").glob("*.json"))
#: `- alert: NAME` and the lines below it, to the next one.
ALERT = re.compile(r"^ +- alert: (\w+)\n((?:(?! +- alert:).*\n)+)", re.MULTILINE)
LINE = re.compile(r"^ +(expr|labels|summary|runbook): (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Rule:
    """One alert."""

    name: str
    expression: str
    labels: str
    summary: str
    runbook: str


def rules() -> list[Rule]:
    """Every alert; one that lacks a line is a KeyError."""
    found = []
    for name, rest in ALERT.findall((PROMETHEUS / "evpower.rules.yml").read_text(encoding="utf-8")):
        lines = dict(LINE.findall(rest))
        found.append(Rule(name, lines["expr"], lines["labels"], lines["summary"], lines["runbook"]))
    return found


def names_in(expression: str) -> set[str]:
    """The metrics of ours in an expression of PromQL."""
    return set(re.findall(r"\bevpower_\w+", re.sub(r'"[^"]*"', "", expression)))
