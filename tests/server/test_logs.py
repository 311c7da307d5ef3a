"""The log's lines are the ones operators grep (contract/rest-api §1.10)."""

from __future__ import annotations

import ast
import io
import logging
import re
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from evpower.correlation import correlation_id
from evpower.errors import ConfigError
from evpower.ocpp.wire.reader import LIBRARY_LOG
from evpower.server.log_lines import JsonFormatter, LineFormatter
from evpower.server.logs import ACCEPT_LOGGER, OUR_LOGGERS, configure
from evpower.settings.process import LOGGERS, LogSettings
from tests.worlds.fakes import NOON

STAMP = r"\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\]"


@pytest.fixture(autouse=True)
def _leave_no_handlers() -> Iterator[None]:
    root = logging.getLogger()
    level = root.level
    yield
    for handler in [h for h in root.handlers if isinstance(h.formatter, LineFormatter | JsonFormatter)]:
        root.removeHandler(handler)
        handler.close()
    root.setLevel(level)
    logging.getLogger(ACCEPT_LOGGER).filters.clear()
    for name in LOGGERS:
        logging.getLogger(name).setLevel(logging.NOTSET)


def lines(level: str = "INFO", file: str = "") -> io.StringIO:
    stream = io.StringIO()
    configure(LogSettings(level=level, file=file), stream)
    return stream


def test_a_line_has_time_level_and_message() -> None:
    stream = lines()
    logging.getLogger("payment").info("💳 CHARGE_RESERVE: session_id=%s, amount=%s", "s1", "270.00")
    assert re.fullmatch(STAMP + r" INFO - 💳 CHARGE_RESERVE: session_id=s1, amount=270\.00\n", stream.getvalue())


def test_times_are_utc() -> None:
    record = logging.LogRecord("x", logging.INFO, "", 0, "hello", (), None)
    record.created = 1_759_236_896.0
    assert LineFormatter().format(record) == "[2025-09-30 12:54:56] INFO - hello"


def test_an_error_carries_its_traceback() -> None:
    stream = lines()
    try:
        raise ValueError("broken")
    except ValueError:
        logging.getLogger("OCPP").exception("StartTransaction failed")
    assert re.match(STAMP + r" ERROR - StartTransaction failed\nTraceback ", stream.getvalue())
    assert "ValueError: broken" in stream.getvalue()


def test_a_message_cannot_forge_a_second_line() -> None:
    stream = lines()
    logging.getLogger("OCPP").info("id_tag=%s", "A\r\n[2025-09-30 12:34:56] ERROR - forged")
    assert stream.getvalue().count("\n") == 1


@pytest.mark.parametrize("name", OUR_LOGGERS)
def test_each_named_logger_speaks_at_info(name: str) -> None:
    stream = lines()
    logging.getLogger(name).debug("detail")
    logging.getLogger(name).info("fact")
    assert stream.getvalue().endswith("INFO - fact\n")
    assert "detail" not in stream.getvalue()


def test_the_level_quiets_named_loggers_too() -> None:
    stream = lines("WARNING")
    logging.getLogger("OCPP").info("fact")
    assert stream.getvalue() == ""


def test_hypercorn_speaks_only_of_trouble() -> None:
    stream = lines()
    logging.getLogger("hypercorn.error").info("Running on http://127.0.0.1:8080")
    logging.getLogger("hypercorn.error").warning("trouble")
    assert stream.getvalue().endswith("WARNING - trouble\n")
    assert "Running" not in stream.getvalue()


@pytest.mark.parametrize("levels", [(), (("evpower", "DEBUG"),)])
def test_no_level_lets_the_library_of_sockets_write_headers(
    levels: tuple[tuple[str, str], ...],
) -> None:
    """At DEBUG it writes each header, the password of a charger among them."""
    configure(LogSettings(level="DEBUG", levels=levels), io.StringIO())
    assert LIBRARY_LOG.getEffectiveLevel() == logging.WARNING


def test_configuring_again_does_not_repeat_lines() -> None:
    lines()
    stream = lines()
    logging.getLogger("security").info("once")
    assert stream.getvalue().count("once") == 1


def test_a_rotated_file_is_opened_again(tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    lines(file=str(path))
    logging.getLogger("OCPP").info("before")
    path.rename(tmp_path / "app.log.1")
    logging.getLogger("OCPP").info("after")
    assert path.read_text(encoding="utf-8").endswith("INFO - after\n")
    assert (tmp_path / "app.log.1").read_text(encoding="utf-8").endswith("INFO - before\n")


def test_a_file_that_cannot_be_opened_is_a_wrong_setting(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"log\.file: .* cannot be opened"):
        lines(file=str(tmp_path / "missing" / "app.log"))


def test_a_repeating_accept_error_is_one_line_a_second_and_counted() -> None:
    """Money audit B4: out of descriptors, it was some 15,000 lines in 75 s."""
    stream, log = lines(), logging.getLogger(ACCEPT_LOGGER)

    def accept_fails(at_s: float) -> None:
        record = log.makeRecord(log.name, logging.ERROR, "", 0, "accept returned %s", ("EMFILE",), (None, None, None))
        record.created = at_s
        log.handle(record)

    for at_s in (100.0, 100.1, 100.9, 101.0, 101.5, 102.2, 50.0):
        accept_fails(at_s)
    written = stream.getvalue().splitlines()
    assert [line.partition(" - ")[2] for line in written] == [
        "accept returned EMFILE",
        "accept returned EMFILE (2 more since the last such line)",
        "accept returned EMFILE (1 more since the last such line)",
        "accept returned EMFILE",
    ]


@pytest.mark.parametrize("name", ["payment", "evpower.http"])
def test_a_line_about_money_names_the_request_that_moved_it(name: str) -> None:
    """Issue 11, item 6; other lines say it themselves or have none."""
    stream = lines()
    known = correlation_id.set("request-7")
    logging.getLogger(name).info("moved: amount=270.00")
    correlation_id.reset(known)
    logging.getLogger(name).info("moved: by a worker")
    named = ", correlation_id=request-7" if name == "payment" else ""
    assert [line.partition(" INFO - ")[2] for line in stream.getvalue().splitlines()] == [
        f"moved: amount=270.00{named}",
        "moved: by a worker",
    ]


@pytest.mark.parametrize("control", ["\x1b[2J", "\x00", "\x7f", "\x85", "\u2028"])
def test_a_control_character_is_written_as_text(control: str) -> None:
    """Safe by default 10: an escape sequence could hide or forge lines on an operator's terminal."""
    stream = lines()
    logging.getLogger("OCPP").info("station=%s", f"CP{control}1")
    assert control[0] not in stream.getvalue()
    assert len(stream.getvalue().splitlines()) == 1


def test_the_file_is_for_its_owner_and_group(tmp_path: Path) -> None:
    """Safe by default 11; one that logrotate made anew too."""
    path = tmp_path / "evpower.log"
    for _ in range(2):
        lines(file=str(path))
        logging.getLogger().info("a line")
        assert stat.S_IMODE(path.stat().st_mode) == 0o640
        path.unlink()


OTHERS = (
    "X, station=OTHER",
    "X, id_tag=CARD-1, by=operator ann",
    'X", station="OTHER',
    "X\\",
    "X: station refused",
    "X - 200 OK - IP: 10.0.0.1",
    "X  station",
    " X",
    "X:",
    "a=b",
    "",
    "X\n[2025-09-30 12:34:56] ERROR - forged",
    "X\x1b[2J",
    "X\u202eCP",
)


@pytest.mark.parametrize("planted", OTHERS, ids=ascii)
def test_no_value_passes_for_another(planted: str) -> None:
    """Safe by default 10: what separates values stands in quotes, and a reader gets back what was sent."""
    stream = lines()
    logging.getLogger("OCPP").info("BootNotification: station=%s, vendor=%s, model=%s", "CP-1", planted, "M")
    (line,) = stream.getvalue().splitlines()
    found = re.fullmatch(r'.* - BootNotification: station=CP-1, vendor=("(?:[^"\\]|\\.)*"), model=M', line)
    assert found is not None, line
    assert ast.literal_eval(found[1]) == planted


@pytest.mark.parametrize(
    "plain",
    ["ABB", "Star Charge", "operator ann", "10.0.0.1:9000", "[::1]:80", "ТЦ Дордой Плаза", "a/b?c", 7, None, NOON],
)
def test_a_plain_value_is_written_as_it_is(plain: object) -> None:
    stream = lines()
    logging.getLogger("OCPP").info("vendor=%s, model=%s", plain, "M")
    assert stream.getvalue().endswith(f" - vendor={plain}, model=M\n")


def test_an_error_of_a_library_is_a_value_too_and_its_record_is_left_to_others() -> None:
    stream = lines()
    error = OSError("connection to server failed, station=OTHER")
    record = logging.LogRecord("x", logging.WARNING, "", 0, "cannot: %s", (error,), None)
    logging.getLogger().handle(record)
    assert stream.getvalue().endswith(' - cannot: "connection to server failed, station=OTHER"\n')
    assert record.args == (error,)


def test_half_a_letter_is_written_as_text() -> None:
    """Bytes that are no UTF-8 come as such; a file could not be written with them."""
    record = logging.LogRecord("x", logging.INFO, "", 0, "id_tag=%s", ("A\udc80",), None)
    assert LineFormatter().format(record).endswith(' - id_tag="A\\udc80"')


def test_a_sentence_of_ours_is_a_line_of_its_own() -> None:
    stream = lines()
    logging.getLogger().warning("%s", "ocpp.bind, http.bind: set ocpp.allow_anonymous = true\r")
    assert stream.getvalue().endswith(" - ocpp.bind, http.bind: set ocpp.allow_anonymous = true\\r\n")


def test_no_line_and_no_traceback_shows_the_password_of_a_url() -> None:
    """Safe by default 11."""
    stream = lines()
    url = "postgresql://evpower:hunter2@db.example/evpower"
    try:
        raise ValueError(f"cannot reach {url}")
    except ValueError as error:
        logging.getLogger("OCPP").exception("location=%s: %s", "ftp://u:hunter2@host", error)
    assert "hunter2" not in stream.getvalue()
    assert "ftp://u:***@host" in stream.getvalue()
    assert stream.getvalue().count("postgresql://evpower:***@db.example/evpower") >= 2


def test_a_line_about_money_quotes_a_charges_own_message_id() -> None:
    stream = lines()
    known = correlation_id.set("7, amount=999.00")
    logging.getLogger("payment").info("moved: amount=%s", "270.00")
    correlation_id.reset(known)
    assert stream.getvalue().endswith(' - moved: amount=270.00, correlation_id="7, amount=999.00"\n')
