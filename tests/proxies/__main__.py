"""`python -m tests.proxies`: what the files in `config/` let through, with real proxies (safe by default 1).

No request makes the log show an address the proxy did not see, and nothing shows the figures. Needs `nginx` and `caddy`
in PATH.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import trio

from tests.e2e.conftest import SETTINGS
from tests.e2e.process import Server
from tests.e2e.street import FLEET

CONFIG = Path(__file__).parents[2] / "config"
NGINX, CADDY = 18999, 18998
#: The address the proxies see.
PEER = "127.0.0.77"
FORGED = b"X-Forwarded-For: 6.6.6.6\r\n"
HEAD = b"Host: x\r\nConnection: close\r\n"
REQUESTS = (
    b"GET /version HTTP/1.1\r\n" + HEAD + FORGED + b"\r\n",
    b"GET /version HTTP/1.1\r\n" + HEAD + FORGED + b"X-Forwarded-For: 7.7.7.7, 127.0.0.1\r\n\r\n",
    b"GET /version HTTP/1.1\r\n" + HEAD + b"X_Forwarded_For: 6.6.6.6\r\n\r\n",
    b"GET /version HTTP/1.1\r\nHost: x\r\nConnection: close, X-Forwarded-For\r\n" + FORGED + b"\r\n",
    b"GET /version HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n" + FORGED + b"\r\n",
    b"POST /version HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    b"GET /behind HTTP/1.1\r\n" + HEAD + FORGED + b"\r\n",
    *(
        b"GET " + target + b" HTTP/1.1\r\n" + HEAD + b"\r\n"
        for target in (b"/metrics", b"//metrics", b"/%2Fmetrics", b"http://x//metrics", b"/x/../metrics")
    ),
)


def write_files(folder: Path, server: Server) -> Sequence[Sequence[str]]:
    """Both shipped files, with this server's addresses; the commands that run them."""
    http, ocpp = server.http_url.removeprefix("http://"), server.ocpp_address
    nginx = (CONFIG / "nginx.conf").read_text(encoding="utf-8")
    nginx = nginx.replace("server 127.0.0.1:8080;", f"server {http};").replace(
        "server 127.0.0.1:9000;", f"server {ocpp};"
    )
    (folder / "site.conf").write_text(nginx.replace("listen 80;", f"listen 127.0.0.1:{NGINX};"), encoding="utf-8")
    places = "".join(
        f"{name}_temp_path {folder}/{name}; " for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    whole = f"daemon off; pid {folder}/pid; events {{}} http {{ access_log off; {places} include {folder}/site.conf; }}"
    (folder / "nginx.conf").write_text(whole, encoding="utf-8")
    caddy = (CONFIG / "Caddyfile").read_text(encoding="utf-8")
    caddy = caddy.replace("{$EVPOWER_HOST:ocpp.example.org} {", f"http://:{CADDY} {{").replace(
        "{\n\tservers", "{\n\tadmin off\n\tservers", 1
    )
    caddy = caddy.replace("127.0.0.1:9000", ocpp).replace("127.0.0.1:8080", http)
    (folder / "Caddyfile").write_text(caddy, encoding="utf-8")
    return (
        ("nginx", "-e", f"{folder}/error.log", "-p", str(folder), "-c", f"{folder}/nginx.conf"),
        ("caddy", "run", "--config", f"{folder}/Caddyfile", "--adapter", "caddyfile"),
    )


async def answer(port: int, request: bytes) -> bytes:
    """All that comes back within moments."""
    received = b""
    async with await trio.open_tcp_stream("127.0.0.1", port, local_address=PEER) as stream:
        await stream.send_all(request)
        with trio.move_on_after(2):
            async for data in stream:
                received += data
    return received


async def ready(port: int) -> None:
    """Returns when somebody listens there."""
    with trio.fail_after(20):
        while True:
            try:
                async with await trio.open_tcp_stream("127.0.0.1", port):
                    return
            except OSError:
                await trio.sleep(0.1)


async def main(folder: Path) -> None:
    async with trio.open_nursery() as nursery:
        (folder / "state").mkdir()
        server = Server(nursery, folder / "state", **SETTINGS)
        await server.start()
        await server.import_fleet(FLEET)
        for command in write_files(folder, server):
            nursery.start_soon(partial(trio.run_process, command, stderr=subprocess.DEVNULL))
        for port in (NGINX, CADDY):
            await ready(port)
            for request in REQUESTS:
                received = await answer(port, request)
                assert received.startswith(b"HTTP/1.1 "), (port, request, received)
                assert b"evpower_database_up" not in received, (port, request)
        await server.stop()
        nursery.cancel_scope.cancel()
    addresses = set(re.findall(r" IP: (\S+)", server.log())) - {"local"}
    assert addresses == {PEER}, addresses
    sys.stdout.write("through nginx and Caddy: no forged address, no figures\n")


if __name__ == "__main__":
    with TemporaryDirectory(prefix="evpower-") as place:
        Path(place).chmod(0o755)
        trio.run(main, Path(place))
