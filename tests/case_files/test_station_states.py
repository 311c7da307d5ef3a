"""Which state a station is in, by its rows and by the socket of this process (contract/operator-pages §4)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from evpower.case_files.station_case import CaseStation, StationState, station_state
from evpower.link.ports import SocketNow
from tests.worlds.fakes import NOON

TIMEOUT = timedelta(minutes=5)
AWAY = CaseStation(
    id="A",
    serial_number="1",
    model="M",
    manufacturer="",
    location_id="L",
    location_name="L",
    location_address="",
    city=None,
    admin_status="active",
    firmware_version=None,
    tariff_plan_id=None,
    created_at=NOON - timedelta(days=2),
    updated_at=NOON - timedelta(days=1),
    last_seen_at=None,
    process_id=None,
    connected_at=None,
    address=None,
    whole_status=None,
    vendor_error_code=None,
    info=None,
    reported_vendor=None,
    reported_model=None,
    booted_at=None,
    has_password=False,
    has_pending_password=False,
    has_certificate=False,
    free_vend=False,
    ocpp_version="1.6",
)
AGO = NOON - timedelta(minutes=2)
HERE = replace(AWAY, process_id="p", connected_at=AGO, last_seen_at=NOON)
SOCKET = SocketNow("Accepted", True, True, NOON, {}, {})


@pytest.mark.parametrize(
    ("station", "socket", "state", "since"),
    [
        (AWAY, None, StationState.NEVER, AWAY.created_at),
        (replace(AWAY, last_seen_at=AGO), None, StationState.OFFLINE, AGO),
        (HERE, SOCKET, StationState.ONLINE, AGO),
        (HERE, None, StationState.ONLINE, AGO),
        (HERE, replace(SOCKET, has_spoken=False), StationState.CONNECTING, AGO),
        (replace(HERE, last_seen_at=AGO - TIMEOUT), None, StationState.CONNECTING, AGO),
        (HERE, replace(SOCKET, is_ready=False), StationState.BOOTING, AGO),
        (HERE, replace(SOCKET, registration="Pending"), StationState.BOOTING, AGO),
        (replace(HERE, connected_at=NOON, booted_at=NOON), None, StationState.BOOTING, NOON),
        (HERE, replace(SOCKET, last_seen_at=NOON - TIMEOUT * 2), StationState.SILENT, NOON - TIMEOUT * 2),
        (
            replace(HERE, connected_at=NOON - TIMEOUT * 3, last_seen_at=NOON - TIMEOUT * 2),
            None,
            StationState.SILENT,
            None,
        ),
        (replace(HERE, admin_status="maintenance"), SOCKET, StationState.MAINTENANCE, AWAY.updated_at),
        (replace(AWAY, admin_status="inactive"), None, StationState.INACTIVE, AWAY.updated_at),
    ],
)
def test_a_station_is_in_one_state(
    station: CaseStation, socket: SocketNow | None, state: StationState, since: object
) -> None:
    found, found_since = station_state(station, socket, NOON, TIMEOUT)
    assert found is state
    assert found_since == (since or found_since)


def test_a_station_is_silent_only_after_the_time_out() -> None:
    """At the very moment of the time-out it still counts as heard."""
    for late, state in ((timedelta(0), StationState.ONLINE), (timedelta(seconds=1), StationState.SILENT)):
        heard = replace(SOCKET, last_seen_at=NOON - TIMEOUT - late)
        assert station_state(HERE, heard, NOON, TIMEOUT)[0] is state
