"""A charger nobody here wrote: the `ocpp` package's own client on `websockets`' asyncio, which checks what it is sent.

    python -m tests.foreign.ocpp_package ws://STATION:PASSWORD@HOST:PORT/ws/STATION

Boots, waits to be started, meters 3 kWh, waits to be stopped, reports a stop at 4 kWh and leaves. Says what happened in
lines of JSON; an answer the standard's schema refuses ends it with a traceback.
"""

from __future__ import annotations

import asyncio
from typing import Any

from ocpp.routing import after, on
from ocpp.v16 import ChargePoint, call, call_result
from ocpp.v16.enums import Action

from tests.foreign.charger_life import CHARGED_WH, METER_START_WH, live, now, say


class Charger(ChargePoint):
    """Two connectors; only the first speaks by itself."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.stop_asked = asyncio.Event()
        self.start_asked: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.transaction_id = 0

    @on(Action.change_configuration)
    def on_change_configuration(self, key: str, value: str) -> Any:
        say("ChangeConfiguration", key=key, value=value)
        return call_result.ChangeConfiguration("Rejected" if "SoC" in value else "Accepted")

    @on(Action.trigger_message)
    def on_trigger_message(self, requested_message: str, connector_id: int = 0) -> Any:
        say("TriggerMessage", message=requested_message, connector_id=connector_id)
        return call_result.TriggerMessage("Accepted")

    @after(Action.trigger_message)
    async def after_trigger_message(self, requested_message: str, connector_id: int = 0) -> None:
        if requested_message == "StatusNotification":
            await self.status("Available", connector_id)

    @on(Action.remote_start_transaction)
    def on_remote_start(self, id_tag: str, **_rest: Any) -> Any:
        self.start_asked.set_result(id_tag)
        return call_result.RemoteStartTransaction("Accepted")

    @on(Action.remote_stop_transaction)
    def on_remote_stop(self, transaction_id: int) -> Any:
        if transaction_id != self.transaction_id:
            return call_result.RemoteStopTransaction("Rejected")
        self.stop_asked.set()
        return call_result.RemoteStopTransaction("Accepted")

    async def status(self, status: str, connector_id: int = 1) -> None:
        await self.call(call.StatusNotification(connector_id, "NoError", status, timestamp=now()), suppress=False)

    async def life(self) -> None:
        """From boot to the end of one charge."""
        boot = await self.call(call.BootNotification("Model", "Vendor", firmware_version="1.0"), suppress=False)
        say("booted", status=boot.status, interval=boot.interval)
        await self.status("Available", 0)
        await self.status("Available")
        id_tag = await self.start_asked
        await self.status("Preparing")
        authorized = await self.call(call.Authorize(id_tag), suppress=False)
        started = await self.call(call.StartTransaction(1, id_tag, METER_START_WH, now()), suppress=False)
        self.transaction_id = started.transaction_id
        say("started", authorize=authorized.id_tag_info["status"], start=started.id_tag_info["status"])
        await self.status("Charging")
        for charged_wh in (1_000, 2_000, 3_000):
            await self.meter(METER_START_WH + charged_wh)
        say("metered")
        await self.stop_asked.wait()
        stop = call.StopTransaction(METER_START_WH + CHARGED_WH, now(), self.transaction_id, reason="Remote")
        await self.call(stop, suppress=False)
        await self.status("Finishing")
        await self.call(call.Heartbeat(), suppress=False)
        say("stopped")

    async def meter(self, register_wh: int) -> None:
        sampled = [
            {"value": str(register_wh / 1000), "measurand": "Energy.Active.Import.Register", "unit": "kWh"},
            {"value": "11.0", "measurand": "Power.Active.Import", "unit": "kW"},
        ]
        values = [{"timestamp": now(), "sampled_value": sampled}]
        await self.call(call.MeterValues(1, values, transaction_id=self.transaction_id), suppress=False)


if __name__ == "__main__":
    live(Charger, "ocpp1.6")
