"""What an operator can have a station do: each operation's arguments as a type that performs itself.

Adding an operation is its arguments here and one line in `OPERATIONS` (`operations.py`). What a station answered is
shown as it sent it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from evpower.clock import Clock
from evpower.db.pool import Pool
from evpower.digits import INT32_MAX
from evpower.identifiers import ConnectorId, StationId
from evpower.link.commands import CertificateUse, ForgetCards, Reply, Restart, Trigger, Unlock
from evpower.reports.device_events import DeviceEvents
from evpower.security.certificates import StationCertificates
from evpower.security.security_profiles import SecurityProfiles
from evpower.security.trusted_certificates import TrustedCertificates
from evpower.stations.availability import Availability
from evpower.stations.charging_profiles import ChargingProfiles
from evpower.stations.commands import StationCommands
from evpower.stations.configuration import Configuration
from evpower.stations.connector_reservations import ConnectorReservations
from evpower.stations.device_model import DeviceModel
from evpower.stations.local_lists import LocalLists
from evpower.stations.transfers import LogType, Transfers

#: What the door shows of a station's answer.
Shown = dict[str, Any]
Moment = Annotated[datetime, Meta(tz=True)]
OneConnector = Annotated[int, Meta(ge=1, le=INT32_MAX)]
#: 0 is the whole station.
ConnectorOrStation = Annotated[int, Meta(ge=0, le=INT32_MAX)]


@dataclass(frozen=True)
class Rooms:
    """The services that operations ask."""

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
    device_model: DeviceModel
    device_events: DeviceEvents


class Arguments(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What an operation is given; a field that is not known is refused."""

    async def perform(self, rooms: Rooms, at: StationId) -> Shown:
        """Do it at a station. Raises InvalidRequest, StationNotFound, or one of `CommandFailure`."""
        raise NotImplementedError


def shown(reply: Reply) -> Shown:
    """What a station answered, as it sent it."""
    return dict(reply.as_sent)


class RestartArguments(Arguments):
    kind: Literal["hard", "soft"] = "soft"
    #: OCPP 2.0.1: of this one alone.
    connector_id: OneConnector | None = None

    async def perform(self, rooms: Rooms, at: StationId) -> Shown:
        return shown(await rooms.commands.demand(at, Restart(self.kind, connector_or_none(self.connector_id))))


class UnlockArguments(Arguments):
    connector_id: OneConnector

    async def perform(self, rooms: Rooms, at: StationId) -> Shown:
        return shown(await rooms.commands.demand(at, Unlock(ConnectorId(self.connector_id))))


class AvailabilityArguments(Arguments):
    operative: bool
    connector_id: ConnectorOrStation = 0

    async def perform(self, rooms: Rooms, at: StationId) -> Shown:
        change = await rooms.availability.change(at, ConnectorId(self.connector_id), operative=self.operative)
        return {**change.reply.as_sent, "state": change.state}


class TriggerArguments(Arguments):
    message: str
    connector_id: OneConnector | None = None

    async def perform(self, rooms: Rooms, at: StationId) -> Shown:
        return shown(await rooms.commands.demand(at, Trigger(self.message, connector_or_none(self.connector_id))))


class ForgetCardsArguments(Arguments):
    async def perform(self, rooms: Rooms, at: StationId) -> Shown:
        return shown(await rooms.commands.demand(at, ForgetCards()))


class ReadConfiguration(Arguments):
    keys: list[str] = []

    async def perform(self, rooms: Rooms, at: StationId) -> Shown:
        known = await rooms.configuration.read(at, self.keys)
        return {"configuration": [each.as_sent for each in known.settings], "unknown": list(known.unknown)}


class WriteConfiguration(Arguments):
    values: Annotated[dict[str, str], Meta(min_length=1)]

    async def perform(self, rooms: Rooms, at: StationId) -> Shown:
        return {"statuses": await rooms.configuration.write(at, self.values)}


class DiagnosticsArguments(Arguments):
    location: str
    since: Moment | None = None
    until: Moment | None = None

    async def perform(self, rooms: Rooms, at: StationId) -> Shown:
        upload = await rooms.transfers.upload_diagnostics(at, self.location, self.since, self.until)
        return {"transfer_id": upload.transfer_id, "file_name": upload.file_name}


class LogArguments(DiagnosticsArguments):
    log_type: LogType = "SecurityLog"

    async def perform(self, rooms: Rooms, at: StationId) -> Shown:
        upload = await rooms.transfers.upload_log(at, self.location, self.log_type, self.since, self.until)
        return {"transfer_id": upload.transfer_id, "status": upload.reply.status, "file_name": upload.file_name}


class FirmwareArguments(Arguments):
    location: str
    #: None: at once.
    retrieve_at: Moment | None = None

    async def perform(self, rooms: Rooms, at: StationId) -> Shown:
        fetching = await rooms.transfers.update_firmware(at, self.location, self.retrieve_at)
        return {"transfer_id": fetching.transfer_id}


class SignedFirmwareArguments(Arguments):
    firmware: dict[str, Any]

    async def perform(self, rooms: Rooms, at: StationId) -> Shown:
        fetching = await rooms.transfers.update_signed_firmware(at, self.firmware)
        return {"transfer_id": fetching.transfer_id, "status": fetching.reply.status}


class SyncLocalList(Arguments):
    full: bool = False

    async def perform(self, rooms: Rooms, at: StationId) -> Shown:
        synced = await rooms.local_lists.sync(at, full=self.full)
        return {"version": synced.version, "update": synced.update, "entries": synced.entries}


class ReserveArguments(Arguments):
    connector_id: ConnectorOrStation
    id_tag: Annotated[str, Meta(min_length=1, max_length=20)]
    expires_at: Moment
    parent_id_tag: Annotated[str, Meta(min_length=1, max_length=20)] | None = None

    async def perform(self, rooms: Rooms, at: StationId) -> Shown:
        reserved = await rooms.reservations.reserve(
            at, ConnectorId(self.connector_id), self.id_tag, self.expires_at, self.parent_id_tag
        )
        ids = {"reservation_id": reserved.reservation_id, "expires_at": reserved.expires_at}
        return {**ids, **reserved.reply.as_sent}


class CancelArguments(Arguments):
    reservation_id: int

    async def perform(self, rooms: Rooms, at: StationId) -> Shown:
        return shown(await rooms.reservations.cancel(at, self.reservation_id))


class SetProfileArguments(Arguments):
    connector_id: ConnectorOrStation
    profile: dict[str, Any]

    async def perform(self, rooms: Rooms, at: StationId) -> Shown:
        return shown(await rooms.profiles.set(at, ConnectorId(self.connector_id), self.profile))


class ClearProfilesArguments(Arguments):
    profile_id: int | None = None
    connector_id: ConnectorOrStation | None = None
    purpose: Literal["ChargePointMaxProfile", "TxDefaultProfile", "TxProfile"] | None = None
    stack_level: Annotated[int, Meta(ge=0)] | None = None

    async def perform(self, rooms: Rooms, at: StationId) -> Shown:
        reply = await rooms.profiles.clear(
            at,
            profile_id=self.profile_id,
            connector_id=connector_or_none(self.connector_id),
            purpose=self.purpose,
            stack_level=self.stack_level,
        )
        return shown(reply)


class CompositeSchedule(Arguments):
    connector_id: ConnectorOrStation
    duration_s: Annotated[int, Meta(ge=1, le=31_536_000)]
    unit: Literal["A", "W"] | None = None

    async def perform(self, rooms: Rooms, at: StationId) -> Shown:
        return shown(await rooms.profiles.composite(at, ConnectorId(self.connector_id), self.duration_s, self.unit))


class RenewArguments(Arguments):
    async def perform(self, rooms: Rooms, at: StationId) -> Shown:
        return shown(await rooms.certificates.renew(at))


class TrustArguments(Arguments):
    certificate: str
    certificate_type: CertificateUse = "CentralSystemRootCertificate"

    async def perform(self, rooms: Rooms, at: StationId) -> Shown:
        return shown(await rooms.trusted.install(at, self.certificate_type, self.certificate))


class TrustedArguments(Arguments):
    #: None: of both types.
    certificate_type: CertificateUse | None = None

    async def perform(self, rooms: Rooms, at: StationId) -> Shown:
        trusted = await rooms.trusted.installed(at, self.certificate_type)
        return {"certificates": list(trusted.as_sent)}


class DistrustArguments(Arguments):
    certificate: str | None = None
    serial_number: Annotated[str, Meta(min_length=1, max_length=60)] | None = None

    async def perform(self, rooms: Rooms, at: StationId) -> Shown:
        return shown(await rooms.trusted.delete(at, self.certificate, self.serial_number))


class SecurityProfileArguments(Arguments):
    profile: Annotated[int, Meta(ge=1, le=3)]

    async def perform(self, rooms: Rooms, at: StationId) -> Shown:
        return {"statuses": await rooms.security.raise_to(at, self.profile)}


def connector_or_none(number: int | None) -> ConnectorId | None:
    """A connector, when one is named."""
    return None if number is None else ConnectorId(number)
