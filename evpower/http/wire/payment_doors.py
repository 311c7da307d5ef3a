"""What every door to payments shares: phones', providers', operators'."""

from __future__ import annotations

from quart import Response, g

from evpower.http.wire.access import client_ip
from evpower.http.wire.values import Body
from evpower.payments.provider_calls import ProviderState
from evpower.payments.top_up import Origin, Source


def origin(source: Source = "client", actor: str | None = None) -> Origin:
    """Who asks, for the audit log."""
    return Origin(source, g.correlation_id, client_ip(), actor)


def clean(key: str) -> str:
    """An id from a path, as PostgreSQL can take it; one that cannot be is unknown."""
    return key.replace("\0", "")[:200]


async def no_store(response: Response) -> Response:
    """Nothing of a payment belongs into a cache."""
    response.headers["Cache-Control"] = "no-store"
    return response


def provider_body(state: ProviderState) -> Body:
    """How a payment provider does; one that fails has when it began, and how."""
    if state.status != "failing":
        return {"state": state.status}
    return {"state": state.status, "failing_since": state.failing_since, "last_error": state.last_error}


def operators_provider_body(state: ProviderState) -> Body:
    """The same for operators: with the reason when TLS failed."""
    body = provider_body(state)
    return {**body, "last_error": f"{state.last_error} ({state.tls})"} if state.tls else body
