"""The people's application with every route that the server gives it, and nothing behind them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

from quart_trio import QuartTrio

from evpower.clock import SystemClock
from evpower.http.operators.metrics import Exposition
from evpower.rate_limits.service import RateLimits
from evpower.server.doors import people_app
from evpower.server.process import Process
from evpower.settings.config import Config
from tests.http.fakes import CountingIds


class Nothing:
    """Has every part, each of them nothing; a route that is asked finds nobody behind it."""

    rate_limits: RateLimits

    def __getattr__(self, name: str) -> Any:
        return Nothing()


def whole_app(config: Config) -> QuartTrio:
    """The application of `doors.py`."""
    clock, engines = (
        SystemClock(),
        dict.fromkeys(("pool", "registry", "watch", "hub", "tokens", "tracer", "link"), Nothing()),
    )
    services = Nothing()
    services.rate_limits = RateLimits(clock)
    process = SimpleNamespace(config=config, clock=clock, ids=CountingIds(), app=services, **engines)
    return people_app(cast("Process", process), cast("Exposition", Nothing()), ())
