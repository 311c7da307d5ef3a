"""The station's configuration keys (OCPP 1.6 §9) and what it says when asked to change them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from evpower.simulator.station.settings import StationSettings

SAMPLED = "Energy.Active.Import.Register,Power.Active.Import,Current.Import,Voltage,SoC"
MEASURANDS = frozenset([*SAMPLED.split(","), "Power.Offered", "Current.Offered", "Temperature", ""])
FEATURE_PROFILES = "Core,FirmwareManagement,LocalAuthListManagement,Reservation,SmartCharging,RemoteTrigger"
KEYS_PER_ANSWER_MAX = 60


@dataclass(slots=True)
class ConfigurationKey:
    """One key; its present value's shape says which new values it takes."""

    value: str
    readonly: bool = False
    needs_reboot: bool = False
    hidden: bool = False


class StationConfiguration:
    """All keys of one station."""

    def __init__(self, settings: StationSettings, connector_count: int) -> None:
        changeable = {
            "AllowOfflineTxForUnknownId": "true",
            "AuthorizationCacheEnabled": "true",
            "AuthorizeRemoteTxRequests": "false",
            "ClockAlignedDataInterval": "0",
            "ConnectionTimeOut": str(settings.connection_timeout_s),
            "HeartbeatInterval": "60",
            "LocalAuthListEnabled": "true",
            "LocalAuthorizeOffline": "true",
            "LocalPreAuthorize": "false",
            "MeterValueSampleInterval": str(settings.sample_interval_s),
            "MeterValuesAlignedData": "",
            "MeterValuesSampledData": SAMPLED,
            "ResetRetries": "3",
            "StopTransactionOnEVSideDisconnect": "true",
            "StopTransactionOnInvalidId": "true",
            "StopTxnAlignedData": "",
            "StopTxnSampledData": "",
            "TransactionMessageAttempts": "3",
            "TransactionMessageRetryInterval": "60",
            "UnlockConnectorOnEVSideDisconnect": "true",
        }
        fixed = {
            "ChargeProfileMaxStackLevel": "10",
            "ChargingScheduleAllowedChargingRateUnit": "Current,Power",
            "ChargingScheduleMaxPeriods": "24",
            "ConnectorPhaseRotation": "NotApplicable",
            "GetConfigurationMaxKeys": str(KEYS_PER_ANSWER_MAX),
            "LocalAuthListMaxLength": "1000",
            "MaxChargingProfilesInstalled": "10",
            "NumberOfConnectors": str(connector_count),
            "ReserveConnectorZeroSupported": "false",
            "SendLocalListMaxLength": "1000",
            "SupportedFeatureProfiles": FEATURE_PROFILES,
        }
        self._keys = {name: ConfigurationKey(value) for name, value in changeable.items()}
        self._keys |= {name: ConfigurationKey(value, readonly=True) for name, value in fixed.items()}
        self._keys["WebSocketPingInterval"] = ConfigurationKey("0", needs_reboot=True)
        self._keys["AuthorizationKey"] = ConfigurationKey(settings.password or "", hidden=True)

    def text(self, name: str) -> str:
        """A key's value as written."""
        return self._keys[name].value

    def number(self, name: str) -> int:
        """A key's value as a whole number."""
        return int(self._keys[name].value)

    def flag(self, name: str) -> bool:
        """A key's value as yes or no."""
        return self._keys[name].value.lower() == "true"

    def put(self, name: str, value: str) -> None:
        """Set a key without asking, as the station itself does with the boot interval."""
        self._keys[name].value = value

    def change(self, name: str, value: str) -> str:
        """ChangeConfiguration's verdict (OCPP 1.6 §5.3); an accepted value is in force at once."""
        key = self._keys.get(name)
        if key is None:
            return "NotSupported"
        if key.readonly or not _fits(name, key, value):
            return "Rejected"
        key.value = value
        return "RebootRequired" if key.needs_reboot else "Accepted"

    def answer(self, names: Iterable[str]) -> dict[str, Any]:
        """GetConfiguration's answer: the named keys, or all (OCPP 1.6 §5.8)."""
        wanted = list(names) or [name for name, key in self._keys.items() if not key.hidden]
        known = [name for name in wanted if name in self._keys and not self._keys[name].hidden]
        return {
            "configurationKey": [
                {"key": name, "readonly": self._keys[name].readonly, "value": self._keys[name].value} for name in known
            ],
            "unknownKey": [name for name in wanted if name not in known],
        }


def _fits(name: str, key: ConfigurationKey, value: str) -> bool:
    if name == "AuthorizationKey":
        return 16 <= len(value) <= 40  # security white paper, A01
    if name.endswith("Data"):
        return MEASURANDS.issuperset(part.strip() for part in value.split(","))
    if key.value in ("true", "false"):
        return value.lower() in ("true", "false")
    if key.value.isdigit():
        return value.isdigit()
    return True
