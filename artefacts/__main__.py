"""`python -m artefacts`: `dist`, all that is handed out; `notice`, what of others is in it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from artefacts import executable, notice
from artefacts.lock import ROOT, asked_at_run_time, asked_by, needed_by, read_lock

DIST, BUILD = ROOT / "dist", ROOT / "build"
#: 2026-01-01, for a tree without a history.
NO_HISTORY = 1767225600


def main(what: str) -> None:
    """Make it."""
    match what:
        case "dist":
            dist()
        case "notice":
            notice.FILE.write_text(notice.written(), encoding="utf-8")
        case _:
            sys.exit(f"no {what}: dist, notice")


def dist() -> None:
    """Into dist/: the wheel, its lock, the executable. The same commit gives the same bytes."""
    made_at = int(os.environ.setdefault("SOURCE_DATE_EPOCH", str(_committed_at())))
    for directory in (DIST, BUILD):
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir()
    _run(sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", DIST)
    (wheel,) = DIST.glob("*.whl")
    lock = read_lock((ROOT / "requirements.lock").read_text(encoding="utf-8"))
    needed = needed_by(lock, asked_at_run_time())
    (DIST / "requirements.lock").write_text("".join(each.text for each in needed), encoding="utf-8")
    tools = {each.name: each for each in (*needed, *needed_by(lock, asked_by("dist")))}
    (BUILD / "requirements.lock").write_text("".join(each.text for each in tools.values()), encoding="utf-8")
    # An environment of its own: the executable carries what is locked for it, and no tool that happens to be here.
    _run(sys.executable, "-m", "venv", BUILD / "venv")
    pip = (BUILD / "venv/bin/python", "-m", "pip", "--quiet", "--disable-pip-version-check", "install")
    _run(*pip, "--require-hashes", "-r", BUILD / "requirements.lock")
    _run(*pip, "--no-deps", wheel)
    directory = executable.freeze(BUILD, BUILD / "venv/bin/python")
    (site_packages,) = (BUILD / "venv/lib").glob("python*/site-packages")
    executable.add_postgres(directory, site_packages)
    notice.add_texts(directory, site_packages)
    executable.pack(directory, DIST / "evpower", made_at)


def _committed_at() -> int:
    """When the commit was made that is checked out (Unix time)."""
    done = subprocess.run(("git", "log", "-1", "--format=%ct"), check=False, capture_output=True, text=True, cwd=ROOT)
    return int(done.stdout) if done.returncode == 0 and done.stdout else NO_HISTORY


def _run(*command: str | Path) -> None:
    subprocess.run([str(part) for part in command], check=True, cwd=ROOT)


if __name__ == "__main__":
    main(*sys.argv[1:])
