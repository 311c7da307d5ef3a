"""`make bench`: all benchmarks, half an hour and more; prints tables, and writes those with peers to `results/`."""

from __future__ import annotations

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
from benchmarks.database import open_postgres


async def main() -> None:
    await peers.main(peers.FULL)
    async with open_postgres(stations=peers.CHARGERS, charging=peers.CHARGERS) as postgres:
        await network.compare(postgres)
        await trio.to_thread.run_sync(stranger.compare, postgres)
    await telling.main()
    await settlements.main()
    await history.main()
    for each in (versions, rest, storms, flat, several, scale):
        await each.main()
    filters.compare()
    await trio.to_thread.run_sync(transport.compare)


if __name__ == "__main__":
    trio.run(main)
