"""What both clients of the `ocpp` package share: what they meter, the lines they say, and one socket for one life."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Protocol

from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

METER_START_WH = 1_000
CHARGED_WH = 4_000


class Living(Protocol):
    """The package's ChargePoint of either version, with a life of its own."""

    async def start(self) -> None:
        """Read what comes."""

    async def life(self) -> None:
        """From boot to the end of one charge."""


def say(event: str, **facts: Any) -> None:
    print(json.dumps({"event": event, **facts}, separators=(",", ":")), flush=True)


def now() -> str:
    return datetime.now(UTC).isoformat()


def live(charger: Callable[[str, Any], Living], subprotocol: str) -> None:
    """Run the charger at the URL of the command line; asyncio lives in this process alone."""
    asyncio.run(_live(charger, subprotocol, sys.argv[1]))


async def _live(charger: Callable[[str, Any], Living], subprotocol: str, url: str) -> None:
    async with connect(url, subprotocols=[Subprotocol(subprotocol)]) as socket:
        living = charger(url.rpartition("/")[2], socket)
        say("connected", subprotocol=socket.subprotocol)
        reading = asyncio.create_task(living.start())
        await living.life()
        reading.cancel()
