"""config/evpower.toml, docs/configuration.md and the code agree, setting by setting."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

from evpower.settings.config import SETTINGS, SHORT_NAMES, Config, load

ROOT = Path(__file__).parents[2]
#: Its default is to be absent.
UNSET = {"ocpp.allow_anonymous"}


def uncommented(tmp_path: Path) -> Path:
    """The shipped file with every setting switched on."""
    text = (ROOT / "config/evpower.toml").read_text(encoding="utf-8")
    path = tmp_path / "all.toml"
    path.write_text(re.sub(r"^#(?=[a-z0-9_]+ = )", "", text, flags=re.MULTILINE), encoding="utf-8")
    return path


def names_in_file() -> list[str]:
    names, section = [], ""
    for line in (ROOT / "config/evpower.toml").read_text(encoding="utf-8").splitlines():
        if found := re.match(r"\[(\w+)\]", line):
            section = found[1]
        elif found := re.match(r"#?([a-z0-9_]+) = ", line):
            names.append(f"{section}.{found[1]}")
    return names


def rows_in_page() -> dict[str, list[str]]:
    rows, section = {}, ""
    for line in (ROOT / "docs/configuration.md").read_text(encoding="utf-8").splitlines():
        if found := re.match(r"## \[(\w+)\]", line):
            section = found[1]
        elif line.startswith("| `"):
            key, *cells = [cell.strip() for cell in line.strip("|").split("|")]
            rows[f"{section}.{key.strip('`')}"] = cells
    return rows


def test_the_file_names_every_setting_in_order() -> None:
    assert names_in_file() == list(SETTINGS)


def test_the_file_as_shipped_changes_nothing() -> None:
    assert load(ROOT / "config/evpower.toml", {}) == Config()


def test_the_file_shows_the_defaults(tmp_path: Path) -> None:
    shown = load(uncommented(tmp_path), {})
    for name in SETTINGS.keys() - UNSET:
        section, _, key = name.partition(".")
        assert getattr(getattr(shown, section), key) == getattr(getattr(Config(), section), key), name


def test_every_setting_in_the_file_is_explained() -> None:
    lines = (ROOT / "config/evpower.toml").read_text(encoding="utf-8").splitlines()
    for above, line in itertools.pairwise(lines):
        if re.match(r"#[a-z0-9_]+ = ", line):
            assert above.startswith("# "), line


def test_the_page_has_a_row_for_every_setting() -> None:
    assert list(rows_in_page()) == list(SETTINGS)


def test_the_page_and_the_file_show_the_same_defaults() -> None:
    text = (ROOT / "config/evpower.toml").read_text(encoding="utf-8")
    for name, (default, *_) in rows_in_page().items():
        if name not in UNSET:
            assert f"#{name.partition('.')[2]} = {default.strip('`')}\n" in text, name


def test_the_page_names_every_variable() -> None:
    rows = rows_in_page()
    for name in SETTINGS:
        assert f"`EVPOWER_{name.upper().replace('.', '_')}`" in rows[name][3], name
    for variable, name in SHORT_NAMES.items():
        assert f"`{variable}`" in rows[name][3]
