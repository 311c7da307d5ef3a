"""The people's application with every route that the server gives it, and nothing behind them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

from quart_trio import QuartTrio

from evpower.clock import SystemClock
from evpower.http.operators.metrics import Exposition
from evpower.server.doors import people_app
from evpower.server.process import Process
from evpower.settings.config import Config
from tests.http.fakes import CountingIds


class Nothing:
    """Has every part, each of them nothing; a route that is asked finds nobody behind it."""

    def __getattr__(self, name: str) -> Any:
        return Nothing()


def whole_app(config: Config) -> QuartTrio:
    """The application of `doors.py`."""
    engines = dict.fromkeys(("app", "pool", "registry", "watch", "hub", "tracer", "link", "tokens"), Nothing())
    process = cast("Process", SimpleNamespace(config=config, clock=SystemClock(), ids=CountingIds(), **engines))
    return people_app(process, cast("Exposition", Nothing()), ())
