"""The first paths, `/api/…`: they do what `/api/v1/…` does, and say that they are deprecated (rest-api §8)."""

from __future__ import annotations

from quart import Blueprint, Response

LEGACY = "/api"
DEPRECATED = {
    "X-Deprecated": "true",
    "X-Deprecated-Message": "Use /api/v1",
    # Not before: half a year is what a deprecated path is promised (§9), and the apps in the field use these.
    "X-Deprecated-Sunset": "2027-06-30",
    "X-API-Deprecated-Warning": "This path is deprecated; use /api/v1",
}


def doors_below(prefix: str, name: str, path: str = "") -> Blueprint:
    """Routes below `prefix` and `path`; below the old prefix their name and every answer of theirs says so (§1.9)."""
    is_old = prefix == LEGACY
    routes = Blueprint(f"legacy_{name}" if is_old else name, __name__, url_prefix=f"{prefix}{path}")
    if is_old:
        routes.after_request(_deprecated)
    return routes


async def _deprecated(response: Response) -> Response:
    response.headers.update(DEPRECATED)
    return response
