from __future__ import annotations

import pytest

from tests.worlds.charging import World
from tests.worlds.pages import Browser


@pytest.fixture
async def browser(world: World) -> Browser:
    """A chief administrator, signed in, who reads English."""
    return await Browser(world).sign_in()
