"""EvPower's own server process, as `evpower serve` runs it; settings come from the environment.

With the argument `computing` the list of locations is good for no time at all, so each request computes it."""

from __future__ import annotations

import os
import sys
from urllib.parse import urlsplit

import trio

from benchmarks.sampler import watch_if_asked
from evpower.network import locations
from evpower.server import logs
from evpower.server.supervisor import run
from evpower.settings.config import load


async def main() -> None:
    config = load(None, os.environ)
    logs.configure(config.log, open(os.devnull, "w"))  # noqa: SIM115, ASYNC230 - before anything is served; ends with the process
    watch_if_asked()
    if sys.argv[1:] == ["computing"]:
        locations.LIST_FOR_S = 0.0
    async with trio.open_nursery() as nursery:
        running = await nursery.start(run, config)
        print(urlsplit(running.ocpp_urls[0]).port, urlsplit(running.http_urls[0]).port, flush=True)


if __name__ == "__main__":
    trio.run(main)
