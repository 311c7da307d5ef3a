"""OCPP 2.0.1 messages about the station itself: its device model, its security, its files.

Those of which only their coming matters have no fields of ours (`Anything`).
"""

from __future__ import annotations

from typing import Literal

from msgspec import field

from evpower.link.device_commands import MessageFormat, MessagePriority, MessageState, MonitorKind
from evpower.ocpp.dispatch import Confirmation
from evpower.ocpp.reading import Request
from evpower.ocpp.v201.messages import EVSE, OCSPRequestData
from evpower.ocpp.v201.vocabulary import (
    AttributeKind,
    CertificateAction,
    CertificateSigningUse,
    CustomData,
    DataKind,
    EventNotification,
    EventTrigger,
    FirmwareStatus,
    Mutability,
    PublishFirmwareStatus,
    RequestNumber,
    ReservationUpdateStatus,
    SequenceNumber,
    Some,
    Text8,
    Text16,
    Text36,
    Text50,
    Text255,
    Text500,
    Text512,
    Text1000,
    Text2500,
    Text5500,
    Text5600,
    UploadLogStatus,
    When,
)


class FirmwareStatusNotification(Request):
    status: FirmwareStatus
    request_id: RequestNumber | None = None
    custom_data: CustomData | None = None


class LogStatusNotification(Request):
    status: UploadLogStatus
    request_id: RequestNumber | None = None
    custom_data: CustomData | None = None


class SecurityEventNotification(Request):
    type: Text50
    timestamp: When
    tech_info: Text255 | None = None
    custom_data: CustomData | None = None


class SignCertificate(Request):
    csr: Text5500
    certificate_type: CertificateSigningUse | None = None
    custom_data: CustomData | None = None


class ReservationStatusUpdate(Request):
    reservation_id: RequestNumber
    reservation_update_status: ReservationUpdateStatus
    custom_data: CustomData | None = None


class GetCertificateStatus(Request):
    ocsp_request_data: OCSPRequestData
    custom_data: CustomData | None = None


class Get15118EVCertificate(Request):
    iso15118_schema_version: Text50 = field(name="iso15118SchemaVersion")
    action: CertificateAction
    exi_request: Text5600
    custom_data: CustomData | None = None


class Component(Request):
    name: Text50
    evse: EVSE | None = None
    instance: Text50 | None = None
    custom_data: CustomData | None = None


class Variable(Request):
    name: Text50
    instance: Text50 | None = None
    custom_data: CustomData | None = None


class EventData(Request):
    event_id: RequestNumber
    timestamp: When
    trigger: EventTrigger
    actual_value: Text2500
    component: Component
    event_notification_type: EventNotification
    variable: Variable
    cause: RequestNumber | None = None
    tech_code: Text50 | None = None
    tech_info: Text500 | None = None
    cleared: bool | None = None
    transaction_id: Text36 | None = None
    variable_monitoring_id: RequestNumber | None = None
    custom_data: CustomData | None = None


class NotifyEvent(Request):
    generated_at: When
    seq_no: SequenceNumber
    event_data: Some[EventData]
    tbc: bool | None = None
    custom_data: CustomData | None = None


class VariableAttribute(Request):
    type: AttributeKind | None = None
    value: Text2500 | None = None
    mutability: Mutability | None = None
    persistent: bool | None = None
    constant: bool | None = None
    custom_data: CustomData | None = None


class VariableCharacteristics(Request):
    data_type: DataKind
    supports_monitoring: bool
    unit: Text16 | None = None
    min_limit: float | None = None
    max_limit: float | None = None
    values_list: Text1000 | None = None
    custom_data: CustomData | None = None


class ReportData(Request):
    component: Component
    variable: Variable
    variable_attribute: Some[VariableAttribute]
    variable_characteristics: VariableCharacteristics | None = None
    custom_data: CustomData | None = None


class NotifyReport(Request):
    request_id: RequestNumber
    generated_at: When
    seq_no: SequenceNumber
    report_data: Some[ReportData] | None = None
    tbc: bool | None = None
    custom_data: CustomData | None = None


class VariableMonitoring(Request):
    id: RequestNumber
    transaction: bool
    value: float
    type: MonitorKind
    severity: RequestNumber
    custom_data: CustomData | None = None


class MonitoringData(Request):
    component: Component
    variable: Variable
    variable_monitoring: Some[VariableMonitoring]
    custom_data: CustomData | None = None


class NotifyMonitoringReport(Request):
    request_id: RequestNumber
    seq_no: SequenceNumber
    generated_at: When
    monitor: Some[MonitoringData] | None = None
    tbc: bool | None = None
    custom_data: CustomData | None = None


class DisplayText(Request):
    format: MessageFormat
    content: Text512
    language: Text8 | None = None
    custom_data: CustomData | None = None


class MessageInfo(Request):
    id: RequestNumber
    priority: MessagePriority
    message: DisplayText
    display: Component | None = None
    state: MessageState | None = None
    start_date_time: When | None = None
    end_date_time: When | None = None
    transaction_id: Text36 | None = None
    custom_data: CustomData | None = None


class NotifyDisplayMessages(Request):
    request_id: RequestNumber
    message_info: Some[MessageInfo] | None = None
    tbc: bool | None = None
    custom_data: CustomData | None = None


class NotifyCustomerInformation(Request):
    data: Text512
    seq_no: SequenceNumber
    generated_at: When
    request_id: RequestNumber
    tbc: bool | None = None
    custom_data: CustomData | None = None


class PublishFirmwareStatusNotification(Request):
    status: PublishFirmwareStatus
    location: Some[Text512] | None = None
    request_id: RequestNumber | None = None
    custom_data: CustomData | None = None


class Anything(Request, forbid_unknown_fields=False):
    """A message that is kept in the trace and answered, whatever it says."""

    custom_data: CustomData | None = None


class SignCertificateConf(Confirmation):
    status: Literal["Accepted", "Rejected"]


class GetCertificateStatusConf(Confirmation):
    status: Literal["Accepted", "Failed"]
    ocsp_result: str | None = None


class Get15118EVCertificateConf(Confirmation):
    status: Literal["Accepted", "Failed"]
    exi_response: str


class NotifyEVChargingNeedsConf(Confirmation):
    status: Literal["Accepted", "Rejected", "Processing"]


class NotifyEVChargingScheduleConf(Confirmation):
    status: Literal["Accepted", "Rejected"]
