"""The words of OCPP 2.0.1 and what its messages are made of (OCPP 2.0.1 part 2, §3), as the `ocpp` package's schemas
have them (a test compares).

A value of an `OPEN` enumeration may be one that the standard does not know.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, TypeVar

from msgspec import Meta

from evpower.ocpp.reading import OPEN, Request

T = TypeVar("T")
Some = Annotated[list[T], Meta(min_length=1)]
Text16 = Annotated[str, Meta(max_length=16)]
Text20 = Annotated[str, Meta(max_length=20)]
Text25 = Annotated[str, Meta(max_length=25)]
Text36 = Annotated[str, Meta(max_length=36)]
Text40 = Annotated[str, Meta(max_length=40)]
Text50 = Annotated[str, Meta(max_length=50)]
Text128 = Annotated[str, Meta(max_length=128)]
Text255 = Annotated[str, Meta(max_length=255)]
Text8 = Annotated[str, Meta(max_length=8)]
Text512 = Annotated[str, Meta(max_length=512)]
Text500 = Annotated[str, Meta(max_length=500)]
Text1000 = Annotated[str, Meta(max_length=1000)]
Text2500 = Annotated[str, Meta(max_length=2500)]
Text5500 = Annotated[str, Meta(max_length=5500)]
Text5600 = Annotated[str, Meta(max_length=5600)]
#: OCPP's integers are 32 bits wide where we have to store them.
RequestNumber = Annotated[int, Meta(ge=-(2**31), le=2**31 - 1)]
EvseNumber = Annotated[int, Meta(ge=0, le=2**31 - 1)]
#: The next one must be a number too.
SequenceNumber = Annotated[int, Meta(ge=0, le=2**31 - 2)]
#: A time must name its zone to be taken strictly; a naive one is UTC and counted as an oddity.
When = Annotated[datetime, Meta(tz=True)]


class CustomData(Request, forbid_unknown_fields=False):
    """A vendor's own, in any message: the standard allows it, and we read nothing of it."""

    vendor_id: Text255


BootReason = Literal[
    "ApplicationReset",
    "FirmwareUpdate",
    "LocalReset",
    "PowerUp",
    "RemoteReset",
    "ScheduledReset",
    "Triggered",
    "Unknown",
    "Watchdog",
]
ConnectorStatus = Annotated[Literal["Available", "Occupied", "Reserved", "Unavailable", "Faulted"], OPEN]
IdTokenKind = Annotated[
    Literal["Central", "eMAID", "ISO14443", "ISO15693", "KeyCode", "Local", "MacAddress", "NoAuthorization"], OPEN
]
HashAlgorithm = Annotated[Literal["SHA256", "SHA384", "SHA512"], OPEN]
ReadingContext = Annotated[
    Literal[
        "Interruption.Begin",
        "Interruption.End",
        "Other",
        "Sample.Clock",
        "Sample.Periodic",
        "Transaction.Begin",
        "Transaction.End",
        "Trigger",
    ],
    OPEN,
]
Measurand = Annotated[
    Literal[
        "Current.Export",
        "Current.Import",
        "Current.Offered",
        "Energy.Active.Export.Register",
        "Energy.Active.Import.Register",
        "Energy.Reactive.Export.Register",
        "Energy.Reactive.Import.Register",
        "Energy.Active.Export.Interval",
        "Energy.Active.Import.Interval",
        "Energy.Active.Net",
        "Energy.Reactive.Export.Interval",
        "Energy.Reactive.Import.Interval",
        "Energy.Reactive.Net",
        "Energy.Apparent.Net",
        "Energy.Apparent.Import",
        "Energy.Apparent.Export",
        "Frequency",
        "Power.Active.Export",
        "Power.Active.Import",
        "Power.Factor",
        "Power.Offered",
        "Power.Reactive.Export",
        "Power.Reactive.Import",
        "SoC",
        "Voltage",
    ],
    OPEN,
]
PhaseName = Annotated[Literal["L1", "L2", "L3", "N", "L1-N", "L2-N", "L3-N", "L1-L2", "L2-L3", "L3-L1"], OPEN]
MeterLocation = Annotated[Literal["Body", "Cable", "EV", "Inlet", "Outlet"], OPEN]
TransactionEventStage = Annotated[Literal["Ended", "Started", "Updated"], OPEN]
TriggerReason = Annotated[
    Literal[
        "Authorized",
        "CablePluggedIn",
        "ChargingRateChanged",
        "ChargingStateChanged",
        "Deauthorized",
        "EnergyLimitReached",
        "EVCommunicationLost",
        "EVConnectTimeout",
        "MeterValueClock",
        "MeterValuePeriodic",
        "TimeLimitReached",
        "Trigger",
        "UnlockCommand",
        "StopAuthorized",
        "EVDeparted",
        "EVDetected",
        "RemoteStop",
        "RemoteStart",
        "AbnormalCondition",
        "SignedDataReceived",
        "ResetCommand",
    ],
    OPEN,
]
ChargingState = Annotated[Literal["Charging", "EVConnected", "SuspendedEV", "SuspendedEVSE", "Idle"], OPEN]
StopReason = Annotated[
    Literal[
        "DeAuthorized",
        "EmergencyStop",
        "EnergyLimitReached",
        "EVDisconnected",
        "GroundFault",
        "ImmediateReset",
        "Local",
        "LocalOutOfCredit",
        "MasterPass",
        "Other",
        "OvercurrentFault",
        "PowerLoss",
        "PowerQuality",
        "Reboot",
        "Remote",
        "SOCLimitReached",
        "StoppedByEV",
        "TimeLimitReached",
        "Timeout",
    ],
    OPEN,
]
FirmwareStatus = Literal[
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
UploadLogStatus = Literal[
    "BadMessage",
    "Idle",
    "NotSupportedOperation",
    "PermissionDenied",
    "Uploaded",
    "UploadFailure",
    "Uploading",
    "AcceptedCanceled",
]
CertificateAction = Literal["Install", "Update"]
CertificateSigningUse = Literal["ChargingStationCertificate", "V2GCertificate"]
ReservationUpdateStatus = Literal["Expired", "Removed"]
EventTrigger = Literal["Alerting", "Delta", "Periodic"]
EventNotification = Literal["HardWiredNotification", "HardWiredMonitor", "PreconfiguredMonitor", "CustomMonitor"]
AttributeKind = Literal["Actual", "Target", "MinSet", "MaxSet"]
Mutability = Literal["ReadOnly", "WriteOnly", "ReadWrite"]
DataKind = Literal["string", "decimal", "integer", "dateTime", "boolean", "OptionList", "SequenceList", "MemberList"]
PublishFirmwareStatus = Literal[
    "Idle",
    "DownloadScheduled",
    "Downloading",
    "Downloaded",
    "Published",
    "DownloadFailed",
    "DownloadPaused",
    "InvalidChecksum",
    "ChecksumVerified",
    "PublishFailed",
]
