"""The figures of a process, put together once."""

from __future__ import annotations

from evpower.http.wire.access import HttpTraffic
from evpower.ocpp.door.server import StationServer
from evpower.server.metrics.exposition import Counting, Metrics
from evpower.server.process import Process


def server_figures(process: Process, server: StationServer, traffic: HttpTraffic) -> Metrics:
    """What /metrics shows of a process, whose doors for people count in `traffic`."""
    app = process.app
    return Metrics(
        Counting(
            pool=process.pool,
            journal=app.journal,
            bus=app.bus,
            server=server,
            tracer=process.tracer,
            payments=app.payments,
            billing=app.billing,
            settler=app.settler,
            idle_fees=app.idle_fees.sums,
            attempts=app.attempts,
            rate_limits=app.rate_limits,
            watch=process.watch,
            sign_in_codes=app.sign_in.codes.outcomes,
            refreshed_tokens=app.sign_in.sign_ins.refreshes,
            push_outcomes=app.push.deliverer.outcomes,
            webhook_outcomes=app.webhook_deliverer.outcomes,
            watch_steps=app.watches.steps,
            reservation_ends=app.reservations.ends.ends,
            not_kept=app.keeping.not_kept,
            power=app.power,
            forecast_skill=app.forecasts.skill,
            router_asked=app.navigation.roads.asked,
            refused_tokens=process.tokens.verifier.failures,
            heartbeat_timeout_s=process.config.ocpp.heartbeat_timeout_s,
            redis=app.redis,
            requests=traffic,
            lag=process.lag,
        )
    )
