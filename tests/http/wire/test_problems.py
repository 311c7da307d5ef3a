"""What an error becomes that has more than a body (contract/roadmap/identity §1)."""

from __future__ import annotations

import pytest

from evpower.errors import InvalidToken, ServiceUnavailable, Unauthorized
from evpower.http.wire.problems import answer_error


@pytest.mark.parametrize(
    ("error", "challenge"), [(Unauthorized(), "Bearer"), (InvalidToken(), 'Bearer error="invalid_token"')]
)
async def test_an_unknown_caller_is_asked_for_a_token(error: Exception, challenge: str) -> None:
    """RFC 6750: only a token that was sent can be invalid. The body says the same of both."""
    answer = await answer_error(error)
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, challenge)
    assert await answer.get_json() == {"success": False, "error": "unauthorized", "message": "Требуется авторизация"}


async def test_a_token_that_cannot_be_checked_is_nobodys_fault() -> None:
    answer = await answer_error(ServiceUnavailable())
    assert (answer.status_code, (await answer.get_json())["error"]) == (503, "service_unavailable")
    assert "WWW-Authenticate" not in answer.headers
