"""What a terminal shows: columns that fit it, times by the network's clocks, colours where they are wanted."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from zoneinfo import ZoneInfo

import pytest

from evpower.command_line.columns import Column, fit, padded, shortened, width_of
from evpower.command_line.times import in_utc, moment_of, with_moments
from tests.command_line.control_server import FakeControl, run

BISHKEK = ZoneInfo("Asia/Bishkek")
NOW = datetime(2026, 11, 26, 6, tzinfo=UTC)
SESSION: dict[str, Any] = {
    "session_id": "1703a9f7-0000-4000-8000-123456789abc",
    "client_id": "9c0ffee0-1111-4000-8000-123456789abc",
    "station_id": "EVP-001-01",
    "connector_id": 1,
    "status": "stopped",
    "phase": "settled",
    "start_time": "2026-11-23T06:00:15.000000Z",
    "energy_kwh": 1.501,
    "reserved_amount": 135,
    "amount": 20.26,
    "end_cause": "limit",
    "estimated": False,
}
TWIN = {**SESSION, "session_id": "1703a9f7-0000-4000-8000-123456789abd"}


@pytest.mark.parametrize("width", [80, 200])
def test_a_list_fits_the_terminal_and_breaks_no_id(
    control: FakeControl, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    control.succeed("/control/sessions", [SESSION])
    lines = run("sessions").stdout.splitlines()
    assert max(map(len, lines[:3])) <= width
    assert len(lines) == (4 if width == 80 else 3)
    assert lines[2].startswith("1703a9f7  ")
    for cell in ("EVP-001-01", "settled", "2026-11-23 12:00:15"):
        assert cell in lines[2]


def test_what_is_left_out_is_named(control: FakeControl, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    control.succeed("/control/sessions", [SESSION])
    last = run("sessions").stdout.splitlines()[-1]
    assert "Status" in last
    assert "--json" in last


def test_ids_are_shown_by_as_many_letters_as_distinguish_them(
    control: FakeControl, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    control.succeed("/control/sessions", [SESSION, TWIN])
    assert "1703a9f7-0000-4000-8000-123456789abc" in run("sessions").stdout


def test_a_pipe_gets_whole_ids_and_every_column(control: FakeControl) -> None:
    control.succeed("/control/sessions", [SESSION])
    shown = run("sessions").stdout
    assert "1703a9f7-0000-4000-8000-123456789abc" in shown
    assert "stopped" in shown


@pytest.mark.parametrize(("language", "heading", "nothing"), [
    ("ru_RU.UTF-8", "Сессия", "Сейчас никто не заряжается"),
    ("ky_KG.UTF-8", "Кардар", "Азыр эч ким кубаттабайт"),
    ("de_DE.UTF-8", "Session", "No running sessions"),
])  # fmt: skip
def test_the_language_is_the_terminal_s(
    control: FakeControl, monkeypatch: pytest.MonkeyPatch, language: str, heading: str, nothing: str
) -> None:
    monkeypatch.setenv("LANG", language)
    control.succeed("/control/sessions", [])
    assert run("sessions").stdout == f"{nothing}\n"
    control.succeed("/control/sessions", [SESSION])
    assert heading in run("sessions").stdout


def test_an_error_is_in_the_terminal_s_language(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "ru_RU.UTF-8")
    assert run("session", "stop", "s1").stderr.startswith("Ошибка: ")
    assert "одно из двух" in run("parked", "resolve", "7", "--reason", "x").stderr


def test_json_has_one_form_of_time(control: FakeControl) -> None:
    control.succeed("/control/sessions", [{**SESSION, "start_time": "2026-11-23T12:00:15+06:00"}])
    shown = json.loads(run("sessions", "--json").stdout)
    assert shown[0]["start_time"] == "2026-11-23T06:00:15.000000Z"


def test_a_pipe_has_no_colours(control: FakeControl) -> None:
    control.succeed("/control/sessions", [SESSION])
    assert "\x1b[" not in run("sessions", color=True).stdout


def test_a_terminal_has_colours(control: FakeControl, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("click.testing._NamedTextIOWrapper.isatty", lambda _: True)
    control.succeed("/control/sessions", [SESSION])
    assert "\x1b[32msettled" in run("sessions", color=True).stdout
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[" not in run("sessions", color=True).stdout


def test_a_wide_name_does_not_move_the_columns() -> None:
    assert width_of("充电") == 4
    assert padded("充电站", 4) == "充… "
    assert padded("7", 3, right=True) == "  7"


def test_the_right_column_of_the_highest_rank_is_left_out_first() -> None:
    columns = [Column("a", rank=0), Column("b", rank=2), Column("c", rank=2), Column("d")]
    assert fit(columns, [10, 10, 10, 10], 40).left_out == [2]
    assert fit(columns, [10, 10, 10, 10], 30).left_out == [1, 2]
    assert fit(columns, [10, 10, 10, 10], 46).left_out == []
    assert fit(columns, [10, 10, 10, 10], 5).widths == {0: 5}


def test_free_text_is_cut_before_a_column_is_left_out() -> None:
    columns = [Column("a", rank=0), Column("b", is_text=True), Column("c")]
    fitted = fit(columns, [10, 50, 10], 60)
    assert (fitted.widths, fitted.left_out) == ({0: 10, 1: 36, 2: 10}, [])
    assert fit(columns, [10, 50, 10], 30).left_out == [2]


def test_only_uuids_are_shortened() -> None:
    assert shortened(["1703a9f7-0000-4000-8000-123456789abc", "driver-1-with-a-long-id-of-its-own", "-"]) == [
        "1703a9f7",
        "driver-1-with-a-long-id-of-its-own",
        "-",
    ]


def test_moments_are_found_in_sentences() -> None:
    text = "failing since 2026-11-23T06:00:15.123456Z (x)"
    assert with_moments(text, BISHKEK) == "failing since 2026-11-23 12:00:15 (x)"
    assert with_moments(text, UTC) == "failing since 2026-11-23 06:00:15Z (x)"
    assert in_utc({"a": [datetime(2026, 11, 23, 12, tzinfo=BISHKEK)]}) == {"a": ["2026-11-23T06:00:00.000000Z"]}


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2h", datetime(2026, 11, 26, 4, tzinfo=UTC)),
        ("3d", datetime(2026, 11, 23, 6, tzinfo=UTC)),
        ("2026-11-23", datetime(2026, 11, 22, 18, tzinfo=UTC)),
        ("2026-11-23 12:00", datetime(2026, 11, 23, 6, tzinfo=UTC)),
        ("2026-11-23T12:00:00Z", datetime(2026, 11, 23, 12, tzinfo=UTC)),
    ],
)
def test_a_moment_may_be_written_in_several_ways(text: str, moment: datetime) -> None:
    assert moment_of(text, BISHKEK, NOW) == moment


@pytest.mark.parametrize("text", ["yesterday", "2x", "", "2026-13-01", "-2h"])
def test_what_is_no_moment_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        moment_of(text, BISHKEK, NOW)


def test_a_list_is_narrowed_by_whole_ids_and_times_in_utc(control: FakeControl) -> None:
    control.succeed("/control/ids/clients?begins=9c0f", [SESSION["client_id"]])
    control.succeed("/control/ids/stations?begins=EVP-001-01", ["EVP-001-01"])
    query = (
        "limit=5&since=2026-11-22T18%3A00%3A00Z&client=9c0ffee0-1111-4000-8000-123456789abc"
        "&station=EVP-001-01&phase=settled"
    )
    wanted = dict(parse_qsl(query))
    run("sessions", "--limit", "5", "--since", "2026-11-23", "--client", "9c0f", "--station", "EVP-001-01",
        "--phase", "settled")  # fmt: skip
    assert dict(parse_qsl(urlsplit(control.asked[-1][1]).query)) == wanted


def test_the_begin_of_several_ids_is_refused_with_all_of_them(control: FakeControl) -> None:
    twins = [SESSION["session_id"], TWIN["session_id"]]
    refused = {"success": False, "error": "session_not_found", "message": "нет"}
    control.answers["/control/sessions/1703/stop"] = (200, refused)
    control.succeed("/control/ids/sessions?begins=1703", twins)
    result = run("session", "stop", "1703")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.splitlines() == [
        "Error: 1703 is the beginning of several ids; write more of it:",
        *(f"  {each}" for each in twins),
    ]
    assert json.loads(run("session", "stop", "1703", "--json").stdout)["candidates"] == twins


def test_the_begin_of_one_id_is_that_id(control: FakeControl) -> None:
    refused = {"success": False, "error": "session_not_found", "message": "нет"}
    control.answers["/control/sessions/1703/stop"] = (200, refused)
    control.succeed("/control/ids/sessions?begins=1703", [SESSION["session_id"]])
    control.succeed(f"/control/sessions/{SESSION['session_id']}/stop", {"session_id": SESSION["session_id"]})
    assert run("session", "stop", "1703").exit_code == 0
    assert [path for _, path, _ in control.asked] == [
        "/control/sessions/1703/stop",
        "/control/ids/sessions?begins=1703",
        f"/control/sessions/{SESSION['session_id']}/stop",
    ]


@pytest.mark.parametrize("error", ["not_enough_money", "session_not_found"])
def test_no_other_refusal_is_tried_again(control: FakeControl, error: str) -> None:
    control.answers["/control/sessions/1703/stop"] = (200, {"success": False, "error": error, "message": "нет"})
    control.succeed("/control/ids/sessions?begins=1703", [])
    assert run("session", "stop", "1703").stderr == "Error: нет\n"
    assert len([path for _, path, _ in control.asked if path.endswith("/stop")]) == 1


def test_a_full_list_says_that_there_may_be_more(control: FakeControl) -> None:
    control.succeed("/control/sessions?limit=1", [SESSION])
    assert "--limit" in run("sessions", "--limit", "1").stdout
    assert len(json.loads(run("sessions", "--limit", "1", "--json").stdout)) == 1


def test_a_list_is_watched_until_it_is_interrupted(control: FakeControl, monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr("evpower.command_line.listing.pause", pause)
    control.succeed("/control/sessions", [SESSION])
    result = run("sessions", "--watch")
    assert (result.exit_code, result.stdout.count("settled")) == (0, 2)
    assert run("sessions", "--watch", "--json").exit_code == 2


def test_a_time_that_cannot_be_read_is_a_usage_error(control: FakeControl) -> None:
    assert run("sessions", "--since", "yesterday").exit_code == 2
    assert control.asked == []


def test_stations_are_those_whose_id_begins_so(control: FakeControl) -> None:
    control.succeed("/control/stations", [{"id": "EVP-001-01"}, {"id": "EVP-002-01"}, {"id": "EVP-001-02"}])
    shown = json.loads(run("stations", "--station", "EVP-001", "--json").stdout)
    assert [each["id"] for each in shown] == ["EVP-001-01", "EVP-001-02"]
    assert len(json.loads(run("stations", "--limit", "1", "--json").stdout)) == 1


def test_the_status_is_watched_too(control: FakeControl, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(_: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("evpower.command_line.listing.pause", interrupt)
    control.succeed("/control/status", {"version": "1.0.0"})
    result = run("status", "--watch")
    assert (result.exit_code, result.stdout.count("1.0.0")) == (0, 1)
