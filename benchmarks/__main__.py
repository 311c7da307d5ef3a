"""`make bench`: all benchmarks, an hour and more; prints tables, and writes the one with both peers to `results/`.

A benchmark that fails does not cost the others' figures: what it raised is printed where it stands, and the run fails
at its end.
"""

from __future__ import annotations

import sys
import time
import traceback
from collections.abc import Awaitable, Callable

import trio

from benchmarks import (
    filters,
    flat,
    history,
    network,
    peers,
    rest,
    scale,
    settlements,
    several,
    storms,
    stranger,
    telling,
    transport,
    versions,
)

PARTS: dict[str, Callable[[], Awaitable[None]]] = {
    "peers": lambda: peers.main(peers.FULL),
    "network": network.main,
    "stranger": stranger.main,
    "telling": telling.main,
    "settlements": settlements.main,
    "history": history.main,
    "versions": versions.main,
    "rest": rest.main,
    "storms": storms.main,
    "flat": flat.main,
    "several": several.main,
    "scale": scale.main,
    "filters": lambda: trio.to_thread.run_sync(filters.compare),
    "transport": lambda: trio.to_thread.run_sync(transport.compare),
}


async def main() -> None:
    failed = []
    for name, part in PARTS.items():
        began = time.monotonic()
        try:
            await part()
        except Exception:  # the other figures are worth their half hour
            traceback.print_exc()
            failed.append(name)
        print(f"\n{name}: {(time.monotonic() - began) / 60:.1f} minutes", flush=True)
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    trio.run(main)
