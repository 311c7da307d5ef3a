"""The least Quart-Trio does, on Hypercorn as it comes: a route that answers a file's bytes, a socket that echoes."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import trio
from hypercorn.config import Config
from hypercorn.trio import serve
from quart import Response, request, websocket
from quart_trio import QuartTrio

from benchmarks.sampler import watch_if_asked

BACKLOG = 4096


def bare_app(body: bytes) -> QuartTrio:
    """The same paths as ours, and nothing behind them."""
    app = QuartTrio("bare")

    @app.get("/api/v1/locations")
    async def locations() -> Response:
        return Response(body, content_type="application/json")

    @app.post("/api/v1/charging/start")
    async def start() -> dict[str, str]:
        await request.get_data()
        return {"success": "true", "session_id": "0" * 32, "message": "Зарядка запущена"}

    @app.post("/api/v1/payment/webhook/odengi")
    async def webhook() -> dict[str, str]:
        await request.get_data()
        return {"status": "received", "provider": "ODENGI", "invoice_id": "0" * 12}

    @app.websocket("/api/v1/ws/locations")
    async def echo() -> None:
        while True:
            await websocket.send(await websocket.receive())

    return app


async def main() -> None:
    listener = socket.create_server(("127.0.0.1", 0), backlog=BACKLOG)
    config = Config()
    config.bind = [f"fd://{listener.fileno()}"]
    config.accesslog = config.errorlog = None
    watch_if_asked()
    print(listener.getsockname()[1], flush=True)
    await serve(bare_app(await trio.Path(Path(sys.argv[1])).read_bytes()), config)


if __name__ == "__main__":
    trio.run(main)
