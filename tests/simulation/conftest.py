from __future__ import annotations

import pytest

from tests.simulation.playing import Server


@pytest.fixture
def server(postgres_server: str, template: str) -> Server:
    return postgres_server, template
