"""What was done, and how well the network ran, on a terminal (operator-pages §10)."""

from __future__ import annotations

from tests.command_line.control_server import FakeControl, run

AT = "2026-11-27T01:00:00Z"
EVENT = {"at": AT, "target": "EVP-1", "who": "operator:aida", "door": "pages", "kind": "act", "what": "reset soft"}
HOUR = {
    "hour": AT,
    "uptime": 0.5,
    "starts_asked": 4,
    "starts_reached": 3,
    "charges": 3,
    "energy_wh": 7,
    "revenue_som": 9,
}
OUTAGE = {"began_at": AT, "ended_at": None, "cause": "socket", "close_code": 1006}


def test_events_of_a_station_since_a_time(control: FakeControl) -> None:
    control.succeed("/control/ids/stations?begins=EVP-1", ["EVP-1"])
    path = "/control/events?station=EVP-1&from=2026-11-27T00%3A00%3A00Z"
    control.succeed(path, {"events": [{**EVENT, "outcome": "done"}], "next_cursor": None})
    shown = run("events", "--station", "EVP-1", "--since", "2026-11-27T00:00:00Z")
    assert shown.exit_code == 0, shown.output
    assert "operator:aida" in shown.stdout
    assert "reset soft" in shown.stdout


def test_hours_and_availability(control: FakeControl) -> None:
    control.succeed("/control/hours?hours=2", [{**HOUR, "topped_up_som": 1}])
    assert "0.5" in run("hours", "--hours", "2").stdout
    control.succeed("/control/ids/stations?begins=EVP-1", ["EVP-1"])
    found = {"station_id": "EVP-1", "uptime": 0.75, "days": [], "outages": [OUTAGE]}
    control.succeed("/control/stations/EVP-1/availability?days=7", found)
    shown = run("station", "availability", "EVP-1", "--days", "7").stdout
    assert "0.75" in shown
    assert "1006" in shown
