"""`python -m tests.fuzz.api [MINUTES]`: requests made of `/openapi.json` at a started server with the demo's network.

Schemathesis makes them, right ones and wrong ones, so long with a driver's token at the phones' routes and so long
with an administrator's at every one. It fails for a 5xx, an answer that is not as described, and an ERROR in the log.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx2
import trio

from tests.e2e.process import Server

FLEET = Path(__file__).parents[2] / "config" / "demo.toml"
TOKEN = "fuzz" * 8
PHONE = "+996700123456"
CHECKS = "not_a_server_error,content_type_conformance,response_schema_conformance"
#: A trace is a stream without an end.
LEFT_OUT = "/trace$"
#: Besides what no driver may see: whatever would end the driver's own sign-in, and the rest with it.
LEFT_OUT_FOR_DRIVERS = f"{LEFT_OUT}|/api/v1/admin/|/logout-all$|/delete-account$|/delete-request$"


async def fuzz(minutes: float, state_dir: Path) -> int:
    """How Schemathesis ended: 0 is well."""
    async with trio.open_nursery() as nursery:
        settings = {
            "http_openapi": "true",
            "http_admin_token": TOKEN,
            "http_rate_limit_exempt": "127.0.0.1",
            "sms_transport": "log",
        }
        server = Server(nursery, state_dir, **settings)
        await server.start()
        await server.import_fleet(FLEET.read_text(encoding="utf-8"))
        ended = 0
        drivers = {**os.environ, "SCHEMATHESIS_HOOKS": "tests.fuzz.own_requests"}
        # The driver first: an administrator who does anything at all blocks clients, merges them and ends keys.
        for token, left_out, environ in (
            (await _driver(server), LEFT_OUT_FOR_DRIVERS, drivers),
            (TOKEN, LEFT_OUT, None),
        ):
            command = _command(server.http_url, minutes, state_dir, token, left_out)
            ended |= (await trio.run_process(command, check=False, env=environ)).returncode
        await server.stop()
    errors = [line for line in server.log().splitlines() if " ERROR " in line]
    sys.stdout.write("\n".join(["errors in the log:", *errors[:20], ""]))
    return ended or bool(errors)


async def _driver(server: Server) -> str:
    """The token of a driver who has signed in by the code of an SMS, which is good for an hour."""
    async with httpx2.AsyncClient(base_url=f"{server.http_url}/api/v1/auth") as phone:
        (await phone.post("/send-otp", json={"phone": PHONE})).raise_for_status()
        code = re.search(r"\d{6}\b", (await server.process.wait_for_line("SMS to")).rpartition("log:")[2])
        assert code is not None
        answer = await phone.post("/verify-otp", json={"phone": PHONE, "code": code[0]})
        answer.raise_for_status()
        return str(answer.json()["access_token"])


def _command(url: str, minutes: float, state_dir: Path, token: str, left_out: str) -> list[str]:
    options = {
        "--max-time": str(int(minutes * 60)),
        "--max-examples": "1000000",
        # With two, CPython 3.11 now and then fails in `ast.parse` of two threads at once, in the tool itself.
        "--workers": "1",
        "--checks": CHECKS,
        "--exclude-path-regex": left_out,
        "--header": f"Authorization:Bearer {token}",
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
