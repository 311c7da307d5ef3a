"""Every operation on a station by its name: one table behind the REST route and the CLI."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from evpower.db.unit_of_work import reading
from evpower.errors import InvalidRequest, StationNotFound
from evpower.http.operators.arguments import operations as given
from evpower.http.operators.arguments.device import DEVICE_OPERATIONS
from evpower.http.operators.arguments.operations import Arguments, Rooms, Shown
from evpower.identifiers import StationId
from evpower.network.station_records import station_exists

OPERATIONS: dict[str, type[Arguments]] = {
    "reset": given.RestartArguments,
    "unlock": given.UnlockArguments,
    "change-availability": given.AvailabilityArguments,
    "trigger": given.TriggerArguments,
    "clear-cache": given.ForgetCardsArguments,
    "read-configuration": given.ReadConfiguration,
    "write-configuration": given.WriteConfiguration,
    "get-diagnostics": given.DiagnosticsArguments,
    "get-log": given.LogArguments,
    "update-firmware": given.FirmwareArguments,
    "update-signed-firmware": given.SignedFirmwareArguments,
    "sync-local-list": given.SyncLocalList,
    "reserve": given.ReserveArguments,
    "cancel-reservation": given.CancelArguments,
    "set-charging-profile": given.SetProfileArguments,
    "clear-charging-profile": given.ClearProfilesArguments,
    "composite-schedule": given.CompositeSchedule,
    "renew-certificate": given.RenewArguments,
    "install-certificate": given.TrustArguments,
    "installed-certificates": given.TrustedArguments,
    "delete-certificate": given.DistrustArguments,
    "set-security-profile": given.SecurityProfileArguments,
    **DEVICE_OPERATIONS,
}

_WHERE = re.compile(r"(?P<what>.*?)(?: - at `\$\.?(?P<where>.*)`)?$", re.DOTALL)


@dataclass(frozen=True)
class StationOperations(Rooms):
    """Everything an operator can have a station do."""

    async def perform(self, station_id: StationId, name: str, arguments: Mapping[str, Any]) -> Shown:
        """Raises InvalidRequest, StationNotFound, or one of `CommandFailure`."""
        kind = OPERATIONS.get(name)
        if kind is None:
            raise InvalidRequest(("operation", f"нет такой операции; известны: {', '.join(OPERATIONS)}"))
        read = _read(kind, arguments)
        async with reading(self.pool) as conn:
            if not await station_exists(conn, station_id):
                raise StationNotFound
        return await read.perform(self, station_id)


def _read(kind: type[Arguments], given: Mapping[str, Any]) -> Arguments:
    try:
        return msgspec.convert(given, kind)
    except msgspec.ValidationError as error:
        found = _WHERE.match(str(error))
        assert found is not None
        raise InvalidRequest((found["where"] or "body", found["what"])) from None
