"""OCPP 1.6 messages as types (OCPP 1.6 §6, §7), field for field the `ocpp` package's schemas (a test compares).

Requests come from stations and are read by `ocpp/reading.py`, which accepts more than these types allow. A value of an
`Open` enumeration may therefore be one the standard does not know. Confirmations are ours, and strict.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta

from evpower.ocpp.dispatch import Confirmation
from evpower.ocpp.reading import OPEN, MeteredRequest, Request, Undeniable

CiString20 = Annotated[str, Meta(max_length=20)]
CiString25 = Annotated[str, Meta(max_length=25)]
CiString50 = Annotated[str, Meta(max_length=50)]
CiString255 = Annotated[str, Meta(max_length=255)]
IdToken = CiString20
#: OCPP's integers are 32 bits wide where we have to store them.
ConnectorNumber = Annotated[int, Meta(ge=0, le=2**31 - 1)]
RequestNumber = Annotated[int, Meta(ge=-(2**31), le=2**31 - 1)]
#: A time must name its zone to be taken strictly; a naive one is UTC and counted as an oddity.
When = Annotated[datetime, Meta(tz=True)]


class BootNotification(Request):
    charge_point_vendor: CiString20
    charge_point_model: CiString20
    charge_point_serial_number: CiString25 | None = None
    charge_box_serial_number: CiString25 | None = None
    firmware_version: CiString50 | None = None
    iccid: CiString20 | None = None
    imsi: CiString20 | None = None
    meter_type: CiString25 | None = None
    meter_serial_number: CiString25 | None = None


class BootNotificationConf(Confirmation):
    status: Literal["Accepted", "Pending", "Rejected"]
    current_time: str
    interval: int


class Heartbeat(Request):
    pass


class HeartbeatConf(Confirmation):
    current_time: str


class StatusNotification(MeteredRequest):
    connector_id: ConnectorNumber
    error_code: (
        Annotated[
            Literal[
                "ConnectorLockFailure",
                "EVCommunicationError",
                "GroundFailure",
                "HighTemperature",
                "InternalError",
                "LocalListConflict",
                "NoError",
                "OtherError",
                "OverCurrentFailure",
                "PowerMeterFailure",
                "PowerSwitchFailure",
                "ReaderFailure",
                "ResetFailure",
                "UnderVoltage",
                "OverVoltage",
                "WeakSignal",
            ],
            OPEN,
        ]
        | None
    )
    status: Annotated[
        Literal[
            "Available",
            "Preparing",
            "Charging",
            "SuspendedEVSE",
            "SuspendedEV",
            "Finishing",
            "Reserved",
            "Unavailable",
            "Faulted",
        ],
        OPEN,
    ]
    info: CiString50 | None = None
    timestamp: When | None = None
    vendor_id: CiString255 | None = None
    vendor_error_code: CiString50 | None = None


class Authorize(Request):
    id_tag: IdToken


class IdTagInfo(Confirmation):
    status: Literal["Accepted", "Blocked", "Expired", "Invalid", "ConcurrentTx"]
    expiry_date: str | None = None
    parent_id_tag: str | None = None


class AuthorizeConf(Confirmation):
    id_tag_info: IdTagInfo


class StartTransaction(Undeniable):
    connector_id: ConnectorNumber | None
    id_tag: IdToken | None
    meter_start: int | None
    timestamp: When | None
    reservation_id: RequestNumber | None = None


class StartTransactionConf(Confirmation):
    transaction_id: int
    id_tag_info: IdTagInfo


class SampledValue(MeteredRequest):
    value: str
    context: (
        Annotated[
            Literal[
                "Interruption.Begin",
                "Interruption.End",
                "Sample.Clock",
                "Sample.Periodic",
                "Transaction.Begin",
                "Transaction.End",
                "Trigger",
                "Other",
            ],
            OPEN,
        ]
        | None
    ) = None
    format: Annotated[Literal["Raw", "SignedData"], OPEN] | None = None
    measurand: (
        Annotated[
            Literal[
                "Energy.Active.Export.Register",
                "Energy.Active.Import.Register",
                "Energy.Reactive.Export.Register",
                "Energy.Reactive.Import.Register",
                "Energy.Active.Export.Interval",
                "Energy.Active.Import.Interval",
                "Energy.Reactive.Export.Interval",
                "Energy.Reactive.Import.Interval",
                "Power.Active.Export",
                "Power.Active.Import",
                "Power.Offered",
                "Power.Reactive.Export",
                "Power.Reactive.Import",
                "Power.Factor",
                "Current.Import",
                "Current.Export",
                "Current.Offered",
                "Voltage",
                "Frequency",
                "Temperature",
                "SoC",
                "RPM",
            ],
            OPEN,
        ]
        | None
    ) = None
    phase: (
        Annotated[
            Literal["L1", "L2", "L3", "N", "L1-N", "L2-N", "L3-N", "L1-L2", "L2-L3", "L3-L1"],
            OPEN,
        ]
        | None
    ) = None
    location: Annotated[Literal["Cable", "EV", "Inlet", "Outlet", "Body"], OPEN] | None = None
    unit: (
        Annotated[
            Literal[
                "Wh",
                "kWh",
                "varh",
                "kvarh",
                "W",
                "kW",
                "VA",
                "kVA",
                "var",
                "kvar",
                "A",
                "V",
                "K",
                "Celcius",
                "Celsius",
                "Fahrenheit",
                "Percent",
                "Hertz",
            ],
            OPEN,
        ]
        | None
    ) = None


class MeterValue(MeteredRequest):
    timestamp: When | None
    sampled_value: Annotated[list[SampledValue], Meta(min_length=1)]


class MeterValues(Undeniable):
    connector_id: ConnectorNumber | None
    meter_value: Annotated[list[MeterValue], Meta(min_length=1)] | None
    transaction_id: int | None = None


class StopTransaction(Undeniable):
    transaction_id: int | None
    timestamp: When | None
    meter_stop: int | None
    id_tag: IdToken | None = None
    reason: (
        Annotated[
            Literal[
                "EmergencyStop",
                "EVDisconnected",
                "HardReset",
                "Local",
                "Other",
                "PowerLoss",
                "Reboot",
                "Remote",
                "SoftReset",
                "UnlockCommand",
                "DeAuthorized",
            ],
            OPEN,
        ]
        | None
    ) = None
    transaction_data: list[MeterValue] | None = None


class StopTransactionConf(Confirmation):
    id_tag_info: IdTagInfo | None = None


class DataTransfer(Request):
    vendor_id: CiString255
    message_id: CiString50 | None = None
    data: str | None = None


class DataTransferConf(Confirmation):
    status: Literal["Accepted", "Rejected", "UnknownMessageId", "UnknownVendorId"]


class DiagnosticsStatusNotification(Request):
    status: Literal["Idle", "Uploaded", "UploadFailed", "Uploading"]


class FirmwareStatusNotification(Request):
    status: Literal[
        "Downloaded",
        "DownloadFailed",
        "Downloading",
        "Idle",
        "InstallationFailed",
        "Installing",
        "Installed",
    ]


class SecurityEventNotification(Request):
    type: CiString50
    timestamp: When
    tech_info: CiString255 | None = None


class SignCertificate(Request):
    csr: Annotated[str, Meta(max_length=5500)]


class SignCertificateConf(Confirmation):
    status: Literal["Accepted", "Rejected"]


class LogStatusNotification(Request):
    status: Literal[
        "BadMessage", "Idle", "NotSupportedOperation", "PermissionDenied", "Uploaded", "UploadFailure", "Uploading"
    ]
    request_id: RequestNumber | None = None


class SignedFirmwareStatusNotification(Request):
    status: Literal[
        "Downloaded",
        "DownloadFailed",
        "Downloading",
        "DownloadScheduled",
        "DownloadPaused",
        "Idle",
        "InstallationFailed",
        "Installing",
        "Installed",
        "InstallRebooting",
        "InstallScheduled",
        "InstallVerificationFailed",
        "InvalidSignature",
        "SignatureVerified",
    ]
    request_id: RequestNumber | None = None


class Done(Confirmation):
    """The answer that says nothing: {}."""
