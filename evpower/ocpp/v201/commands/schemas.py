"""What OCPP 2.0.1 lets us ask of a station, and how its schemas are read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from evpower.ocpp.schemas import Problem, Schemas

#: What a central system may ask of a station (OCPP 2.0.1 part 2, §1).
COMMANDS = (
    "CancelReservation",
    "CertificateSigned",
    "ChangeAvailability",
    "ClearCache",
    "ClearChargingProfile",
    "ClearDisplayMessage",
    "ClearVariableMonitoring",
    "CostUpdated",
    "CustomerInformation",
    "DataTransfer",
    "DeleteCertificate",
    "GetBaseReport",
    "GetChargingProfiles",
    "GetCompositeSchedule",
    "GetDisplayMessages",
    "GetInstalledCertificateIds",
    "GetLocalListVersion",
    "GetLog",
    "GetMonitoringReport",
    "GetReport",
    "GetTransactionStatus",
    "GetVariables",
    "InstallCertificate",
    "PublishFirmware",
    "RequestStartTransaction",
    "RequestStopTransaction",
    "ReserveNow",
    "Reset",
    "SendLocalList",
    "SetChargingProfile",
    "SetDisplayMessage",
    "SetMonitoringBase",
    "SetMonitoringLevel",
    "SetNetworkProfile",
    "SetVariableMonitoring",
    "SetVariables",
    "TriggerMessage",
    "UnlockConnector",
    "UnpublishFirmware",
    "UpdateFirmware",
)


def broken_rules(action: str, payload: Mapping[str, Any]) -> list[Problem]:
    """Rules that are only in the standard's text."""
    if action == "SendLocalList" and payload["versionNumber"] < 1:
        return [("versionNumber", "должно быть не меньше 1")]
    return []


SCHEMAS = Schemas("ocpp.v201", COMMANDS, broken_rules, request_suffix="Request")
