"""One vocabulary for settings: names of OCPP 1.6 and the variables of 2.0.1 that mean the same (ocpp201 §4).

A variable without a name in 1.6 is written `Component.Variable`, with `[instance]` behind either where it has one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from evpower.errors import InvalidRequest
from evpower.link.commands import ReadSettings, Reply, SetPassword, Setting, Settings, WriteSetting
from evpower.ocpp.dialect import Send
from evpower.ocpp.shared.answers import of_status
from evpower.ocpp.v201.commands import batches, requests

PASSWORD = "SecurityCtrlr.BasicAuthPassword"
NAMES_OF_16 = {
    "AuthorizationKey": PASSWORD,
    "AuthorizeRemoteTxRequests": "AuthCtrlr.AuthorizeRemoteStart",
    "ClockAlignedDataInterval": "AlignedDataCtrlr.Interval",
    "ConnectionTimeOut": "TxCtrlr.EVConnectionTimeOut",
    "HeartbeatInterval": "OCPPCommCtrlr.HeartbeatInterval",
    "LocalAuthListEnabled": "LocalAuthListCtrlr.Enabled",
    "LocalAuthorizeOffline": "AuthCtrlr.LocalAuthorizeOffline",
    "LocalPreAuthorize": "AuthCtrlr.LocalPreAuthorize",
    "AllowOfflineTxForUnknownId": "AuthCtrlr.OfflineTxForUnknownIdEnabled",
    "AuthorizationCacheEnabled": "AuthCacheCtrlr.Enabled",
    "ChargeProfileMaxStackLevel": "SmartChargingCtrlr.ProfileStackLevel",
    "ChargingScheduleMaxPeriods": "SmartChargingCtrlr.PeriodsPerSchedule",
    "LocalAuthListMaxLength": "LocalAuthListCtrlr.Entries",
    "MaxChargingProfilesInstalled": "SmartChargingCtrlr.Entries[ChargingProfiles]",
    "ResetRetries": "OCPPCommCtrlr.ResetRetries",
    "SendLocalListMaxLength": "LocalAuthListCtrlr.ItemsPerMessage",
    "StopTxnAlignedData": "AlignedDataCtrlr.TxEndedMeasurands",
    "UnlockConnectorOnEVSideDisconnect": "OCPPCommCtrlr.UnlockOnEVSideDisconnect",
    "MaxEnergyOnInvalidId": "TxCtrlr.MaxEnergyOnInvalidId",
    "MeterValuesAlignedData": "AlignedDataCtrlr.Measurands",
    "MeterValueSampleInterval": "SampledDataCtrlr.TxUpdatedInterval",
    "MeterValuesSampledData": "SampledDataCtrlr.TxUpdatedMeasurands",
    "StopTxnSampledData": "SampledDataCtrlr.TxEndedMeasurands",
    "StopTransactionOnEVSideDisconnect": "TxCtrlr.StopTxOnEVSideDisconnect",
    "StopTransactionOnInvalidId": "TxCtrlr.StopTxOnInvalidId",
    "SecurityProfile": "SecurityCtrlr.SecurityProfile",
    "TransactionMessageAttempts": "OCPPCommCtrlr.MessageAttempts[TransactionEvent]",
    "TransactionMessageRetryInterval": "OCPPCommCtrlr.MessageAttemptInterval[TransactionEvent]",
    "WebSocketPingInterval": "OCPPCommCtrlr.WebSocketPingInterval",
}
_BY_NAME = {name.lower(): variable for name, variable in NAMES_OF_16.items()}
_NAME_OF = {variable: name for name, variable in NAMES_OF_16.items()}
_WRITTEN = re.compile(
    r"(?P<component>[^.\[\]]+)(\[(?P<of>[^\]]+)\])?\.(?P<variable>[^.\[\]]+)(\[(?P<instance>[^\]]+)\])?"
)


class Variable(NamedTuple):
    """A variable of a component."""

    component: str
    variable: str
    instance: str | None = None
    component_instance: str | None = None

    def where(self) -> dict[str, Any]:
        """As OCPP names it."""
        component: dict[str, Any] = {"name": self.component}
        variable: dict[str, Any] = {"name": self.variable}
        if self.component_instance is not None:
            component["instance"] = self.component_instance
        if self.instance is not None:
            variable["instance"] = self.instance
        return {"component": component, "variable": variable}

    @property
    def key(self) -> str:
        """As an operator names it."""
        of = f"[{self.component_instance}]" if self.component_instance else ""
        written = f"{self.component}{of}.{self.variable}" + (f"[{self.instance}]" if self.instance else "")
        return _NAME_OF.get(written, written)


def variable(key: str) -> Variable | None:
    """What a key means; None for a name that is neither of 1.6 nor written as a variable."""
    found = _WRITTEN.fullmatch(_BY_NAME.get(key.strip().lower(), key.strip()))
    return None if found is None else Variable(found["component"], found["variable"], found["instance"], found["of"])


async def read_settings(send: Send, command: ReadSettings) -> Settings:
    """By GetVariables, as many in each message as the station takes; without keys, all that have a name in 1.6."""
    keys = command.keys or tuple(name for name in NAMES_OF_16 if NAMES_OF_16[name] != PASSWORD)
    named = {key: variable(key) for key in keys}
    unknown = [key for key, known in named.items() if known is None]
    wanted = [known.where() for known in named.values() if known is not None]
    takes = (await batches.limits(send, batches.GET))[batches.GET] if len(wanted) > 1 else batches.ONE_BY_ONE
    settings: list[Setting] = []
    for some in takes.batches(wanted):
        answer = await send(requests.get_variables(some))
        for result in answer["getVariableResult"]:
            key = _key_of(result)
            if result["attributeStatus"] == "Accepted":
                settings.append(Setting(key, result.get("attributeValue"), readonly=False, as_sent=result))
            elif result["attributeStatus"] == "Rejected":  # it is there, and cannot be read
                settings.append(Setting(key, None, readonly=False, as_sent=result))
            else:
                unknown.append(key)
    asked_for_all = not command.keys
    return Settings(tuple(settings), () if asked_for_all else tuple(unknown))


async def write_setting(send: Send, command: WriteSetting) -> Reply:
    """Raises InvalidRequest for a name that means nothing here."""
    wanted = variable(command.key)
    if wanted is None:
        raise InvalidRequest(("key", "в OCPP 2.0.1 настройка пишется как Компонент.Переменная"))
    return await _write(send, wanted, command.value)


async def set_password(send: Send, command: SetPassword) -> Reply:
    """BasicAuthPassword (A01)."""
    return await _write(send, Variable("SecurityCtrlr", "BasicAuthPassword"), command.password)


async def _write(send: Send, wanted: Variable, value: str) -> Reply:
    answer = await send(requests.set_variables([{**wanted.where(), "attributeValue": value}]))
    (result, *_) = answer["setVariableResult"]
    return of_status(result["attributeStatus"], answer)


def _key_of(result: Mapping[str, Any]) -> str:
    component, named = result["component"], result["variable"]
    return Variable(component["name"], named["name"], named.get("instance"), component.get("instance")).key
