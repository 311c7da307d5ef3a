"""The same charger with OCPP 2.0.1: the `ocpp` package's own v201 client, which checks what it is sent.

    python -m tests.foreign.ocpp_package_201 ws://STATION:PASSWORD@HOST:PORT/ws/STATION

Lives the life of `ocpp_package.py` and says the same lines; its transaction begins with the cable, the token follows.
"""

from __future__ import annotations

import asyncio
from typing import Any

from ocpp.routing import after, on
from ocpp.v201 import ChargePoint, call, call_result
from ocpp.v201.enums import Action

from tests.foreign.charger_life import CHARGED_WH, METER_START_WH, live, now, say

TRANSACTION = "f0e1d2c3-0001"


class Charger(ChargePoint):
    """Two EVSEs; only the first speaks by itself."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.stop_asked = asyncio.Event()
        self.start_asked: asyncio.Future[tuple[dict[str, Any], int]] = asyncio.get_running_loop().create_future()
        self.seq_no = -1

    @on(Action.set_variables)
    def on_set_variables(self, set_variable_data: list[dict[str, Any]], **_rest: Any) -> Any:
        results = []
        for each in set_variable_data:
            say("SetVariables", variable=each["variable"]["name"], value=each["attribute_value"])
            status = "Rejected" if "SoC" in each["attribute_value"] else "Accepted"
            named = {"component": each["component"], "variable": each["variable"]}
            results.append({"attribute_status": status, **named})
        return call_result.SetVariables(results)

    @on(Action.get_variables)
    def on_get_variables(self, get_variable_data: list[dict[str, Any]], **_rest: Any) -> Any:
        return call_result.GetVariables([{"attribute_status": "UnknownVariable", **each} for each in get_variable_data])

    @on(Action.get_base_report)
    def on_get_base_report(self, **_rest: Any) -> Any:
        return call_result.GetBaseReport("NotSupported")

    @on(Action.trigger_message)
    def on_trigger_message(self, requested_message: str, evse: dict[str, Any] | None = None, **_rest: Any) -> Any:
        say("TriggerMessage", message=requested_message, connector_id=(evse or {}).get("id", 0))
        return call_result.TriggerMessage("Accepted")

    @after(Action.trigger_message)
    async def after_trigger_message(self, requested_message: str, evse: dict[str, Any] | None = None) -> None:
        if requested_message == "StatusNotification" and evse is not None:
            await self.status("Available", evse["id"])

    @on(Action.request_start_transaction)
    def on_request_start(self, id_token: dict[str, Any], remote_start_id: int, **_rest: Any) -> Any:
        self.start_asked.set_result((id_token, remote_start_id))
        return call_result.RequestStartTransaction("Accepted")

    @on(Action.request_stop_transaction)
    def on_request_stop(self, transaction_id: str, **_rest: Any) -> Any:
        if transaction_id != TRANSACTION:
            return call_result.RequestStopTransaction("Rejected")
        self.stop_asked.set()
        return call_result.RequestStopTransaction("Accepted")

    async def status(self, status: str, evse_id: int = 1) -> None:
        await self.call(call.StatusNotification(now(), status, evse_id, 1), suppress=False)

    async def life(self) -> None:
        """From boot to the end of one charge."""
        station = {"model": "Model", "vendor_name": "Vendor", "firmware_version": "1.0"}
        boot = await self.call(call.BootNotification(station, "PowerUp"), suppress=False)
        say("booted", status=boot.status, interval=boot.interval)
        await self.status("Available")
        token, remote_start_id = await self.start_asked
        await self.status("Occupied")
        authorized = await self.call(call.Authorize(token), suppress=False)
        await self.tell("Started", "CablePluggedIn", state="EVConnected")
        started = await self.tell(
            "Updated", "RemoteStart", METER_START_WH, token=token, info={"remote_start_id": remote_start_id}
        )
        info = started.id_token_info
        say("started", authorize=authorized.id_token_info["status"], start=info["status"])
        for charged_wh in (1_000, 2_000, 3_000):
            await self.tell("Updated", "MeterValuePeriodic", METER_START_WH + charged_wh)
        say("metered")
        await self.stop_asked.wait()
        ended = await self.tell(
            "Ended", "RemoteStop", METER_START_WH + CHARGED_WH, info={"stopped_reason": "Remote"}, state="EVConnected"
        )
        await self.status("Available")
        await self.call(call.Heartbeat(), suppress=False)
        say("stopped", total_cost=ended.total_cost)

    async def tell(
        self,
        kind: str,
        why: str,
        register_wh: int | None = None,
        *,
        token: dict[str, Any] | None = None,
        info: dict[str, Any] | None = None,
        state: str = "Charging",
    ) -> Any:
        self.seq_no += 1
        sampled = {
            "value": (register_wh or 0) / 1000,
            "measurand": "Energy.Active.Import.Register",
            "unit_of_measure": {"unit": "kWh"},
        }
        values = None if register_wh is None else [{"timestamp": now(), "sampled_value": [sampled]}]
        event = call.TransactionEvent(
            event_type=kind,
            timestamp=now(),
            trigger_reason=why,
            seq_no=self.seq_no,
            transaction_info={"transaction_id": TRANSACTION, "charging_state": state, **(info or {})},
            meter_value=values,
            evse={"id": 1, "connector_id": 1},
            id_token=token,
        )
        return await self.call(event, suppress=False)


if __name__ == "__main__":
    live(Charger, "ocpp2.0.1")
