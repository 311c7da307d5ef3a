"""The operator's commands: what is asked of the server, what is shown, and how each ending is told by exit code."""

from __future__ import annotations

import getpass
import json
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from evpower.command_line.control import sockets_to_try
from evpower.settings.config import load
from tests.command_line.control_server import FakeControl, run

STATION = {
    "id": "EVP-001-01",
    "location_name": "ТЦ Дордой Плаза",
    "status": "available",
    "connected": True,
    "last_heartbeat_at": None,
    "connectors": [{"connector_id": 1, "status": "available", "ocpp_status": "Available"}],
}


def test_status_is_shown(control: FakeControl) -> None:
    control.succeed("/control/status", {"version": "1.0.0", "connected_stations": 3})
    result = run("status")
    assert result.exit_code == 0
    assert "connected stations" in result.stdout


def test_status_shows_a_provider_that_fails(control: FakeControl) -> None:
    failing = {"state": "failing", "failing_since": "2026-11-23T06:00:15Z", "last_error": "provider_timeout"}
    providers = {"ODENGI": failing, "OBANK": {"state": "off"}}
    control.succeed("/control/status", {"version": "1.0.0", "payment_providers": providers})
    assert "ODENGI failing since 2026-11-23 12:00:15 (provider_timeout), OBANK off" in run("status").stdout
    assert "ODENGI failing since 2026-11-23 06:00:15Z (provider_timeout), OBANK off" in run("status", "--utc").stdout
    failing["failing_since"] = "2026-11-23T06:00:15.000000Z"
    assert json.loads(run("status", "--json").stdout)["payment_providers"] == providers


def test_json_is_the_data_itself(control: FakeControl) -> None:
    control.succeed("/control/stations", [STATION])
    assert json.loads(run("stations", "--json").stdout) == [STATION]


def test_stations_are_a_table(control: FakeControl) -> None:
    control.succeed("/control/stations", [STATION])
    result = run("stations")
    for cell in ("EVP-001-01", "ТЦ Дордой Плаза", "yes", "1 Available"):
        assert cell in result.stdout


def test_a_doubtful_station_says_so_in_the_table(control: FakeControl) -> None:
    control.succeed("/control/stations", [STATION | {"configuration_warnings": ["connectors_count is 1, but"]}])
    assert "connectors_count is 1, but" in run("stations").stdout


def test_a_disabled_connector_is_called_so(control: FakeControl) -> None:
    connector = {"connector_id": 2, "is_enabled": False, "status": "unavailable", "ocpp_status": "Available"}
    control.succeed("/control/stations", [STATION | {"connectors": [connector]}])
    assert "2 disabled" in run("stations").stdout


def test_no_stations_says_how_to_add_some(control: FakeControl) -> None:
    control.succeed("/control/stations", [])
    assert "evpower import" in run("stations").stdout


def test_a_long_id_is_never_cut(control: FakeControl) -> None:
    session_id = "3f2b8c1e-0000-4000-8000-123456789abc"
    control.succeed("/control/sessions", [{"session_id": session_id, "client_id": "c" * 64, "station_id": "s" * 40}])
    result = run("sessions")
    assert session_id in result.stdout
    assert "c" * 64 in result.stdout


def test_sessions_are_the_running_ones_unless_all_are_asked_for(control: FakeControl) -> None:
    control.succeed("/control/sessions", [])
    control.succeed("/control/sessions?all=1", [])
    run("sessions")
    run("sessions", "--all")
    assert [path for _, path, _ in control.asked] == ["/control/sessions", "/control/sessions?all=1"]


def test_a_session_is_stopped(control: FakeControl) -> None:
    control.succeed("/control/sessions/s1/stop", {"session_id": "s1", "refund_amount": 67.5})
    result = run("session", "stop", "s1")
    assert (result.exit_code, control.asked) == (0, [("POST", "/control/sessions/s1/stop", b"")])
    assert "67.5" in result.stdout


def test_an_id_cannot_reach_another_route(control: FakeControl) -> None:
    run("session", "stop", "../../import?x=#")
    assert control.asked[0][1] == "/control/sessions/..%2F..%2Fimport%3Fx%3D%23/stop"


def test_a_refusal_ends_with_1_and_the_servers_sentence(control: FakeControl) -> None:
    envelope = {"success": False, "error": "session_not_found", "message": "Активная сессия зарядки не найдена"}
    control.answers["/control/sessions/s1/stop"] = (200, envelope)
    result = run("session", "stop", "s1")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "Error: Активная сессия зарядки не найдена\n"
    assert json.loads(run("session", "stop", "s1", "--json").stdout) == envelope


def test_a_fleet_is_sent_as_it_is(control: FakeControl, tmp_path: Path) -> None:
    fleet = tmp_path / "fleet.toml"
    fleet.write_bytes(b"# \xd0\x94\n" * 50_000)
    control.succeed("/control/import", {"created": {"stations": 2}, "changed": {}, "unchanged": {}, "warnings": ["w"]})
    result = run("import", str(fleet))
    assert result.exit_code == 0
    assert control.asked == [("POST", "/control/import", fleet.read_bytes())]
    assert "stations: 2" in result.stdout
    assert result.stderr == "Warning: w\n"


def test_a_fleet_may_come_from_standard_input(control: FakeControl) -> None:
    control.succeed("/control/import", {"created": {}, "changed": {}, "unchanged": {}, "warnings": []})
    assert run("import", "-", input="# nothing\n").exit_code == 0
    assert control.asked[0][2] == b"# nothing\n"


def test_every_wrong_field_of_a_fleet_is_listed(control: FakeControl) -> None:
    detail = [{"field": "locations[0].id", "message": "is missing"}]
    envelope = {"success": False, "error": "validation_error", "message": "Некорректные данные", "detail": detail}
    control.answers["/control/import"] = (400, envelope)
    result = run("import", "-", input="[[locations]]\n")
    assert result.exit_code == 1
    assert "  locations[0].id: is missing\n" in result.stderr


def test_a_right_ledger_ends_with_0(control: FakeControl) -> None:
    control.succeed("/control/ledger", {"ok": True, "entries": 12, "problems": {}})
    result = run("ledger", "check")
    assert (result.exit_code, "12 entries" in result.stdout) == (0, True)


def test_a_broken_ledger_ends_with_1_and_names_the_rows(control: FakeControl) -> None:
    problems = {"entries that do not sum to zero": [{"id": 7, "tyiyn": 1}]}
    control.succeed("/control/ledger", {"ok": False, "entries": 12, "problems": problems})
    result = run("ledger", "check")
    assert result.exit_code == 1
    assert "entries that do not sum to zero: {'id': 7" in result.stderr


@pytest.mark.parametrize("command", [["status"], ["stations"], ["sessions"], ["session", "stop", "s1"]])
def test_without_a_server_the_end_is_3_and_one_line(command: list[str], tmp_path: Path) -> None:
    result = run(*command)
    assert (result.exit_code, result.stdout) == (3, "")
    assert result.stderr.count("\n") == 1
    assert f"{tmp_path}/evpower.sock" in result.stderr
    assert "evpower serve" in result.stderr


def test_without_a_server_json_stays_json() -> None:
    result = run("status", "--json")
    assert (result.exit_code, json.loads(result.stdout)["error"]) == (3, "server_not_reachable")


def test_a_stranger_at_the_socket_is_not_believed(control: FakeControl) -> None:
    control.answers["/control/status"] = (200, b"<html>")
    result = run("status")
    assert (result.exit_code, "not EvPower" in result.stderr) == (3, True)


def test_a_named_socket_is_the_only_one(control: FakeControl, tmp_path: Path) -> None:
    """A command must not reach another server than was meant."""
    result = run("status", "--socket", str(tmp_path / "other.sock"))
    assert result.exit_code == 3
    assert control.asked == []


def test_the_sockets_order(tmp_path: Path) -> None:
    state = {"EVPOWER_STATE_DIR": "/srv/ev"}
    system = Path("/run/evpower/evpower.sock")
    assert sockets_to_try(load(None, state), None, system) == [Path("/srv/ev/evpower.sock"), system]
    named = load(None, state | {"EVPOWER_CONTROL_SOCKET": "/x.sock"})
    assert sockets_to_try(named, None, system) == [Path("/x.sock")]
    assert sockets_to_try(named, Path("/y.sock"), system) == [Path("/y.sock")]


def test_wrong_settings_end_with_2_and_are_all_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVPOWER_HTTP_BIND", "x")
    monkeypatch.setenv("EVPOWER_LOG_LEVEL", "x")
    result = run("config", "check")
    assert (result.exit_code, result.stderr.count("Error: EVPOWER_")) == (2, 2)
    assert len(json.loads(run("config", "check", "--json").stdout)["problems"]) == 2


def test_right_settings_end_with_0_and_show_their_warnings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVPOWER_HTP_BIND", "x")
    result = run("config", "check")
    assert result.exit_code == 0
    assert "Warning: EVPOWER_HTP_BIND" in result.stdout


def test_the_check_names_the_file_it_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Right settings of no file at all are no proof for those in a file."""
    file = tmp_path / "evpower.toml"
    file.write_text("[log]\nlevel = 'DEBUG'\n", encoding="utf-8")
    unread = json.loads(run("config", "check", "--json").stdout)
    assert (unread["file"], unread["environment"]) == (None, ["EVPOWER_STATE_DIR"])
    assert unread["warnings"] == [f"{file} exists and was not read: name it by --config or EVPOWER_CONFIG"]
    assert "no file was read" in run("config", "check").stdout
    monkeypatch.setenv("EVPOWER_CONFIG", str(file))
    read = json.loads(run("config", "check", "--json").stdout)
    assert (read["file"], read["warnings"]) == (str(file), [])
    assert f"The settings are right: {file}, and EVPOWER_CONFIG, EVPOWER_STATE_DIR of" in run("config", "check").stdout


@pytest.mark.parametrize("command", [("config", "check"), ("doctor",), ("migrate",), ("serve",)])
def test_a_file_that_is_not_there_is_refused(command: tuple[str, ...], tmp_path: Path) -> None:
    result = run(*command, "--config", str(tmp_path / "none.toml"))
    assert (result.exit_code, "none.toml: cannot be read: No such file" in result.stderr) == (2, True)


def test_wrong_usage_ends_with_2() -> None:
    assert run("session", "halt").exit_code == 2
    assert run("simulate", "ws://x", "--misbehave", "politeness").exit_code == 2
    assert run("import", "/nowhere/fleet.toml").exit_code == 2


def test_a_server_with_wrong_settings_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVPOWER_HTTP_BIND", "0.0.0.0:0")
    result = run("serve")
    assert (result.exit_code, "auth.mode" in result.stderr) == (2, True)


@pytest.mark.external
def test_help_imports_nothing_heavy() -> None:
    """`evpower --help` is quick: no loop, no HTTP client, no database driver."""
    check = "import sys, evpower.cli; print({'trio', 'httpx2', 'psycopg', 'rich', 'quart'} & sys.modules.keys())"
    answer = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert answer.stdout == "set()\n"


def test_a_command_is_sent_with_its_payload(control: FakeControl) -> None:
    control.succeed("/control/stations/EVP-001-01/commands/Reset", {"status": "Accepted"})
    result = run("command", "EVP-001-01", "Reset", '{"type": "Soft"}', "--json")
    assert json.loads(result.stdout) == {"status": "Accepted"}
    assert control.asked == [("POST", "/control/stations/EVP-001-01/commands/Reset", b'{"type": "Soft"}')]


def test_a_command_the_charger_refuses_ends_in_1(control: FakeControl) -> None:
    envelope = {"success": False, "error": "command_refused", "message": "no", "call_error": {"code": "NotSupported"}}
    control.answers["/control/stations/EVP-001-01/commands/ClearCache"] = (200, envelope)
    result = run("command", "EVP-001-01", "ClearCache")
    assert (result.exit_code, result.stderr.strip()) == (1, "Error: no")


TRACE = "/control/stations/CP%2F1/trace?since=&limit=1000&follow=1"


def test_a_trace_shows_a_line_for_each_frame(control: FakeControl) -> None:
    call = {"at": "2026-11-23T06:00:00.000000Z", "direction": "in", "kind": "call", "action": "Fly", "frame": "[2]"}
    error = {
        **call,
        "direction": "out",
        "kind": "error",
        "error": "NotImplemented",
        "latency_ms": 3.5,
        "frame": "\x1b[4]",
    }
    lines = "\n".join(["", json.dumps(call), json.dumps(error), json.dumps({"event": "cut off"})])
    control.answers[TRACE] = (200, lines.encode())
    shown = run("trace", "CP/1").stdout.splitlines()
    assert shown[0] == "2026-11-23 12:00:00.000  ←  Fly  [2]"
    assert shown[1] == "2026-11-23 12:00:00.000  →  ERROR to Fly after 3.5 ms: NotImplemented  �[4]"
    assert shown[2] == "-- cut off"


def test_a_trace_that_is_refused_is_an_exit_code(control: FakeControl) -> None:
    control.answers[TRACE] = (404, {"success": False, "error": "station_not_found"})
    assert run("trace", "CP/1").exit_code == 1


def test_a_card_is_set_as_the_options_say(control: FakeControl) -> None:
    control.succeed("/control/id-tags/A%2FB", {"id_tag": "A/B"})
    assert run("tag", "set", "A/B", "--group", "G", "--client", "c").exit_code == 0
    method, _, body = control.asked[0]
    card = {"status": "Accepted", "expiry_date": None, "parent_id_tag": "G", "client_id": "c"}
    assert (method, json.loads(body)) == ("PUT", card)


def test_a_parked_report_is_resolved_with_who_and_why(control: FakeControl) -> None:
    control.succeed("/control/parked/7/resolve", {"id": 7})
    assert run("parked", "resolve", "7", "--session", "s-1", "--reason", "its stop").exit_code == 0
    assert json.loads(control.asked[0][2]) == {"session_id": "s-1", "reason": "its stop"}
    assert control.operators == [quote(getpass.getuser())]


def test_a_parked_report_is_either_assigned_or_dismissed(control: FakeControl) -> None:
    assert run("parked", "resolve", "7", "--reason", "x").exit_code == 2
    assert run("parked", "resolve", "7", "--reason", "x", "--dismiss", "--session", "s-1").exit_code == 2
    assert control.asked == []


def test_parked_payments_are_a_table(control: FakeControl) -> None:
    row = {"id": 7, "reason": "other_sum", "invoice_id": "ob_1", "client_id": "c", "provider": "OBANK", "amount": 1000}
    control.succeed("/control/payments?parked=1", [row])
    assert "other_sum" in run("payments", "--parked").stdout


def test_a_parked_payment_is_decided_with_its_reason_and_to_the_tyiyn(control: FakeControl) -> None:
    control.succeed("/control/payments/parked/7/resolve", {"id": 7, "decision": "credit"})
    assert run("payment", "resolve", "7", "--credit", "19.99", "--reason", "seen").exit_code == 0
    assert control.asked[0][2] == b'{"credit": 19.99, "reason": "seen"}'


def test_a_payment_has_one_decision(control: FakeControl) -> None:
    assert run("payment", "resolve", "7", "--reason", "x").exit_code == 2
    assert run("payment", "resolve", "7", "--reason", "x", "--dismiss", "--credit", "5").exit_code == 2
    assert control.asked == []


def test_a_refund_names_its_invoice(control: FakeControl) -> None:
    control.succeed("/control/payments/ob_1/refund", {"id": 1, "state": "completed", "amount": 40, "error": None})
    assert "completed" in run("payment", "refund", "ob_1", "--amount", "40", "--reason", "asked", "--yes").stdout


def test_an_operation_is_asked_for_with_its_arguments(control: FakeControl) -> None:
    control.succeed("/control/stations/EVP-001-01/operations/reset", {"status": "Accepted"})
    run("operate", "EVP-001-01", "reset", '{"kind": "hard"}')
    assert control.asked == [("POST", "/control/stations/EVP-001-01/operations/reset", b'{"kind": "hard"}')]


def test_arguments_that_are_no_object_are_a_usage_error(control: FakeControl) -> None:
    assert run("operate", "EVP-001-01", "reset", "hard").exit_code == 2
    assert control.asked == []


def test_the_known_configuration_is_a_table(control: FakeControl) -> None:
    row = {"key": "HeartbeatInterval", "value": "60", "readonly": False, "reboot_required": False, "known_at": None}
    control.succeed("/control/stations/EVP-001-01/configuration", [row])
    assert "HeartbeatInterval" in run("configuration", "EVP-001-01").stdout


def test_configuration_keys_are_set(control: FakeControl) -> None:
    path = "/control/stations/EVP-001-01/operations/write-configuration"
    control.succeed(path, {"statuses": {"A": "Accepted"}})
    assert run("configuration", "EVP-001-01", "A=b=c").exit_code == 0
    assert control.asked == [("POST", path, b'{"values": {"A": "b=c"}}')]


def test_a_setting_without_a_value_is_a_usage_error(control: FakeControl) -> None:
    assert run("configuration", "EVP-001-01", "A").exit_code == 2


@pytest.mark.parametrize(("option", "enabled"), [("--on", True), ("--off", False)])
def test_a_station_is_told_whether_to_give_energy_away(control: FakeControl, option: str, enabled: bool) -> None:
    control.succeed("/control/stations/S1/free-vend", {"free_vend": enabled, "newest": []})
    assert run("station", "free-vend", "S1", option).exit_code == 0
    method, _, body = control.asked[0]
    assert (method, json.loads(body)) == ("PUT", {"free_vend": enabled})


def test_what_a_station_gave_away_is_shown(control: FakeControl) -> None:
    newest = [{"transaction_id": "7", "id_tag": "04A1", "energy_wh": 9000}]
    control.succeed("/control/stations/S1/free-vend", {"free_vend": True, "energy_wh": 9000, "newest": newest})
    shown = run("station", "free-vend", "S1").output
    assert control.asked[0][0] == "GET"
    assert "04A1" in shown


def test_strangers_are_listed(control: FakeControl) -> None:
    control.succeed("/control/strangers?all=1", [{"identity": "NEW-1", "vendor": "Maker", "connected": True}])
    shown = run("strangers", "--all")
    assert shown.exit_code == 0
    assert "NEW-1" in shown.output


def test_a_stranger_is_accepted_as_the_options_say(control: FakeControl) -> None:
    control.succeed("/control/strangers/NEW-1/accept", {"station_id": "NEW-1"})
    options = ("--location", "L1", "--connectors", "2", "--type", "GBT", "--power-kw", "60")
    assert run("stranger", "accept", "NEW-1", *options).exit_code == 0
    body = json.loads(control.asked[0][2])
    assert {name: value for name, value in body.items() if value is not None} == {
        "location_id": "L1",
        "power_capacity": 60,
        "connectors": [{"connector_number": n, "connector_type": "GBT", "power_kw": 60} for n in (1, 2)],
    }


def test_a_stranger_needs_a_location(control: FakeControl) -> None:
    assert run("stranger", "accept", "NEW-1").exit_code == 2
    assert control.asked == []


def test_a_stranger_is_rejected(control: FakeControl) -> None:
    control.succeed("/control/strangers/NEW-1/reject", {"identity": "NEW-1"})
    assert run("stranger", "reject", "NEW-1").exit_code == 0
    assert control.asked[0][:2] == ("POST", "/control/strangers/NEW-1/reject")


def test_a_refused_acceptance_names_its_fields(control: FakeControl) -> None:
    detail = [{"field": "location_id", "message": "локация не найдена"}]
    control.answers["/control/strangers/NEW-1/accept"] = (400, {"success": False, "message": "x", "detail": detail})
    refused = run("stranger", "accept", "NEW-1", "--location", "NOWHERE")
    assert refused.exit_code == 1
    assert "location_id" in refused.stderr


@pytest.mark.parametrize(
    ("command", "path", "body"),
    [
        (["station", "disable", "S1"], "stations/S1", {"status": "inactive"}),
        (["station", "disable", "S1", "--maintenance"], "stations/S1", {"status": "maintenance"}),
        (["station", "disable", "S1", "--connector", "2"], "stations/S1/connectors/2", {"is_enabled": False}),
        (["station", "enable", "S1"], "stations/S1", {"status": "active"}),
        (["station", "enable", "S1", "--connector", "2"], "stations/S1/connectors/2", {"is_enabled": True}),
        (["station", "change", "S1", '{"price_per_kwh": 15.5}'], "stations/S1", {"price_per_kwh": 15.5}),
        (["location", "change", "L/1", '{"city": null}'], "locations/L%2F1", {"city": None}),
        (["tariff", "change", "P", '{"is_active": false}'], "tariff-plans/P", {"is_active": False}),
        (["tariff", "change", "P", "--rule", "P-1", '{"price": 9}'], "tariff-plans/P/rules/P-1", {"price": 9}),
    ],
)
def test_the_network_is_changed(control: FakeControl, command: list[str], path: str, body: dict[str, Any]) -> None:
    control.succeed(f"/control/{path}", {"id": "it", "warnings": ["a doubt"]})
    result = run(*command)
    assert (result.exit_code, result.stderr) == (0, "Warning: a doubt\n")
    assert "it" in result.stdout
    ((method, asked, sent),) = control.asked
    assert (method, asked, json.loads(sent)) == ("PUT", f"/control/{path}", body)


@pytest.mark.parametrize(
    "command",
    [
        ["station", "change", "S1", "status=inactive"],
        ["station", "change", "S1", "[]"],
        ["station", "disable", "S1", "--connector", "0"],
        ["station", "disable", "S1", "--connector", "1", "--maintenance"],
        ["tariff", "change", "P"],
    ],
)
def test_a_change_that_cannot_be_read_is_not_sent(control: FakeControl, command: list[str]) -> None:
    assert run(*command).exit_code == 2
    assert control.asked == []


def test_a_refused_change_names_the_field(control: FakeControl) -> None:
    detail = [{"field": "status", "message": "must be active"}]
    envelope = {"success": False, "error": "validation_error", "message": "m", "detail": detail}
    control.answers["/control/stations/S1"] = (400, envelope)
    result = run("station", "change", "S1", '{"status": "x"}')
    assert (result.exit_code, "status: must be active" in result.stderr) == (1, True)


def test_a_station_is_shown(control: FakeControl) -> None:
    control.succeed("/control/stations/S1", {"id": "S1", "price_per_kwh": 15.5})
    assert "15.5" in run("station", "show", "S1").stdout


def test_locations_are_a_table(control: FakeControl) -> None:
    row = {"id": "L1", "name": "ТЦ Дордой Плаза", "city": None, "status": "inactive", "stations_count": 2}
    control.succeed("/control/locations?limit=500", {"locations": [row], "total": 1})
    assert "ТЦ Дордой Плаза" in run("locations").stdout


def test_tariffs_are_a_line_for_each_rule_and_for_a_plan_without_one(control: FakeControl) -> None:
    rule = {"id": "P-1", "name": "Ночь", "tariff_type": "per_kwh", "price": 8, "is_active": True}
    plans = [
        {"id": "P", "is_active": True, "stations_count": 2, "rules": [rule]},
        {"id": "EMPTY", "is_active": False, "stations_count": 0, "rules": []},
    ]
    control.succeed("/control/tariff-plans", plans)
    for cell in ("P-1", "Ночь", "EMPTY"):
        assert cell in run("tariffs").stdout
    assert json.loads(run("tariffs", "--json").stdout) == plans


PAYMENT = {"invoice_id": "ob_12345", "client_id": "c", "provider": "OBANK", "phase": "approved"}


def test_a_refund_asks_first_and_names_what_is_given_back(
    control: FakeControl, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = {"payment": {**PAYMENT, "paid_amount": 100, "refunded_amount": 60}, "steps": [], "postings": []}
    control.succeed("/control/payments/ob_12345/case", case)
    control.succeed("/control/payments/ob_12345/refund", {"id": 1, "state": "completed"})
    refund = ("payment", "refund", "ob_12345", "--reason", "asked")
    assert run(*refund).exit_code == 2
    monkeypatch.setattr("click.testing._NamedTextIOWrapper.isatty", lambda _: True)
    assert run(*refund, input="n\n").exit_code == 1
    assert [method for method, _, _ in control.asked] == ["GET", "GET"]
    result = run(*refund, input="y\n")
    assert "Give 40 som of 40 back through OBANK: invoice ob_12345 of c?" in result.stderr
    assert control.asked[-1][:2] == ("POST", "/control/payments/ob_12345/refund")


def test_a_top_up_is_shown_with_its_steps(control: FakeControl) -> None:
    at = "2026-11-23T06:00:00.000000Z"
    step = {"at": at, "what": "call", "who": "OBANK", "detail": "approved: queued", "phase_after": None}
    parked = {"id": 7, "reason": "other_sum", "parked_at": at, "amount": 40}
    case = {"payment": PAYMENT, "steps": [step], "postings": [], "parked": [parked]}
    control.succeed("/control/payments/ob_12345/case", case)
    shown = run("payment", "show", "ob_12345").stdout
    for text in ("Paid and credited.", "approved: queued", "other_sum", "2026-11-23 12:00:00"):
        assert text in shown


def test_an_import_that_is_tried_shows_its_differences(control: FakeControl) -> None:
    differences = [
        {"kind": "stations", "id": "S1", "field": None, "old": None, "new": None},
        {"kind": "stations", "id": "S2", "field": "model", "old": "A", "new": "B"},
    ]
    report = {"created": {"stations": 1}, "changed": {}, "unchanged": {}, "warnings": [], "differences": differences}
    control.succeed("/control/import?dry_run=1", report)
    shown = run("import", "-", "--dry-run", input="# nothing\n").stdout.splitlines()
    assert shown[:3] == [
        "+ stations S1",
        "~ stations S2: model A → B",
        "Nothing was changed: this is what the import would do.",
    ]


def test_a_trace_begins_with_whether_frames_can_come(control: FakeControl) -> None:
    control.answers["/control/stations/EVP-001-01/trace?since=&limit=1000&follow=1"] = (200, b"\n")
    control.succeed("/control/stations", [{**STATION, "last_heartbeat_at": "2026-11-23T06:00:15Z"}])
    first = run("trace", "EVP-001-01").stdout.splitlines()[0]
    assert first == "EVP-001-01 is connected, its status is available; heard of at 2026-11-23 12:00:15"
    control.succeed("/control/stations", [{**STATION, "connected": False}])
    assert "is not connected" in run("trace", "EVP-001-01").stdout
    assert run("trace", "EVP-001-01", "--json").stdout == ""
