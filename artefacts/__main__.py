"""`python -m artefacts`: `dist`, all that is handed out; `wheel`, a part of it; `notice`, what of others is in it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from artefacts import executable, notice
from artefacts.lock import ROOT, Locked, asked_at_run_time, asked_by, needed_by, read_lock

DIST, BUILD = ROOT / "dist", ROOT / "build"
#: 2026-01-01, for a tree without a history.
NO_HISTORY = 1767225600


def main(what: str) -> None:
    """Make it."""
    match what:
        case "dist":
            dist()
        case "wheel":
            wheel()
        case "notice":
            notice.FILE.write_text(notice.written(), encoding="utf-8")
        case _:
            sys.exit(f"no {what}: dist, wheel, notice")


def dist() -> None:
    """All of it into dist/. The same commit gives the same bytes."""
    wheel()
    made_at = int(os.environ["SOURCE_DATE_EPOCH"])
    (DIST / "evpower").unlink(missing_ok=True)
    shutil.rmtree(BUILD, ignore_errors=True)
    BUILD.mkdir()
    lock = _lock()
    tools = {each.name: each for name in (asked_at_run_time(), asked_by("dist")) for each in needed_by(lock, name)}
    (BUILD / "requirements.lock").write_text("".join(each.text for each in tools.values()), encoding="utf-8")
    # An environment of its own: the executable carries what is locked for it, and no tool that happens to be here.
    python = BUILD / "venv/bin/python"
    _run(sys.executable, "-m", "venv", "--without-pip", BUILD / "venv")
    install = (Path(sys.executable).with_name("uv"), "pip", "install", "--quiet", "--python", python)
    _run(*install, "--require-hashes", "-r", BUILD / "requirements.lock")
    _run(*install, "--no-deps", *DIST.glob("*.whl"))
    directory = executable.freeze(BUILD, python)
    (site_packages,) = (BUILD / "venv/lib").glob("python*/site-packages")
    executable.add_postgres(directory, site_packages)
    notice.add_texts(directory, site_packages)
    executable.pack(directory, DIST / "evpower", made_at)


def wheel() -> None:
    """Into dist/: the wheel and its lock."""
    os.environ.setdefault("SOURCE_DATE_EPOCH", str(_committed_at()))
    DIST.mkdir(exist_ok=True)
    for old in DIST.glob("*.whl"):
        old.unlink()
    _run(sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", DIST)
    needed = needed_by(_lock(), asked_at_run_time())
    (DIST / "requirements.lock").write_text("".join(each.text for each in needed), encoding="utf-8")


def _lock() -> dict[str, Locked]:
    return read_lock((ROOT / "requirements.lock").read_text(encoding="utf-8"))


def _committed_at() -> int:
    """When the commit was made that is checked out (Unix time)."""
    done = subprocess.run(("git", "log", "-1", "--format=%ct"), check=False, capture_output=True, text=True, cwd=ROOT)
    return int(done.stdout) if done.returncode == 0 and done.stdout else NO_HISTORY


def _run(*command: str | Path) -> None:
    subprocess.run([str(part) for part in command], check=True, cwd=ROOT)


if __name__ == "__main__":
    main(*sys.argv[1:])
