from __future__ import annotations

from typing import Any

import pytest
from quart import Response

from tests.http.fakes import Phone, World


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def client(world: World) -> Phone:
    return world.client()


async def body_of(response: Response, status: int = 200) -> Any:
    """The answer's JSON; its status and content type are checked on the way."""
    assert (response.status_code, response.content_type) == (status, "application/json")
    return await response.get_json()
