"""Server processes under measurement: started from here, read through /proc."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

TICK_S = 1 / os.sysconf("SC_CLK_TCK")
STOP_WITHIN_S = 20.0
NODE = Path(__file__).parent / "peer_node"


@dataclass(frozen=True)
class Server:
    """A running server process, its chargers' port (a peer's only one) and its phones'."""

    pid: int
    port: int
    http_port: int = 0

    def cpu_s(self) -> float:
        """User and system time it has used."""
        return cpu_s(self.pid)

    def kept_waiting_s(self) -> float:
        """How long its main thread was ready to run and had no core."""
        return kept_waiting_s(self.pid)

    def rss_bytes(self) -> int:
        """Resident memory."""
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
        raise AssertionError("a live process has VmRSS")


@contextmanager
def serving(
    module: str, *arguments: str, environ: Mapping[str, str] | None = None, python: str = sys.executable
) -> Iterator[Server]:
    """`python -m module arguments`, which prints its ports when ready and ends on SIGTERM."""
    with running([python, "-m", module, *arguments], environ) as server:
        yield server


@contextmanager
def serving_ours(url: str, *arguments: str, python: str = sys.executable, **settings: str) -> Iterator[Server]:
    """The whole product on this database, with its defaults but for the given settings' variables (`OCPP_BIND=…`)."""
    with tempfile.TemporaryDirectory(prefix="evpower-bench-") as state:
        own = {
            "DATABASE_URL": url,
            "STATE_DIR": state,
            "HTTP_BIND": "127.0.0.1:0",
            "OPERATOR_BIND": "",
            "OCPP_BIND": "127.0.0.1:0",
            **settings,
        }
        environ = {f"EVPOWER_{name}": value for name, value in own.items()}
        with serving("benchmarks.ours", *arguments, environ=environ, python=python) as server:
            yield server


@contextmanager
def running(command: Sequence[str], environ: Mapping[str, str] | None = None) -> Iterator[Server]:
    """The same of any program."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, **(environ or {})})
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        if not line:
            raise RuntimeError(f"{' '.join(command)} did not start: exit code {process.wait()}")
        yield Server(process.pid, *map(int, line.split()))
    finally:
        process.terminate()
        try:
            process.wait(STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()


@contextmanager
def running_node(url: str) -> Iterator[Server | None]:
    """The Node peer with its packages; None where there is no node or no npm."""
    if not (shutil.which("node") and shutil.which("npm")):
        yield None
        return
    subprocess.run(["npm", "ci", "--silent", "--no-audit", "--no-fund"], cwd=NODE, check=True)
    with running(["node", str(NODE / "server.mjs"), url]) as server:
        yield server


def cpu_s(pid: int) -> float:
    """User and system time of one process."""
    fields = _stat(pid)
    return (int(fields[11]) + int(fields[12])) * TICK_S


def kept_waiting_s(pid: int) -> float:
    """How long a process' main thread was ready to run and had no core: what a busy machine adds to every wait."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[1]) / 1e9


def family_cpu_s(pid: int) -> float:
    """User and system time of a process, its children, and those of its children that have ended."""
    fields = _stat(pid)
    total = sum(int(ticks) for ticks in fields[11:15]) * TICK_S
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        with suppress(FileNotFoundError, ProcessLookupError):  # it ended between the two readings
            total += cpu_s(int(child))
    return total


def parent_of(pid: int) -> int:
    return int(_stat(pid)[1])


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat after the name, which may hold blanks."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
