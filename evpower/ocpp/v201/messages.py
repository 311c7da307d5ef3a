"""OCPP 2.0.1 messages about charges, as types (OCPP 2.0.1 part 2, §1), field for field the `ocpp` package's schemas.

Requests come from stations and are read by `ocpp/reading.py`, which accepts more than these types allow. Confirmations
are ours, and strict.
"""

from __future__ import annotations

from typing import Any, Literal

from msgspec import field

from evpower.ocpp.dispatch import Confirmation
from evpower.ocpp.reading import MeteredRequest, Request, Undeniable
from evpower.ocpp.v201.vocabulary import (
    BootReason,
    ChargingState,
    ConnectorStatus,
    CustomData,
    EvseNumber,
    HashAlgorithm,
    IdTokenKind,
    Measurand,
    MeterLocation,
    PhaseName,
    ReadingContext,
    RequestNumber,
    SequenceNumber,
    Some,
    StopReason,
    Text20,
    Text25,
    Text36,
    Text40,
    Text50,
    Text128,
    Text255,
    Text512,
    Text2500,
    Text5500,
    TransactionEventStage,
    TriggerReason,
    When,
)


class Modem(Request):
    iccid: Text20 | None = None
    imsi: Text20 | None = None
    custom_data: CustomData | None = None


class ChargingStation(Request):
    model: Text20
    vendor_name: Text50
    serial_number: Text25 | None = None
    modem: Modem | None = None
    firmware_version: Text50 | None = None
    custom_data: CustomData | None = None


class BootNotification(Request):
    charging_station: ChargingStation
    reason: BootReason
    custom_data: CustomData | None = None


class Heartbeat(Request):
    custom_data: CustomData | None = None


class StatusNotification(MeteredRequest):
    timestamp: When
    connector_status: ConnectorStatus
    evse_id: EvseNumber
    connector_id: EvseNumber
    custom_data: CustomData | None = None


class AdditionalInfo(MeteredRequest):
    additional_id_token: Text36
    type: Text50
    custom_data: CustomData | None = None


class IdToken(MeteredRequest):
    id_token: Text36
    type: IdTokenKind
    additional_info: Some[AdditionalInfo] | None = None
    custom_data: CustomData | None = None


class OCSPRequestData(MeteredRequest):
    hash_algorithm: HashAlgorithm
    issuer_name_hash: Text128
    issuer_key_hash: Text128
    serial_number: Text40
    responder_url: Text512 = field(name="responderURL")
    custom_data: CustomData | None = None


class Authorize(Request):
    id_token: IdToken
    certificate: Text5500 | None = None
    iso15118_certificate_hash_data: Some[OCSPRequestData] | None = None
    custom_data: CustomData | None = None


class SignedMeterValue(MeteredRequest):
    signed_meter_data: Text2500
    signing_method: Text50
    encoding_method: Text50
    public_key: Text2500
    custom_data: CustomData | None = None


class UnitOfMeasure(MeteredRequest):
    unit: Text20 | None = None
    multiplier: RequestNumber | None = None
    custom_data: CustomData | None = None


class SampledValue(MeteredRequest):
    value: float
    context: ReadingContext | None = None
    measurand: Measurand | None = None
    phase: PhaseName | None = None
    location: MeterLocation | None = None
    signed_meter_value: SignedMeterValue | None = None
    unit_of_measure: UnitOfMeasure | None = None
    custom_data: CustomData | None = None


class MeterValue(MeteredRequest):
    sampled_value: Some[SampledValue]
    timestamp: When | None
    custom_data: CustomData | None = None


class MeterValues(Undeniable):
    evse_id: EvseNumber | None
    meter_value: Some[MeterValue] | None
    custom_data: CustomData | None = None


class TransactionInfo(MeteredRequest):
    transaction_id: Text36
    charging_state: ChargingState | None = None
    time_spent_charging: RequestNumber | None = None
    stopped_reason: StopReason | None = None
    remote_start_id: RequestNumber | None = None
    custom_data: CustomData | None = None


class EVSE(MeteredRequest):
    id: EvseNumber
    connector_id: EvseNumber | None = None
    custom_data: CustomData | None = None


class TransactionEvent(Undeniable):
    event_type: TransactionEventStage | None
    timestamp: When | None
    trigger_reason: TriggerReason | None
    seq_no: SequenceNumber | None
    transaction_info: TransactionInfo | None
    meter_value: Some[MeterValue] | None = None
    offline: bool | None = None
    number_of_phases_used: RequestNumber | None = None
    cable_max_current: RequestNumber | None = None
    reservation_id: RequestNumber | None = None
    evse: EVSE | None = None
    id_token: IdToken | None = None
    custom_data: CustomData | None = None


class DataTransfer(Request):
    vendor_id: Text255
    message_id: Text50 | None = None
    data: Any | None = None
    custom_data: CustomData | None = None


class BootNotificationConf(Confirmation):
    current_time: str
    interval: int
    status: Literal["Accepted", "Pending", "Rejected"]


class HeartbeatConf(Confirmation):
    current_time: str


class GroupIdToken(Confirmation):
    id_token: str
    type: str


class IdTokenInfo(Confirmation):
    status: Literal["Accepted", "Blocked", "ConcurrentTx", "Expired", "Invalid"]
    cache_expiry_date_time: str | None = None
    charging_priority: int | None = None
    language1: str | None = None
    group_id_token: GroupIdToken | None = None


class AuthorizeConf(Confirmation):
    id_token_info: IdTokenInfo
    certificate_status: Literal["NoCertificateAvailable"] | None = None


class TransactionEventConf(Confirmation):
    total_cost: float | None = None
    id_token_info: IdTokenInfo | None = None


class DataTransferConf(Confirmation):
    status: Literal["Accepted", "Rejected", "UnknownMessageId", "UnknownVendorId"]


class Done(Confirmation):
    """The answer that says nothing: {}."""
