"""The rules of an application: requests are matched by them, and nothing is spent on building URLs from them."""

from __future__ import annotations

import pytest

from evpower.clock import RandomIds
from evpower.http.wire.application import HttpApplication, RequestLimits


def application() -> HttpApplication:
    app = HttpApplication("rules", ids=RandomIds(), limits=RequestLimits())
    app.add_url_rule("/api/v1/stations/<station_id>", "station", lambda station_id: station_id)
    return app


def test_a_request_finds_its_rule_and_values() -> None:
    adapter = application().url_map.bind("host")
    assert adapter.match("/api/v1/stations/EVP-1") == ("station", {"station_id": "EVP-1"})


def test_a_url_that_is_built_from_a_rule_is_an_error_that_names_it() -> None:
    adapter = application().url_map.bind("host")
    with pytest.raises(NotImplementedError, match="/api/v1/stations/<station_id>"):
        adapter.build("station", {"station_id": "EVP-1"})
