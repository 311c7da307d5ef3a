"""Uploads of diagnostics and logs, downloads of firmware, followed to their end by the charger's notifications.

A charger names no request in OCPP 1.6 core: its word belongs to the last unfinished transfer of that kind, and a new
request takes the place of one that never ended (OCPP 1.6 §5.9, §5.19). In the security extension it names its request,
and only that one moves (security white paper: LogStatusNotification, SignedFirmwareStatusNotification).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from evpower.clock import Clock
from evpower.db.pool import Pool
from evpower.db.unit_of_work import unit_of_work
from evpower.errors import CommandFailure, CommandRejected, EvPowerError, InvalidRequest
from evpower.identifiers import StationId
from evpower.stations.commands import StationCommands
from evpower.stations.rows import transfers as rows

log = logging.getLogger("OCPP")

Kind = Literal["diagnostics", "log", "firmware", "signed_firmware"]
#: The security extension's notifications of a transfer.
NOTIFIED_BY: dict[str, Kind] = {"LogStatusNotification": "log", "SignedFirmwareStatusNotification": "signed_firmware"}
#: The words after which nothing more will come.
FINAL: dict[Kind, frozenset[str]] = {
    "diagnostics": frozenset({"Uploaded", "UploadFailed"}),
    "log": frozenset(
        {"Uploaded", "UploadFailure", "BadMessage", "NotSupportedOperation", "PermissionDenied"},
    ),
    "firmware": frozenset({"Installed", "InstallationFailed", "DownloadFailed"}),
    "signed_firmware": frozenset(
        {
            "Installed",
            "InstallationFailed",
            "InstallVerificationFailed",
            "DownloadFailed",
            "InvalidSignature",
        }
    ),
}
FAILED = frozenset().union(*FINAL.values()) - {"Uploaded", "Installed"}


class Transfers:
    """Files that chargers send and fetch."""

    def __init__(self, pool: Pool, clock: Clock, commands: StationCommands) -> None:
        self._pool = pool
        self._clock = clock
        self._commands = commands

    async def get_diagnostics(
        self, station_id: StationId, location: str, since: datetime | None, until: datetime | None
    ) -> dict[str, Any]:
        """Have the charger upload its diagnostics to `location`; without a file name it has nothing to send."""
        payload = {"location": location, **_times(startTime=since, stopTime=until)}
        transfer_id, answer = await self._request(station_id, "diagnostics", "GetDiagnostics", payload, location)
        file_name = answer.get("fileName")
        await self._name(transfer_id, file_name)
        return {"transfer_id": transfer_id, "file_name": file_name}

    async def get_log(
        self, station_id: StationId, location: str, log_type: str, since: datetime | None, until: datetime | None
    ) -> dict[str, Any]:
        """Have the charger upload a log; its type is SecurityLog or DiagnosticsLog (security white paper, GetLog)."""
        where = {"remoteLocation": location, **_times(oldestTimestamp=since, latestTimestamp=until)}
        transfer_id, answer = await self._request(
            station_id, "log", "GetLog", {"logType": log_type, "log": where}, location
        )
        await self._name(transfer_id, answer.get("filename"))
        return {"transfer_id": transfer_id, "status": answer["status"], "file_name": answer.get("filename")}

    async def update_firmware(self, station_id: StationId, location: str, retrieve_at: datetime) -> dict[str, Any]:
        """Have the charger fetch and install firmware from `location`, not before `retrieve_at`."""
        payload = {"location": location, **_times(retrieveDate=retrieve_at)}
        transfer_id, _ = await self._request(station_id, "firmware", "UpdateFirmware", payload, location)
        return {"transfer_id": transfer_id}

    async def update_signed_firmware(self, station_id: StationId, firmware: Mapping[str, Any]) -> dict[str, Any]:
        """The same with a signature; `firmware` is OCPP's object of that name."""
        transfer_id, answer = await self._request(
            station_id, "signed_firmware", "SignedUpdateFirmware", {"firmware": firmware}, firmware.get("location")
        )
        return {"transfer_id": transfer_id, "status": answer["status"]}

    async def progress(self, station_id: StationId, kind: Kind, status: str, request_id: int | None) -> None:
        """A notification of the charger, of the request it names. `Idle` only says that nothing is going on."""
        if status == "Idle":
            return
        async with unit_of_work(self._pool) as uow:
            known = await rows.advance(
                uow.conn,
                station_id,
                kind,
                status,
                request_id=request_id,
                ended=status in FINAL[kind],
                at=self._clock.now(),
            )
        if not known:
            log.warning("%s of an unknown request: station=%s, request_id=%s", kind, station_id, request_id)
        elif status in FAILED:
            log.warning("%s failed: station=%s, status=%s", kind, station_id, status)

    async def _request(
        self, station_id: StationId, kind: Kind, action: str, payload: Mapping[str, Any], location: str | None
    ) -> tuple[int, dict[str, Any]]:
        """Store the transfer, then ask: the charger's first word may overtake the reading of its answer."""
        async with unit_of_work(self._pool) as uow:
            transfer_id = await rows.open_transfer(uow.conn, station_id, kind, location, self._clock.now())
        if kind in ("log", "signed_firmware"):
            payload = {**payload, "requestId": transfer_id}
        failure: EvPowerError | None = None
        answer: dict[str, Any] = {}
        try:
            answer = await self._commands.send(station_id, action, payload)
            if answer.get("status", "Accepted") not in ("Accepted", "AcceptedCanceled"):
                failure = CommandRejected(answer["status"], answer)
        except (CommandFailure, InvalidRequest) as error:
            failure = error
        if failure is not None:
            async with unit_of_work(self._pool) as uow:
                await rows.close_unsent(uow.conn, transfer_id, failure.code, self._clock.now())
            raise failure
        return transfer_id, answer

    async def _name(self, transfer_id: int, file_name: str | None) -> None:
        async with unit_of_work(self._pool) as uow:
            await rows.name_file(uow.conn, transfer_id, file_name, self._clock.now())


def _times(**moments: datetime | None) -> dict[str, str]:
    return {name: wire_time(at) for name, at in moments.items() if at is not None}


def wire_time(at: datetime) -> str:
    """A moment as OCPP writes it, in its own zone."""
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")
