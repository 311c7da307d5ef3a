"""Every operation on a station by its name, with its arguments as a type: one table behind the REST route and the CLI.

Adding an operation is one line in `OPERATIONS`, its arguments, and a method that does it.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from evpower.clock import Clock
from evpower.db.pool import Pool
from evpower.db.unit_of_work import reading
from evpower.errors import InvalidRequest, StationNotFound
from evpower.identifiers import StationId
from evpower.network.station_records import station_exists
from evpower.security.certificates import StationCertificates
from evpower.security.security_profiles import SecurityProfiles
from evpower.security.trusted_certificates import CertificateUse, TrustedCertificates
from evpower.stations.availability import Availability
from evpower.stations.charging_profiles import ChargingProfiles
from evpower.stations.commands import Answer, StationCommands
from evpower.stations.configuration import Configuration
from evpower.stations.connector_reservations import ConnectorReservations
from evpower.stations.local_lists import LocalLists
from evpower.stations.transfers import Transfers

Moment = Annotated[datetime, Meta(tz=True)]
OneConnector = Annotated[int, Meta(ge=1, le=2**31 - 1)]
#: 0 is the whole station.
ConnectorOrStation = Annotated[int, Meta(ge=0, le=2**31 - 1)]


class Arguments(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What an operation is given; a field that is not known is refused."""


class Reset(Arguments):
    kind: Literal["hard", "soft"] = "soft"


class Unlock(Arguments):
    connector_id: OneConnector


class ChangeAvailability(Arguments):
    operative: bool
    connector_id: ConnectorOrStation = 0


class Trigger(Arguments):
    message: str
    connector_id: OneConnector | None = None


class Nothing(Arguments):
    pass


class ReadConfiguration(Arguments):
    keys: list[str] = []


class WriteConfiguration(Arguments):
    values: Annotated[dict[str, str], Meta(min_length=1)]


class GetDiagnostics(Arguments):
    location: str
    since: Moment | None = None
    until: Moment | None = None


class GetLog(GetDiagnostics):
    log_type: Literal["SecurityLog", "DiagnosticsLog"] = "SecurityLog"


class UpdateFirmware(Arguments):
    location: str
    #: None: at once.
    retrieve_at: Moment | None = None


class UpdateSignedFirmware(Arguments):
    firmware: dict[str, Any]


class SyncLocalList(Arguments):
    full: bool = False


class Reserve(Arguments):
    connector_id: ConnectorOrStation
    id_tag: Annotated[str, Meta(min_length=1, max_length=20)]
    expires_at: Moment
    parent_id_tag: Annotated[str, Meta(min_length=1, max_length=20)] | None = None


class CancelReservation(Arguments):
    reservation_id: int


class SetChargingProfile(Arguments):
    connector_id: ConnectorOrStation
    profile: dict[str, Any]


class ClearChargingProfile(Arguments):
    profile_id: int | None = None
    connector_id: ConnectorOrStation | None = None
    purpose: Literal["ChargePointMaxProfile", "TxDefaultProfile", "TxProfile"] | None = None
    stack_level: Annotated[int, Meta(ge=0)] | None = None


class CompositeSchedule(Arguments):
    connector_id: ConnectorOrStation
    duration_s: Annotated[int, Meta(ge=1, le=31_536_000)]
    unit: Literal["A", "W"] | None = None


class InstallCertificate(Arguments):
    certificate: str
    certificate_type: CertificateUse = "CentralSystemRootCertificate"


class InstalledCertificates(Arguments):
    #: None: of both types.
    certificate_type: CertificateUse | None = None


class DeleteCertificate(Arguments):
    certificate: str | None = None
    serial_number: Annotated[str, Meta(min_length=1, max_length=60)] | None = None


class SetSecurityProfile(Arguments):
    profile: Annotated[int, Meta(ge=1, le=3)]


@dataclass(frozen=True)
class StationOperations:
    """Everything an operator can have a charger do."""

    pool: Pool
    clock: Clock
    commands: StationCommands
    availability: Availability
    configuration: Configuration
    transfers: Transfers
    local_lists: LocalLists
    reservations: ConnectorReservations
    profiles: ChargingProfiles
    certificates: StationCertificates
    trusted: TrustedCertificates
    security: SecurityProfiles

    async def perform(self, station_id: StationId, name: str, arguments: Mapping[str, Any]) -> Answer:
        """Raises InvalidRequest, StationNotFound, or one of `CommandFailure`."""
        operation = OPERATIONS.get(name)
        if operation is None:
            raise InvalidRequest(("operation", f"нет такой операции; известны: {', '.join(OPERATIONS)}"))
        read = _read(operation.arguments, arguments)
        async with reading(self.pool) as conn:
            if not await station_exists(conn, station_id):
                raise StationNotFound
        return await operation.perform(self, station_id, read)


@dataclass(frozen=True)
class Operation:
    """Its arguments, and who does it."""

    arguments: type[Arguments]
    perform: Callable[[StationOperations, StationId, Any], Awaitable[Answer]]


OPERATIONS: dict[str, Operation] = {
    "reset": Operation(Reset, lambda all_, at, given: all_.commands.reset(at, given.kind)),
    "unlock": Operation(Unlock, lambda all_, at, given: all_.commands.unlock(at, given.connector_id)),
    "change-availability": Operation(
        ChangeAvailability,
        lambda all_, at, given: all_.availability.change(at, given.connector_id, operative=given.operative),
    ),
    "trigger": Operation(Trigger, lambda all_, at, given: all_.commands.trigger(at, given.message, given.connector_id)),
    "clear-cache": Operation(Nothing, lambda all_, at, _: all_.commands.clear_cache(at)),
    "read-configuration": Operation(ReadConfiguration, lambda all_, at, given: all_.configuration.read(at, given.keys)),
    "write-configuration": Operation(
        WriteConfiguration, lambda all_, at, given: all_.configuration.write(at, given.values)
    ),
    "get-diagnostics": Operation(
        GetDiagnostics,
        lambda all_, at, given: all_.transfers.get_diagnostics(at, given.location, given.since, given.until),
    ),
    "get-log": Operation(
        GetLog,
        lambda all_, at, given: all_.transfers.get_log(at, given.location, given.log_type, given.since, given.until),
    ),
    "update-firmware": Operation(
        UpdateFirmware,
        lambda all_, at, given: all_.transfers.update_firmware(
            at, given.location, given.retrieve_at or all_.clock.now()
        ),
    ),
    "update-signed-firmware": Operation(
        UpdateSignedFirmware, lambda all_, at, given: all_.transfers.update_signed_firmware(at, given.firmware)
    ),
    "sync-local-list": Operation(SyncLocalList, lambda all_, at, given: all_.local_lists.sync(at, full=given.full)),
    "reserve": Operation(
        Reserve,
        lambda all_, at, given: all_.reservations.reserve(
            at, given.connector_id, given.id_tag, given.expires_at, given.parent_id_tag
        ),
    ),
    "cancel-reservation": Operation(
        CancelReservation, lambda all_, at, given: all_.reservations.cancel(at, given.reservation_id)
    ),
    "set-charging-profile": Operation(
        SetChargingProfile, lambda all_, at, given: all_.profiles.set(at, given.connector_id, given.profile)
    ),
    "clear-charging-profile": Operation(
        ClearChargingProfile,
        lambda all_, at, given: all_.profiles.clear(
            at,
            profile_id=given.profile_id,
            connector_id=given.connector_id,
            purpose=given.purpose,
            stack_level=given.stack_level,
        ),
    ),
    "composite-schedule": Operation(
        CompositeSchedule,
        lambda all_, at, given: all_.profiles.composite(at, given.connector_id, given.duration_s, given.unit),
    ),
    "renew-certificate": Operation(Nothing, lambda all_, at, _: all_.certificates.renew(at)),
    "install-certificate": Operation(
        InstallCertificate, lambda all_, at, given: all_.trusted.install(at, given.certificate_type, given.certificate)
    ),
    "installed-certificates": Operation(
        InstalledCertificates, lambda all_, at, given: all_.trusted.installed(at, given.certificate_type)
    ),
    "delete-certificate": Operation(
        DeleteCertificate, lambda all_, at, given: all_.trusted.delete(at, given.certificate, given.serial_number)
    ),
    "set-security-profile": Operation(
        SetSecurityProfile, lambda all_, at, given: all_.security.raise_to(at, given.profile)
    ),
}

_WHERE = re.compile(r"(?P<what>.*?)(?: - at `\$\.?(?P<where>.*)`)?$", re.DOTALL)


def _read(kind: type[Arguments], given: Mapping[str, Any]) -> Arguments:
    try:
        return msgspec.convert(given, kind)
    except msgspec.ValidationError as error:
        found = _WHERE.match(str(error))
        assert found is not None
        raise InvalidRequest((found["where"] or "body", found["what"])) from None
