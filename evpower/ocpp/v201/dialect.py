"""OCPP 2.0.1 as the door and the registry know it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ocpp.v201.enums import Action as StandardAction

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
from evpower.ocpp.v201 import after_boot, parked
from evpower.ocpp.v201.actions import ACTIONS
from evpower.ocpp.v201.commands import operations, profiles, requests
from evpower.ocpp.v201.commands.schemas import SCHEMAS
from evpower.ocpp.watch.masking import SecretMessage, SecretSetting
from evpower.ocpp.wire import frames
from evpower.stations.configuration import refuse_password

#: All that may be asked while a boot is Pending (B02).
WHILE_PENDING = frozenset({"GetBaseReport", "GetReport", "GetVariables", "SetVariables", "TriggerMessage"})


class Ocpp201:
    """Implements `evpower.ocpp.dialect.Dialect`."""

    version = "2.0.1"
    subprotocols = frozenset({"ocpp2.0.1"})
    known_actions = frozenset(str(action.value) for action in StandardAction)
    #: OCPP-J 2.0.1 §4.3.
    error_codes: Mapping[Flaw, str] = {
        Flaw.FORMAT: "FormatViolation",
        Flaw.MISSING: "OccurrenceConstraintViolation",
        Flaw.TYPE: "TypeConstraintViolation",
        Flaw.VALUE: "PropertyConstraintViolation",
    }
    unknown_type_code = "MessageTypeNotSupported"
    malformed_code = "RpcFrameworkError"
    unreadable_id = "-1"
    schemas = SCHEMAS
    #: In SetVariables, and in the answer of a station that gives it away to GetVariables.
    secrets = (SecretSetting("BasicAuthPassword", named_by=("variable", "name"), value_in="attributeValue"),)

    #: What a station keeps of a customer, and passwords of a network.
    secret_messages = (
        SecretMessage("CustomerInformation", frozenset({"customerIdentifier"})),
        SecretMessage("NotifyCustomerInformation", frozenset({"data"})),
        SecretMessage("SetNetworkProfile", frozenset({"apnPassword", "simPin", "password", "key"})),
    )

    async def answer(self, station: ConnectedStation, call: frames.Call) -> bytes:
        return await dispatch.answer(station, call, ACTIONS)

    async def set_up_metering(self, station: ConnectedStation) -> bool:
        return await after_boot.set_up_metering(station)

    async def ask_statuses(self, station: ConnectedStation) -> None:
        await after_boot.ask_statuses(station)

    async def show_costs(self, station: ConnectedStation) -> None:
        await after_boot.show_costs(station)

    async def ask_to_boot(self, connection: StationConnection) -> None:
        """TriggerMessage (F06); never of one that was accepted (B02, E3.40)."""
        await ask(connection, requests.trigger("BootNotification", None))

    async def remote_start(
        self,
        connection: StationConnection,
        connector_id: ConnectorId,
        id_tag: IdTag,
        remote_start_id: int | None,
        limit: LimitDraw | None,
    ) -> CommandResult:
        """RequestStartTransaction (F02)."""
        evse_id = connection.evses.place(connector_id).evse_id
        return await ask(connection, requests.request_start(evse_id, id_tag, remote_start_id or 0, limit))

    async def remote_stop(self, connection: StationConnection, transaction_id: WireTransactionId) -> CommandResult:
        """RequestStopTransaction (F03)."""
        return await ask(connection, requests.request_stop(transaction_id))

    async def perform(self, send: Send, command: Command[A]) -> A:
        return await operations.perform(send, command)

    def may_be_asked(self, connection: StationConnection, request: Request) -> None:
        """A station that is Pending may be configured (B02)."""
        if connection.registration == "Pending":
            if request.action not in WHILE_PENDING:
                raise ChargerNotReady(boot=connection.registration)
        elif request.payload.get("requestedMessage") == "BootNotification":
            raise InvalidRequest(("requestedMessage", "станция уже принята, BootNotification не запрашивается"))

    def refuse_secrets(self, request: Request) -> None:
        """A password set behind our back would lock the station out (`security/station_access.py`)."""
        written = request.payload.get("setVariableData")
        if request.action != "SetVariables" or not isinstance(written, list):
            return
        for each in written:
            variable = each.get("variable") if isinstance(each, dict) else None
            if isinstance(variable, dict):
                refuse_password(variable.get("name"))

    def read_stop(self, action: str, payload: str) -> ParkedStop | None:
        return parked.read_stop(action, payload)

    def read_signed(self, payload: str) -> Iterable[SignedValue]:
        return parked.signed_values(payload)

    def read_start(self, request: Request) -> OrderedStart | None:
        if request.action != "RequestStartTransaction":
            return None
        evse_id, token = request.payload.get("evseId"), request.payload.get("idToken")
        id_tag = token.get("idToken") if isinstance(token, dict) else None
        return OrderedStart(
            None,
            IdTag(id_tag) if isinstance(id_tag, str) else None,
            evse_id if isinstance(evse_id, int) else None,
        )

    def read_profile(self, connector_id: ConnectorId, written: Mapping[str, Any]) -> ChargingProfile:
        return profiles.read_profile(connector_id, written)


OCPP_201 = Ocpp201()
