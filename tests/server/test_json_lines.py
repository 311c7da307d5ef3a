"""The log for machines: an object a line, with values that need no reading of sentences (issue H §7)."""

from __future__ import annotations

import io
import json
import logging
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from logging.handlers import WatchedFileHandler
from pathlib import Path
from typing import Any

import pytest

from evpower.correlation import correlation_id
from evpower.errors import ConfigError
from evpower.server.log_lines import JsonFormatter, LineFormatter
from evpower.server.logs import configure, reopen
from evpower.settings.config import load
from evpower.settings.process import LOGGERS, LogSettings


@pytest.fixture(autouse=True)
def _leave_no_handlers() -> Iterator[None]:
    root = logging.getLogger()
    level = root.level
    yield
    for handler in [h for h in root.handlers if isinstance(h.formatter, LineFormatter | JsonFormatter)]:
        root.removeHandler(handler)
        handler.close()
    root.setLevel(level)
    for name in LOGGERS:
        logging.getLogger(name).setLevel(logging.NOTSET)


def written(settings: LogSettings) -> io.StringIO:
    stream = io.StringIO()
    configure(settings, stream)
    return stream


def line_of(*message: object, name: str = "payment", **more: Any) -> dict[str, Any]:
    """One line as a machine reads it."""
    stream = written(LogSettings(format="json"))
    logging.getLogger(name).info(*message, **more)
    [line] = stream.getvalue().splitlines()
    read: dict[str, Any] = json.loads(line)
    return read


def test_a_line_has_its_values_by_name_and_the_sentence_people_grep() -> None:
    line = line_of("💳 CHARGE_RESERVE: session_id=%s, amount=%s, client_id=%s", "s1", "270.00", "c1")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", line.pop("at"))
    assert line == {
        "level": "INFO",
        "logger": "payment",
        "message": "💳 CHARGE_RESERVE: session_id=s1, amount=270.00, client_id=c1",
        "event": "💳 CHARGE_RESERVE: session_id=%s, amount=%s, client_id=%s",
        "values": {"session_id": "s1", "amount": "270.00", "client_id": "c1"},
    }


def test_numbers_are_numbers_and_money_is_text() -> None:
    values = (7, 1.5, Decimal("13.50"), True, None, datetime(2026, 1, 2, tzinfo=UTC))
    line = line_of("n=%d, f=%.1f, sum=%s, yes=%s, none=%s, at=%s", *values)
    assert line["values"] == {
        "n": 7,
        "f": 1.5,
        "sum": "13.50",
        "yes": True,
        "none": None,
        "at": "2026-01-02 00:00:00+00:00",
    }


def test_a_value_without_a_name_shifts_none() -> None:
    """100%% is no place for a value."""
    line = line_of("100%% of %s: left=%d, %s, right=%s", "all", 1, "unnamed", "R")
    assert line["values"] == {"left": 1, "right": "R"}
    assert line["message"] == "100% of all: left=1, unnamed, right=R"


def test_what_a_call_says_beside_its_message_is_a_value() -> None:
    assert line_of("GET /", extra={"values": {"status": 200}})["values"] == {"status": 200}


def test_a_line_of_any_logger_names_the_request_it_belongs_to() -> None:
    known = correlation_id.set("request-7")
    assert line_of("moved", name="evpower.http")["correlation_id"] == "request-7"
    correlation_id.reset(known)
    assert "correlation_id" not in line_of("moved")


def test_a_fault_is_one_line_with_its_traceback() -> None:
    stream = written(LogSettings(format="json"))
    try:
        raise ValueError("broken")
    except ValueError:
        logging.getLogger("OCPP").exception("StartTransaction failed: station=%s", "S")
    [line] = stream.getvalue().splitlines()
    assert json.loads(line)["traceback"].endswith("ValueError: broken")


@pytest.mark.parametrize("planted", ['x", "level": "ERROR', "a\r\nb", "\x1b[2J", "\u2028\u202e", "😈"])
def test_nothing_that_is_planted_leaves_its_value(planted: str) -> None:
    stream = written(LogSettings(format="json"))
    logging.getLogger("OCPP").info("vendor=%s", planted)
    text = stream.getvalue()
    assert text.count("\n") == 1
    assert text.rstrip("\n").isprintable()
    line = json.loads(text)
    assert (line["level"], line["values"]) == ("INFO", {"vendor": planted})


def test_no_password_of_a_url_is_written() -> None:
    line = line_of("url=%s", "postgresql://user:geheim@host/db?password=geheim")
    assert "geheim" not in json.dumps(line)
    assert line["values"]["url"].startswith("postgresql://user:***@host")


def test_the_level_of_a_single_logger_is_its_own_and_of_those_below_it() -> None:
    stream = written(LogSettings(level="WARNING", levels=(("evpower.push", "DEBUG"), ("OCPP", "ERROR"))))
    for name in ("evpower.push", "evpower.push.fcm", "evpower.db", "payment", "OCPP"):
        logging.getLogger(name).debug("%s debug", name)
        logging.getLogger(name).warning("%s warning", name)
    assert [line.partition(" - ")[2] for line in stream.getvalue().splitlines()] == [
        "evpower.push debug",
        "evpower.push warning",
        "evpower.push.fcm debug",
        "evpower.push.fcm warning",
        "evpower.db warning",
        "payment warning",
    ]


def test_configuring_again_forgets_the_levels_before() -> None:
    written(LogSettings(levels=(("evpower.push", "DEBUG"),)))
    stream = written(LogSettings())
    logging.getLogger("evpower.push").debug("detail")
    assert stream.getvalue() == ""


def test_levels_are_read_from_the_environment() -> None:
    read = load(None, {"EVPOWER_LOG_LEVELS": "evpower.push=DEBUG, payment=WARNING", "EVPOWER_LOG_FORMAT": "json"})
    assert read.log == LogSettings(levels=(("evpower.push", "DEBUG"), ("payment", "WARNING")), format="json")


@pytest.mark.parametrize("levels", ["evpower.pusch=DEBUG", "evpower.push", "evpower.push=LOUD", "=DEBUG"])
def test_a_logger_or_level_that_does_not_exist_is_a_wrong_setting(levels: str) -> None:
    with pytest.raises(ConfigError, match=r"log\.levels"):
        load(None, {"EVPOWER_LOG_LEVELS": levels})


def test_a_file_is_opened_by_its_name_again(tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    configure(LogSettings(file=str(path)), io.StringIO())
    logging.getLogger("OCPP").info("before")
    path.rename(tmp_path / "app.log.1")
    reopen()
    assert path.read_text(encoding="utf-8") == ""
    logging.getLogger("OCPP").info("after")
    assert path.read_text(encoding="utf-8").endswith("INFO - after\n")
    assert (tmp_path / "app.log.1").read_text(encoding="utf-8").endswith("INFO - before\n")


def test_a_file_that_cannot_be_opened_again_leaves_the_old_one(tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    configure(LogSettings(file=str(folder / "app.log")), io.StringIO())
    folder.rename(tmp_path / "moved")
    with pytest.raises(FileNotFoundError):
        reopen()
    [handler] = [each for each in logging.getLogger().handlers if isinstance(each, WatchedFileHandler)]
    assert handler.stream is not None
    assert not handler.stream.closed
