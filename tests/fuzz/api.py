"""`python -m tests.fuzz.api [MINUTES]`: requests made of `/openapi.json` at a started server with the demo's network.

Schemathesis makes them, right ones and wrong ones. It fails for a 5xx, and for an answer that is not as described.
"""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import trio

from tests.e2e.process import Server

FLEET = Path(__file__).parents[2] / "config" / "demo.toml"
TOKEN = "fuzz" * 8
CHECKS = "not_a_server_error,content_type_conformance,response_schema_conformance"
#: A trace is a stream without an end.
LEFT_OUT = "/trace$"


async def fuzz(minutes: float, state_dir: Path) -> int:
    """How Schemathesis ended: 0 is well."""
    async with trio.open_nursery() as nursery:
        settings = {"http_openapi": "true", "http_admin_token": TOKEN, "http_rate_limit_exempt": "127.0.0.1"}
        server = Server(nursery, state_dir, **settings)
        await server.start()
        await server.import_fleet(FLEET.read_text(encoding="utf-8"))
        ended = await trio.run_process(_command(server.http_url, minutes, state_dir), check=False)
        await server.stop()
    errors = [line for line in server.log().splitlines() if " ERROR " in line]
    sys.stdout.write("\n".join(["errors in the log:", *errors[:20], ""]))
    return ended.returncode or bool(errors)


def _command(url: str, minutes: float, state_dir: Path) -> list[str]:
    options = {
        "--max-time": str(int(minutes * 60)),
        "--max-examples": "1000000",
        "--workers": "2",
        "--checks": CHECKS,
        "--exclude-path-regex": LEFT_OUT,
        "--header": f"Authorization:Bearer {TOKEN}",
        "--generation-with-security-parameters": "false",
        "--generation-database": str(state_dir / "examples"),
        "--request-timeout": "30",
    }
    given = [text for option in options.items() for text in option]
    flags = ["--continue-on-failure", "--no-color"]
    return [sys.executable, "-m", "schemathesis.cli", "run", f"{url}/openapi.json", *given, *flags]


def main() -> int:
    """The exit code."""
    minutes = float(sys.argv[1]) if len(sys.argv) > 1 else 1.0
    with TemporaryDirectory() as state_dir:
        return trio.run(fuzz, minutes, Path(state_dir))


if __name__ == "__main__":
    sys.exit(main())
