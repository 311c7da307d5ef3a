"""`systemctl` without systemd: starts what a unit file says, with the environment and the directories that it says.

It knows `Type=notify`, `Environment`, `EnvironmentFile`, the three directories, templates (`%i`), SIGTERM and SIGHUP,
and nothing of users or sandboxes. GUIDE_ROOT and GUIDE_DIGIT say where the unit's paths and ports are.
"""

from __future__ import annotations

import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from tests.guide.places import placed

ROOT = Path(os.environ["GUIDE_ROOT"])
DIGIT = int(os.environ["GUIDE_DIGIT"])
UNITS = ROOT / "etc/systemd/system"
PIDS = ROOT / "pids"
DIRECTORIES = {"StateDirectory": "var/lib", "RuntimeDirectory": "run", "LogsDirectory": "var/log"}
START_WITHIN_S = 90.0
STOP_WITHIN_S = 60.0
POLL_S = 0.05


def pairs(lines: Iterable[str]) -> Iterator[tuple[str, str]]:
    """`NAME=value`; comments and empty lines are left out."""
    for line in lines:
        name, equals, value = line.partition("=")
        if equals and not name.startswith("#"):
            yield name, value


class Unit:
    """One unit, an instance of a template perhaps."""

    def __init__(self, name: str) -> None:
        self.name = name.removesuffix(".service")
        stem, at, instance = self.name.partition("@")
        text = (UNITS / f"{stem}{at}.service").read_text(encoding="utf-8").replace("%i", instance)
        self.lines = [
            tuple(line.split("=", 1))
            for line in placed(text, ROOT, DIGIT).splitlines()
            if "=" in line and not line.startswith("#")
        ]
        self.pid_file = PIDS / self.name

    def values(self, name: str) -> list[str]:
        return [value for key, value in self.lines if key == name]

    @property
    def pid(self) -> int | None:
        """Of the process, while it lives."""
        try:
            pid = int(self.pid_file.read_text(encoding="utf-8"))
            state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
        except (OSError, ValueError):
            return None
        return None if state == "Z" else pid

    def environment(self) -> dict[str, str]:
        """What systemd would give it: files win over lines."""
        values = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8"}
        for line in self.values("Environment"):
            values.update(pairs(shlex.split(line)))
        for file in self.values("EnvironmentFile"):
            if Path(file.removeprefix("-")).exists():
                lines = Path(file.removeprefix("-")).read_text(encoding="utf-8").splitlines()
                values.update(pairs(lines))
        return values

    def start(self) -> None:
        """Start, and wait for its READY=1."""
        if self.pid is not None:
            return
        for name, place in DIRECTORIES.items():
            for value in self.values(name):
                (ROOT / place / value).mkdir(mode=0o700, parents=True, exist_ok=True)
        address = str(PIDS / f"{self.name}.notify")
        Path(address).unlink(missing_ok=True)
        with (
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notified,
            (PIDS / f"{self.name}.log").open("ab") as out,
        ):
            notified.bind(address)
            notified.settimeout(POLL_S)
            process = subprocess.Popen(
                shlex.split(self.values("ExecStart")[0]),
                env={**self.environment(), "NOTIFY_SOCKET": address},
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
            self.pid_file.write_text(str(process.pid), encoding="utf-8")
            self._wait_until_ready(process, notified)

    def _wait_until_ready(self, process: subprocess.Popen[bytes], notified: socket.socket) -> None:
        deadline = time.monotonic() + START_WITHIN_S
        while time.monotonic() < deadline:
            try:
                if b"READY=1" in notified.recv(4096):
                    return
            except TimeoutError:
                if process.poll() is not None:
                    break
        sys.exit(f"{self.name} did not start:\n" + (PIDS / f"{self.name}.log").read_text(encoding="utf-8"))

    def stop(self) -> None:
        """SIGTERM, and wait for its end."""
        deadline = time.monotonic() + STOP_WITHIN_S
        if (pid := self.pid) is not None:
            os.kill(pid, signal.SIGTERM)
        while self.pid is not None:
            if time.monotonic() > deadline:
                sys.exit(f"{self.name} did not stop")
            time.sleep(POLL_S)

    def reload(self) -> None:
        """As ExecReload says, which is SIGHUP."""
        assert self.values("ExecReload") == ["/bin/kill -HUP $MAINPID"]
        if (pid := self.pid) is None:
            sys.exit(f"{self.name} does not run")
        os.kill(pid, signal.SIGHUP)


def main() -> None:
    PIDS.mkdir(exist_ok=True)
    verb, *rest = sys.argv[1:]
    units = [Unit(each) for each in rest if not each.startswith("-")]
    assert verb in ("daemon-reload", "enable", "disable", "start", "stop", "restart", "reload", "is-active"), verb
    for unit in units:
        if verb in ("stop", "restart", "disable"):
            unit.stop()
        if verb in ("start", "restart", "enable"):
            unit.start()
        if verb == "reload":
            unit.reload()
        if verb == "is-active":
            sys.stdout.write("active\n" if unit.pid is not None else "inactive\n")
            sys.exit(0 if unit.pid is not None else 3)


main()
