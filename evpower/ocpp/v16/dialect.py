"""OCPP 1.6 as the door and the registry know it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ocpp.v16.enums import Action as StandardAction

from evpower.attempts.service import OrderedStart
from evpower.charging.transaction import ParkedStop
from evpower.errors import InvalidRequest
from evpower.history.evidence import SignedValue
from evpower.identifiers import ConnectorId, IdTag, WireTransactionId
from evpower.link.commands import A, ChargingProfile, Command, LimitDraw
from evpower.link.errors import ChargerNotReady
from evpower.link.ports import CommandResult
from evpower.ocpp import dispatch
from evpower.ocpp.commands import ask
from evpower.ocpp.connected_station import ConnectedStation
from evpower.ocpp.connection import StationConnection
from evpower.ocpp.dialect import Request, Send
from evpower.ocpp.reading import Flaw
from evpower.ocpp.v16 import after_boot, parked
from evpower.ocpp.v16.actions import ACTIONS
from evpower.ocpp.v16.commands import operations, profiles, requests
from evpower.ocpp.v16.commands.schemas import SCHEMAS
from evpower.ocpp.watch.masking import SecretMessage, SecretSetting
from evpower.ocpp.wire import frames
from evpower.stations.configuration import refuse_password

#: Not sent while a boot is Pending (OCPP 1.6 §4.2).
NOT_WHILE_PENDING = frozenset({"RemoteStartTransaction", "RemoteStopTransaction"})


class Ocpp16:
    """Implements `evpower.ocpp.dialect.Dialect`."""

    version = "1.6"
    subprotocols = frozenset({"ocpp1.6", "ocpp1.6j", "ocpp1.6-json"})
    #: The core and the security extension.
    known_actions = frozenset(str(action.value) for action in StandardAction)
    #: OCPP-J 1.6 §4.2.3; "Occurence" is the standard's own spelling.
    error_codes: Mapping[Flaw, str] = {
        Flaw.FORMAT: "FormationViolation",
        Flaw.MISSING: "OccurenceConstraintViolation",
        Flaw.TYPE: "TypeConstraintViolation",
        Flaw.VALUE: "PropertyConstraintViolation",
    }
    #: OCPP-J 1.6 §4.1.3.
    unknown_type_code = None
    malformed_code = error_codes[Flaw.FORMAT]
    unreadable_id = None
    schemas = SCHEMAS
    #: In ChangeConfiguration, and in the answer of a station that gives it away to GetConfiguration.
    secrets = (SecretSetting("AuthorizationKey", named_by=("key",), value_in="value"),)

    secret_messages: Sequence[SecretMessage] = ()

    async def answer(self, station: ConnectedStation, call: frames.Call) -> bytes:
        return await dispatch.answer(station, call, ACTIONS)

    async def set_up_metering(self, station: ConnectedStation) -> bool:
        return await after_boot.set_up_metering(station)

    async def ask_statuses(self, station: ConnectedStation) -> None:
        await after_boot.ask_statuses(station)

    async def show_costs(self, station: ConnectedStation) -> None:
        """There is no message for it."""

    async def ask_to_boot(self, connection: StationConnection) -> None:
        """TriggerMessage (§5.17); never of one that was accepted (E3.40)."""
        await ask(connection, requests.trigger("BootNotification", None))

    async def remote_start(
        self,
        connection: StationConnection,
        connector_id: ConnectorId,
        id_tag: IdTag,
        remote_start_id: int | None,
        limit: LimitDraw | None,
    ) -> CommandResult:
        """RemoteStartTransaction (§5.11), which has no number."""
        return await ask(connection, requests.remote_start(connector_id, id_tag, limit))

    async def remote_stop(self, connection: StationConnection, transaction_id: WireTransactionId) -> CommandResult:
        """RemoteStopTransaction (§5.12)."""
        return await ask(connection, requests.remote_stop(transaction_id))

    async def perform(self, send: Send, command: Command[A]) -> A:
        return await operations.perform(send, command)

    def may_be_asked(self, connection: StationConnection, request: Request) -> None:
        """A station that is Pending takes commands, but no starts and stops (duty 17)."""
        if connection.registration == "Pending":
            if request.action in NOT_WHILE_PENDING:
                raise ChargerNotReady(boot=connection.registration)
        elif request.payload.get("requestedMessage") == "BootNotification":
            # Duty 18, OCPP 1.6 errata 3.40: once accepted, a station is never asked to boot again.
            raise InvalidRequest(("requestedMessage", "станция уже принята, BootNotification не запрашивается"))

    def refuse_secrets(self, request: Request) -> None:
        """A password set behind our back would lock the station out (`security/station_access.py`)."""
        if request.action == "ChangeConfiguration":
            refuse_password(request.payload.get("key"))

    def read_stop(self, action: str, payload: str) -> ParkedStop | None:
        return parked.read_stop(action, payload)

    def read_signed(self, payload: str) -> Iterable[SignedValue]:
        return parked.signed_values(payload)

    def read_start(self, request: Request) -> OrderedStart | None:
        if request.action != "RemoteStartTransaction":
            return None
        connector_id, id_tag = request.payload.get("connectorId"), request.payload.get("idTag")
        return OrderedStart(
            ConnectorId(connector_id) if isinstance(connector_id, int) else None,
            IdTag(id_tag) if isinstance(id_tag, str) else None,
        )

    def read_profile(self, connector_id: ConnectorId, written: Mapping[str, Any]) -> ChargingProfile:
        return profiles.read_profile(connector_id, written)


OCPP_16 = Ocpp16()
