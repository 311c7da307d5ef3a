"""Every list can be shortened, narrowed where its rows have whose they are, and watched."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.command_line.control_server import FakeControl, run

CARDS = [
    {"id_tag": "ONE", "status": "Accepted", "expiry_date": None, "parent_id_tag": None, "client_id": "ann"},
    {"id_tag": "TWO", "status": "Accepted", "expiry_date": None, "parent_id_tag": None, "client_id": "ben"},
    {"id_tag": "NOBODYS", "status": "Blocked", "expiry_date": None, "parent_id_tag": None, "client_id": None},
]
CERTIFICATES = [{"station_id": f"EVP-00{number}", "state": "active"} for number in (1, 2, 3)]
LISTS: dict[str, tuple[str, Any]] = {
    "tags": ("/control/id-tags", CARDS),
    "strangers": ("/control/strangers", [{"identity": each} for each in ("A", "B", "C")]),
    "certificates": ("/control/certificates", CERTIFICATES),
    "tariffs": ("/control/tariff-plans", [{"id": each, "rules": []} for each in ("A", "B", "C")]),
}


def rows(*command: str) -> list[dict[str, Any]]:
    result = run(*command, "--json")
    assert result.exit_code == 0, result.output
    found: list[dict[str, Any]] = json.loads(result.stdout)
    return found


@pytest.mark.parametrize("name", LISTS)
def test_a_list_is_as_long_as_is_asked(control: FakeControl, name: str) -> None:
    control.succeed(*LISTS[name])
    assert rows(name) == LISTS[name][1]
    assert rows(name, "--limit", "2") == LISTS[name][1][:2]


def test_the_server_shortens_the_list_of_locations(control: FakeControl) -> None:
    control.succeed("/control/locations?limit=2", {"locations": [{"id": "A"}, {"id": "B"}]})
    assert [each["id"] for each in rows("locations", "--limit", "2")] == ["A", "B"]


def test_cards_of_one_client(control: FakeControl) -> None:
    control.succeed("/control/id-tags", CARDS)
    control.succeed("/control/ids/clients?begins=be", ["ben"])
    assert [each["id_tag"] for each in rows("tags", "--client", "be")] == ["TWO"]


def test_certificates_of_one_station(control: FakeControl) -> None:
    control.succeed("/control/certificates", CERTIFICATES)
    control.succeed("/control/ids/stations?begins=EVP-002", ["EVP-002"])
    assert [each["station_id"] for each in rows("certificates", "--station", "EVP-002")] == ["EVP-002"]


@pytest.mark.parametrize("name", [*LISTS, "locations"])
def test_a_list_can_be_watched_by_people_alone(control: FakeControl, name: str) -> None:
    result = run(name, "--watch", "--json")
    assert result.exit_code == 2
    assert "either --watch or --json" in result.output
