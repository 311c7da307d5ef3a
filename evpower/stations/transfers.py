"""Uploads of diagnostics and logs, downloads of firmware, followed to their end by the station's notifications.

A station names no request in OCPP 1.6 core: its status belongs to the last unfinished transfer of that kind, and a new
request takes the place of one that never ended (OCPP 1.6 §5.9, §5.19). In the security extension it names its request,
and only that one moves (security white paper).
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from evpower.clock import Clock
from evpower.db.pool import Pool
from evpower.db.unit_of_work import unit_of_work
from evpower.errors import InvalidRequest
from evpower.identifiers import StationId
from evpower.link.commands import FetchFirmware, FetchSignedFirmware, Reply, UploadDiagnostics, UploadLog
from evpower.link.device_commands import PublishFirmware
from evpower.link.errors import CommandFailure
from evpower.stations.commands import StationCommands, refuse_refusal
from evpower.stations.rows import transfers as rows

log = logging.getLogger("OCPP")

Kind = Literal["diagnostics", "log", "firmware", "signed_firmware", "published_firmware"]
LogType = Literal["SecurityLog", "DiagnosticsLog"]
#: The statuses after which nothing more will come.
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
    "published_firmware": frozenset({"Published", "DownloadFailed", "InvalidChecksum", "PublishFailed"}),
}
FAILED = frozenset().union(*FINAL.values()) - {"Uploaded", "Installed", "Published"}


@dataclass(frozen=True)
class Uploading:
    """An upload the station agreed to; without a file name it has nothing to send."""

    transfer_id: int
    reply: Reply
    file_name: str | None


@dataclass(frozen=True)
class Fetching:
    """A firmware update the station agreed to."""

    transfer_id: int
    reply: Reply


class Transfers:
    """Files that stations send and fetch."""

    def __init__(self, pool: Pool, clock: Clock, commands: StationCommands) -> None:
        self._pool = pool
        self._clock = clock
        self._commands = commands

    async def upload_diagnostics(
        self, station_id: StationId, location: str, since: datetime | None, until: datetime | None
    ) -> Uploading:
        """Have the station upload its diagnostics to `location`; without a file name it has nothing to send."""
        transfer_id = await self._open(station_id, "diagnostics", location)
        return await self._upload(station_id, transfer_id, UploadDiagnostics(location, since, until))

    async def upload_log(
        self, station_id: StationId, location: str, log_type: LogType, since: datetime | None, until: datetime | None
    ) -> Uploading:
        """Have the station upload one of its logs (security white paper, GetLog)."""
        transfer_id = await self._open(station_id, "log", location)
        return await self._upload(station_id, transfer_id, UploadLog(transfer_id, location, log_type, since, until))

    async def update_firmware(self, station_id: StationId, location: str, retrieve_at: datetime | None) -> Fetching:
        """Have the station fetch and install firmware from `location`, not before `retrieve_at` (None: at once)."""
        transfer_id = await self._open(station_id, "firmware", location)
        command = FetchFirmware(location, retrieve_at or self._clock.now())
        return Fetching(transfer_id, await self._fetch(station_id, transfer_id, command))

    async def update_signed_firmware(self, station_id: StationId, firmware: Mapping[str, Any]) -> Fetching:
        """The same with a signature; `firmware` is OCPP's object of that name."""
        transfer_id = await self._open(station_id, "signed_firmware", firmware.get("location"))
        command = FetchSignedFirmware(transfer_id, firmware)
        return Fetching(transfer_id, await self._fetch(station_id, transfer_id, command))

    async def publish_firmware(self, station_id: StationId, location: str, checksum: str) -> Fetching:
        """Have a local controller fetch firmware and hand it out to the stations behind it (OCPP 2.0.1)."""
        transfer_id = await self._open(station_id, "published_firmware", location)
        return Fetching(
            transfer_id, await self._fetch(station_id, transfer_id, PublishFirmware(transfer_id, location, checksum))
        )

    async def progress(self, station_id: StationId, kind: Kind, status: str, request_id: int | None) -> None:
        """A notification of the station, of the request it names. `Idle` only says that nothing is going on."""
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

    async def _open(self, station_id: StationId, kind: Kind, location: str | None) -> int:
        """Stored before the station is asked: its first status may overtake the reading of its answer."""
        async with unit_of_work(self._pool) as uow:
            return await rows.open_transfer(uow.conn, station_id, kind, location, self._clock.now())

    async def _upload(
        self, station_id: StationId, transfer_id: int, command: UploadDiagnostics | UploadLog
    ) -> Uploading:
        async with self._closing_unsent(transfer_id):
            upload = await self._commands.ask(station_id, command)
            refuse_refusal(upload.reply)
        async with unit_of_work(self._pool) as uow:
            await rows.name_file(uow.conn, transfer_id, upload.file_name, self._clock.now())
        return Uploading(transfer_id, upload.reply, upload.file_name)

    async def _fetch(
        self, station_id: StationId, transfer_id: int, command: FetchFirmware | FetchSignedFirmware | PublishFirmware
    ) -> Reply:
        async with self._closing_unsent(transfer_id):
            return await self._commands.demand(station_id, command)

    @asynccontextmanager
    async def _closing_unsent(self, transfer_id: int) -> AsyncIterator[None]:
        """When the station does not take the request, its transfer ends with the reason."""
        failure: CommandFailure | InvalidRequest | None = None
        try:
            yield
        except (CommandFailure, InvalidRequest) as error:
            failure = error
        if failure is not None:
            async with unit_of_work(self._pool) as uow:
                await rows.close_unsent(uow.conn, transfer_id, failure.code, self._clock.now())
            raise failure
