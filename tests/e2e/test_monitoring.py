"""What Prometheus and Grafana ask for is there: every name of the shipped files, at a started server (issue H §5)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import trio
from prometheus_client.parser import text_string_to_metric_families

from tests.e2e.conftest import SETTINGS, url_of
from tests.e2e.process import Server, poll
from tests.worlds.monitoring import DASHBOARDS, names_in, rules
from tests.worlds.redis_server import RedisServer


def asked_for() -> set[str]:
    """Every metric in an expression of the alerts and of the dashboards."""
    expressions = [rule.expression for rule in rules()]
    for file in DASHBOARDS:
        expressions += expressions_of(json.loads(file.read_text(encoding="utf-8")))
    return {name for expression in expressions for name in names_in(expression)}


def expressions_of(dashboard: dict[str, Any]) -> list[str]:
    return [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", ())]


def exposed(text: str) -> Iterator[str]:
    """What may be asked for: families without samples too, for their labels come with what happens."""
    for family in text_string_to_metric_families(text):
        yield from {"counter": [f"{family.name}_total"], "histogram": [f"{family.name}_bucket"]}.get(
            family.type, [family.name]
        )


async def test_every_name_is_a_metric_of_a_started_server(
    database_url: str, redis_server: RedisServer, tmp_path: Path
) -> None:
    names = asked_for()
    assert len(names) > 40
    settings = {**SETTINGS, "database_url": url_of(database_url), "redis_url": redis_server.url}
    async with trio.open_nursery() as nursery:
        server = Server(nursery, tmp_path, **settings)
        await server.start()

        async def text() -> str:
            async with httpx2.AsyncClient(base_url=server.http_url, timeout=10) as client:
                scraped = (await client.get("/metrics")).text
            # The first check of the ledger is made a moment after the start.
            return scraped if re.search("^evpower_ledger_broken_rows 0", scraped, re.MULTILINE) else ""

        with trio.fail_after(30):
            scraped = await poll(text, every_s=0.5)
        await server.stop()
    assert names - set(exposed(scraped)) == set()
