"""The asyncio baseline, as its libraries' own examples have it: `websockets`, `ocpp`'s ChargePoint, asyncpg, on uvloop.

It validates with `ocpp`, stores the columns we store and answers after the commit. It keeps no session, no ledger and
no limit, which is work that EvPower does for the same message.
"""

# mypy: disallow-untyped-decorators=False, disallow-subclassing-any=False
# (`ocpp` is not typed)

from __future__ import annotations

import asyncio
import json
import signal
import sys
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import asyncpg
import uvloop
from ocpp.routing import on
from ocpp.v16 import ChargePoint, call_result
from ocpp.v16.enums import Action, AuthorizationStatus, RegistrationStatus
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

POOL_SIZE = 12
INSERT = """INSERT INTO meter_values (station_id, connector_id, wire_transaction_id, measured_at, received_at,
    energy_wh, power_w, current_a, voltage_v, soc_percent, sampled_values)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"""
BOOT = """INSERT INTO stations VALUES ($1, $2, $3, $4) ON CONFLICT (station_id) DO UPDATE
    SET vendor = excluded.vendor, model = excluded.model, booted_at = excluded.booted_at"""
STATUS = """INSERT INTO station_status VALUES ($1, $2, $3, $4, $5) ON CONFLICT (station_id, connector_id) DO UPDATE
    SET status = excluded.status, error_code = excluded.error_code, reported_at = excluded.reported_at"""

START = """INSERT INTO transactions (station_id, connector_id, id_tag, meter_start, started_at)
    VALUES ($1, $2, $3, $4, $5) RETURNING id"""
STOP = "UPDATE transactions SET meter_stop = $2, stopped_at = $3 WHERE id = $1"


class Peer(ChargePoint):
    """A charger on the asyncio server."""

    def __init__(self, station_id: str, connection: ServerConnection, pool: Any) -> None:
        super().__init__(station_id, connection)
        self._pool = pool

    @on(Action.boot_notification)
    async def boot(self, charge_point_vendor: str, charge_point_model: str, **_: Any) -> Any:
        now = datetime.now(UTC)
        await self._pool.execute(BOOT, self.id, charge_point_vendor, charge_point_model, now)
        return call_result.BootNotification(now.isoformat(), 60, RegistrationStatus.accepted)

    @on(Action.status_notification)
    async def status(self, connector_id: int, error_code: str, status: str, **_: Any) -> Any:
        await self._pool.execute(STATUS, self.id, connector_id, status, error_code, datetime.now(UTC))
        return call_result.StatusNotification()

    @on(Action.authorize)
    async def authorize(self, **_: Any) -> Any:
        return call_result.Authorize({"status": AuthorizationStatus.accepted})

    @on(Action.heartbeat)
    async def heartbeat(self) -> Any:
        return call_result.Heartbeat(datetime.now(UTC).isoformat())

    @on(Action.start_transaction)
    async def start_transaction(
        self, connector_id: int, id_tag: str, meter_start: int, timestamp: str, **_: Any
    ) -> Any:
        began_at = datetime.fromisoformat(timestamp)
        number = await self._pool.fetchval(START, self.id, connector_id, id_tag, meter_start, began_at)
        return call_result.StartTransaction(number, {"status": AuthorizationStatus.accepted})

    @on(Action.stop_transaction)
    async def stop_transaction(self, transaction_id: int, meter_stop: int, timestamp: str, **_: Any) -> Any:
        await self._pool.execute(STOP, transaction_id, meter_stop, datetime.fromisoformat(timestamp))
        return call_result.StopTransaction()

    @on(Action.meter_values)
    async def meter_values(self, connector_id: int, meter_value: list[Any], **rest: Any) -> Any:
        last = meter_value[-1]
        sampled = {each.get("measurand"): each["value"] for each in last["sampled_value"]}
        await self._pool.execute(
            INSERT,
            self.id,
            connector_id,
            str(rest.get("transaction_id")),
            datetime.fromisoformat(last["timestamp"]),
            datetime.now(UTC),
            int(sampled["Energy.Active.Import.Register"]),
            float(sampled["Power.Active.Import"]),
            float(sampled["Current.Import"]),
            float(sampled["Voltage"]),
            float(sampled["SoC"]),
            json.dumps(meter_value),
        )
        return call_result.MeterValues()


async def main(url: str) -> None:
    pool = await asyncpg.create_pool(url, min_size=POOL_SIZE, max_size=POOL_SIZE)

    async def charger(connection: ServerConnection) -> None:
        assert connection.request is not None
        with suppress(ConnectionClosed):
            await Peer(connection.request.path.rpartition("/")[2], connection, pool).start()

    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    # No pings: between its rounds the load does not answer them.
    protocols = [Subprotocol("ocpp1.6")]
    async with serve(charger, "127.0.0.1", 0, subprotocols=protocols, backlog=4096, ping_interval=None) as server:
        print(next(iter(server.sockets)).getsockname()[1], flush=True)
        await stop.wait()
    pool.terminate()


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1]))
