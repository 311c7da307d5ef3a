"""What is installed is what was locked: every version and every byte of it (safe by default 13)."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
#: `name==version ; marker \\`, and its hashes on the lines below.
LOCKED = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[\w,]+\])?==(\S+)(.*(?:\n[ \t]+--hash=.*)*)", re.MULTILINE)
HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}\b")


def locked() -> dict[str, str]:
    """What follows each name in the lock."""
    return {canonicalize_name(name): rest for name, _, rest in LOCKED.findall(LOCK)}


def test_every_dependency_has_its_hashes() -> None:
    assert len(locked()) > 40
    assert [name for name, rest in locked().items() if not HASH.search(rest)] == []


def test_the_lock_has_nothing_but_locked_versions() -> None:
    """No address of a file, no editable, no option, no index: what pip is told to install is named and hashed."""
    rest = LOCKED.sub("", LOCK)
    assert [line for line in rest.splitlines() if line.strip() and not line.lstrip().startswith("#")] == []


def test_every_dependency_of_ours_is_locked_to_a_version_that_it_allows() -> None:
    project = PROJECT["project"]
    asked = [*project["dependencies"], *(each for extra in project["optional-dependencies"].values() for each in extra)]
    versions = {canonicalize_name(name): version for name, version, _ in LOCKED.findall(LOCK)}
    for each in map(Requirement, asked):
        assert each.specifier.contains(versions[canonicalize_name(each.name)]), each


def test_the_artefact_carries_its_lock() -> None:
    shared = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["shared-data"]
    assert shared == {"requirements.lock": "share/evpower/requirements.lock"}


def test_no_package_stands_in_the_repository() -> None:
    """Whatever is installed comes by the lock."""
    assert [path.name for path in ROOT.iterdir() if path.suffix in (".whl", ".gz", ".zip")] == []


@pytest.mark.parametrize("page", ["docs/operating.md", "docs/install.md", "README.md", "CONTRIBUTING.md", "Makefile"])
def test_what_the_pages_install_is_hashed(page: str) -> None:
    """Every `pip install` says --require-hashes with our file, or --no-deps for EvPower itself."""
    text = (ROOT / page).read_text(encoding="utf-8").replace("\\\n", " ")
    installs = re.findall(r"pip install[^\n&|]*", text)
    unsafe = [each for each in installs if "--require-hashes" not in each and "--no-deps" not in each]
    assert unsafe == []


VULNERABLE = {"name": "x", "version": "1", "vulns": [{"id": "CVE-1", "fix_versions": ["2"]}]}


@pytest.mark.external
@pytest.mark.parametrize(
    ("report", "code", "said"),
    [
        ({"dependencies": [{"name": "x", "version": "1", "vulns": []}]}, 0, "1 without advisories"),
        ({"dependencies": [VULNERABLE]}, 1, "x 1: CVE-1, mended in 2"),
        (
            {"dependencies": [{"name": "x", "skip_reason": "not found"}]},
            0,
            "WARNING: ADVISORIES WERE NOT CHECKED for 1",
        ),
        (None, 0, "WARNING: ADVISORIES WERE NOT CHECKED"),
        ({"error": "no network"}, 0, "WARNING: ADVISORIES WERE NOT CHECKED"),
    ],
)
def test_a_known_advisory_is_red_and_a_database_that_does_not_answer_is_loud(
    report: object, code: int, said: str
) -> None:
    """`.ci/advisories.py`, with a command in place of pip-audit's."""
    writes = "import sys" if report is None else f"import sys; open(sys.argv[1], 'w').write({json.dumps(report)!r})"
    command = [sys.executable, str(ROOT / ".ci/advisories.py"), sys.executable, "-c", writes]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert (done.returncode, said in done.stdout) == (code, True), done.stdout
