"""The first paths, `/api/…`: they do what `/api/v1/…` does, and say that they are deprecated (rest-api §8)."""

from __future__ import annotations

from quart import Blueprint, Quart, Response, current_app

LEGACY = "/api"
SUNSET = "EVPOWER_LEGACY_SUNSET"
DEPRECATED = {
    "X-Deprecated": "true",
    "X-Deprecated-Message": "Use /api/v1",
    "X-API-Deprecated-Warning": "This path is deprecated; use /api/v1",
}


def end_at(app: Quart, day: str) -> None:
    """When the operator will take them away, as YYYY-MM-DD; empty: nobody has said yet."""
    app.config[SUNSET] = day


def doors_below(prefix: str, name: str, path: str = "") -> Blueprint:
    """Routes below `prefix` and `path`; below the old prefix their name and every answer of theirs says so (§1.9)."""
    is_old = prefix == LEGACY
    routes = Blueprint(f"legacy_{name}" if is_old else name, __name__, url_prefix=f"{prefix}{path}")
    if is_old:
        routes.after_request(_deprecated)
    return routes


async def _deprecated(response: Response) -> Response:
    response.headers.update(DEPRECATED)
    if sunset := current_app.config.get(SUNSET):
        response.headers["X-Deprecated-Sunset"] = sunset
    return response
