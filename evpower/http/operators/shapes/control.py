"""The server, its stations and sessions as operators read them on the control socket."""

from __future__ import annotations

from evpower.billing.ledger_check import LedgerCheck, LedgerCheckRecord
from evpower.charging.review.free_vend import GivenAway
from evpower.http.operators.shapes.station_facts import facts_body
from evpower.http.operators.views import ConnectorLine, ServerStatus, SessionLine, StationSheet
from evpower.http.wire.payment_doors import operators_provider_body
from evpower.http.wire.values import Body, instant
from evpower.network_file.service import FleetReport


def status_body(status: ServerStatus) -> Body:
    """The server at a glance."""
    counts = status.counts
    return {
        "version": status.version,
        "uptime_s": status.uptime_s,
        "connected_stations": status.connected_stations,
        "stations": counts.stations,
        "running_sessions": counts.running_sessions,
        "unsettled_sessions": counts.unsettled_sessions,
        "parked_reports": counts.parked_reports,
        "parked_payments": counts.parked_payments,
        "postgresql": counts.postgresql,
        "payment_providers": {name: operators_provider_body(state) for name, state in status.payment_providers.items()},
        "failed_logins": status.failed_logins,
        "slowed_addresses": status.slowed_addresses,
        "tasks": status.tasks,
    }


def sheet_body(sheet: StationSheet) -> Body:
    """A station with everything known of it; what was never asked of it has no key."""
    line = sheet.line
    return {
        "id": line.id,
        "serial_number": line.serial_number,
        "model": line.model,
        "admin_status": line.admin_status,
        "location_id": line.location_id,
        "location_name": line.location_name,
        "last_heartbeat_at": sheet.last_seen_at,
        "firmware_version": line.firmware_version,
        "ocpp_version": line.ocpp_version,
        "connectors_count": line.connectors_count,
        "whole_status": line.whole_status,
        "connectors": [_connector(each) for each in line.connectors],
        "configuration_warnings": line.configuration_warnings,
        "status": sheet.status,
        "connected": sheet.connected,
        "left_alone": sheet.left_alone,
        **facts_body(sheet.facts),
        "free_vend": None if sheet.free_vend is None else _given_away(sheet.free_vend),
    }


def session_body(session: SessionLine) -> Body:
    """A session, money in som."""
    return {
        "session_id": session.session_id,
        "client_id": session.client_id,
        "station_id": session.station_id,
        "connector_id": session.connector_id,
        "status": session.status,
        "phase": session.phase,
        "start_time": session.start_time,
        "stop_time": session.stop_time,
        "energy_kwh": session.energy_kwh,
        "amount": session.amount,
        "reserved_amount": session.reserved_amount,
        "refunded_amount": session.refunded_amount,
        "additional_charge": session.additional_charge,
        "debt_amount": session.debt_amount,
        "limit_type": session.limit_type,
        "limit_value": session.limit_value,
        "transaction_id": session.transaction_id,
        "end_cause": session.end_cause,
        "stop_reason": session.stop_reason,
        "stop_requested_at": session.stop_requested_at,
        "stop_requested_by": session.stop_requested_by,
        "estimated": session.estimated,
        "doubtful": session.doubtful,
        "corrected_at": session.corrected_at,
        "overshoot_wh": session.overshoot_wh,
        "unbilled_wh": session.unbilled_wh,
        "unbilled_som": session.unbilled_som,
    }


def import_body(report: FleetReport) -> Body:
    """Rows of an imported file by kind, and what is doubtful of them."""
    return {
        "created": report.created,
        "changed": report.changed,
        "unchanged": report.unchanged,
        "warnings": report.warnings,
    }


def tried_body(report: FleetReport) -> Body:
    """The same of what was only tried, with every difference; without a `field`: a row that would be new."""
    differences = [
        {"kind": each.kind, "id": each.id, "field": each.field, "old": each.old, "new": each.new}
        for each in report.differences
    ]
    return {**import_body(report), "differences": differences}


def ledger_body(check: LedgerCheck, last_night: LedgerCheckRecord | None = None) -> Body:
    """Whether every invariant holds, and the rows that break one; what the last nightly check found, if there was one
    to be known of."""
    body: Body = {"ok": check.ok, "entries": check.entries, "problems": check.problems}
    if last_night is not None:
        body["last_night"] = {
            "night": f"{last_night.night}",
            "ended_at": instant(last_night.ended_at),
            "entries": last_night.entries,
            "problems": last_night.problems,
        }
    return body


def _connector(connector: ConnectorLine) -> Body:
    return {
        "connector_id": connector.connector_id,
        "status": connector.status,
        "ocpp_status": connector.ocpp_status,
        "is_enabled": connector.is_enabled,
        "error_code": connector.error_code,
        "busy": connector.busy,
    }


def _given_away(given: GivenAway) -> Body:
    return {"enabled": given.enabled, "charges": given.charges, "energy_wh": given.energy_wh}
