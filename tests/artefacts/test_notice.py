"""The licences: ours, and of what is handed out with EvPower."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import distribution
from pathlib import Path

from artefacts import notice
from artefacts.lock import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PACKAGE = re.compile(r"^  ([\w.-]+) (\S+): (.*)$", re.MULTILINE)


def test_the_notice_is_of_what_is_locked() -> None:
    assert notice.FILE.read_text(encoding="utf-8") == notice.written(), "make notice"


def test_every_package_has_its_licence() -> None:
    listed = PACKAGE.findall(notice.written().partition("from the wheel.\n\n")[2])
    assert len(listed) == len(notice.carried()) > 50
    assert [name for name, _, licence in listed if not licence] == []


def test_the_licence_is_apaches_in_full() -> None:
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert text.split()[:6] == ["Apache", "License", "Version", "2.0,", "January", "2004"]
    assert "END OF TERMS AND CONDITIONS" in text
    assert len(text.splitlines()) > 200


def test_the_wheel_names_and_carries_its_licences() -> None:
    assert PROJECT["license"] == "Apache-2.0"
    assert PROJECT["license-files"] == ["LICENSE", "NOTICE", "evpower/history/fonts/LICENSE.txt"]
    assert all((ROOT / file).is_file() for file in PROJECT["license-files"])


def test_what_the_notice_says_of_files_is_there() -> None:
    said = re.findall(r"evpower/[\w/.]+", notice.BEGINNING)
    assert said
    assert [path for path in said if not (ROOT / path).exists()] == []


def test_each_packages_texts_lie_where_the_notice_says(tmp_path: Path) -> None:
    (tmp_path / "lib").mkdir()
    site_packages = Path(str(distribution("trio").locate_file("")))
    notice.add_texts(tmp_path, site_packages)
    texts = tmp_path / "licenses"
    assert {"LICENSE", "NOTICE", "postgresql.txt", "python.txt"} <= {path.name for path in texts.iterdir()}
    for name in notice.carried():
        package = distribution(name)
        assert list(texts.glob(f"{package.name}-{package.version}/*")), name
