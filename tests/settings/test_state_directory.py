"""The state directory is for this user alone (safe by default 11)."""

from __future__ import annotations

import logging
import os
import stat
from pathlib import Path

import pytest

from evpower.settings.state_directory import make_private


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o277])
def test_a_new_one_is_made_so_whatever_the_umask(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        make_private(tmp_path / "state")
    finally:
        os.umask(before)
    assert mode(tmp_path / "state") == 0o700


@pytest.mark.parametrize("names", [[], ["postgres", "postgres.log", "evpower.sock"]])
def test_one_of_an_earlier_version_is_closed(tmp_path: Path, names: list[str]) -> None:
    for name in names:
        (tmp_path / name).touch()
    tmp_path.chmod(0o755)
    make_private(tmp_path)
    assert mode(tmp_path) == 0o700


def test_one_with_something_else_in_it_is_left_alone_with_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """`EVPOWER_STATE_DIR=/tmp`, as root, must not close /tmp."""
    (tmp_path / "postgres").mkdir()
    (tmp_path / "somebody else's").touch()
    tmp_path.chmod(0o755)
    make_private(tmp_path)
    assert mode(tmp_path) == 0o755
    assert [(each.levelno, each.name) for each in caplog.records] == [(logging.WARNING, "security")]


def test_one_of_another_user_is_left_alone_with_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    tmp_path.chmod(0o755)
    monkeypatch.setattr("os.geteuid", lambda: tmp_path.stat().st_uid + 1)
    make_private(tmp_path)
    assert (mode(tmp_path), len(caplog.records)) == (0o755, 1)


def test_a_private_one_is_no_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "anything").touch()
    tmp_path.chmod(0o700)
    make_private(tmp_path)
    assert caplog.records == []
