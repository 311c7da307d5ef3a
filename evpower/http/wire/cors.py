"""Which web pages may call us (contract/rest-api §1.9): the configured origins, and no other."""

from __future__ import annotations

from collections.abc import Collection

from quart import Quart, Response, request

METHODS = "GET, POST, PUT, DELETE, PATCH, OPTIONS"
REQUEST_HEADERS = (
    "Authorization, Content-Type, X-CSRF-Token, X-Client-Id, X-Client-Timestamp, X-Client-Signature, "
    "Idempotency-Key, X-Correlation-ID"
)
EXPOSED_HEADERS = (
    "X-Correlation-ID, Idempotency-Key, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, "
    "X-API-Version, X-API-Latest-Version, X-API-Upgrade-Available, X-API-Deprecated-Warning"
)
PREFLIGHT_MAX_AGE_S = 600


def allow_origins(app: Quart, allowed: Collection[str]) -> None:
    """Answer preflights and mark answers for `allowed` origins, written as browsers send them: `https://app.example`."""

    @app.after_request
    async def mark(response: Response) -> Response:
        origin = request.headers.get("Origin")
        if origin is None or not allowed:
            return response
        response.headers.add("Vary", "Origin")
        if origin not in allowed:
            return response
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Expose-Headers"] = EXPOSED_HEADERS
        if request.method == "OPTIONS":
            response.headers["Access-Control-Allow-Methods"] = METHODS
            response.headers["Access-Control-Allow-Headers"] = REQUEST_HEADERS
            response.headers["Access-Control-Max-Age"] = str(PREFLIGHT_MAX_AGE_S)
        return response
