"""What OCPP 1.6 lets us ask of a station, and how its schemas are read."""

from __future__ import annotations

from evpower.ocpp.schemas import Schemas
from evpower.ocpp.v16.commands.command_rules import broken_rules

#: What a central system may ask of a station (OCPP 1.6 §5; security white paper §5).
COMMANDS = (
    "CancelReservation",
    "CertificateSigned",
    "ChangeAvailability",
    "ChangeConfiguration",
    "ClearCache",
    "ClearChargingProfile",
    "DataTransfer",
    "DeleteCertificate",
    "ExtendedTriggerMessage",
    "GetCompositeSchedule",
    "GetConfiguration",
    "GetDiagnostics",
    "GetInstalledCertificateIds",
    "GetLocalListVersion",
    "GetLog",
    "InstallCertificate",
    "RemoteStartTransaction",
    "RemoteStopTransaction",
    "ReserveNow",
    "Reset",
    "SendLocalList",
    "SetChargingProfile",
    "SignedUpdateFirmware",
    "TriggerMessage",
    "UnlockConnector",
    "UpdateFirmware",
)

SCHEMAS = Schemas("ocpp.v16", COMMANDS, broken_rules)
