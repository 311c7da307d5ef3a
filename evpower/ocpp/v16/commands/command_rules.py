"""Rules for commands that are only in the text of OCPP 1.6, because its schemas cannot express them (duties 33-37)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from typing import Any

Problem = tuple[str, str]


def broken_rules(action: str, payload: Mapping[str, Any]) -> list[Problem]:
    """Every (field, rule) a payload that fits its schema breaks."""
    rule = RULES.get(action)
    return [] if rule is None else list(rule(payload))


def _unlock(payload: Mapping[str, Any]) -> Iterator[Problem]:
    if payload["connectorId"] < 1:
        yield "connectorId", "должно быть не меньше 1"


def _local_list(payload: Mapping[str, Any]) -> Iterator[Problem]:
    """Duty 37: 0 says "no list", and -1 "not supported" (§5.10, errata 3.52)."""
    if payload["listVersion"] < 1:
        yield "listVersion", "должно быть не меньше 1"
    if payload["updateType"] == "Full":
        for index, entry in enumerate(payload.get("localAuthorizationList") or ()):
            if "idTagInfo" not in entry:
                yield f"localAuthorizationList[{index}].idTagInfo", "обязательное поле полного списка"


def _remote_start(payload: Mapping[str, Any]) -> Iterator[Problem]:
    """Duty 35: the transaction has no id yet (errata 3.41)."""
    profile = payload.get("chargingProfile")
    if profile is None:
        return
    if profile["chargingProfilePurpose"] != "TxProfile":
        yield "chargingProfile.chargingProfilePurpose", "допустимо только: TxProfile"
    if "transactionId" in profile:
        yield "chargingProfile.transactionId", "транзакция ещё не началась"
    yield from _schedule("chargingProfile", profile)


def _charging_profile(payload: Mapping[str, Any]) -> Iterator[Problem]:
    """Which purpose goes where (§3.13.2, §5.16)."""
    name, profile, connector_id = "csChargingProfiles", payload["csChargingProfiles"], payload["connectorId"]
    purpose = profile["chargingProfilePurpose"]
    if purpose == "ChargePointMaxProfile" and connector_id != 0:
        yield "connectorId", "ChargePointMaxProfile относится к станции: 0"
    if purpose == "TxProfile" and connector_id < 1:
        yield "connectorId", "TxProfile относится к коннектору: не меньше 1"
    if purpose == "TxProfile" and "transactionId" not in profile:
        yield f"{name}.transactionId", "обязательное поле для TxProfile"
    if purpose != "TxProfile" and "transactionId" in profile:
        yield f"{name}.transactionId", "только для TxProfile"
    yield from _schedule(name, profile)


def _schedule(name: str, profile: Mapping[str, Any]) -> Iterator[Problem]:
    """The first period begins with the schedule, later ones later (errata 3.69)."""
    if profile["chargingProfileKind"] == "Recurring" and "recurrencyKind" not in profile:
        yield f"{name}.recurrencyKind", "обязательное поле для Recurring"
    periods = f"{name}.chargingSchedule.chargingSchedulePeriod"
    starts = [period["startPeriod"] for period in profile["chargingSchedule"]["chargingSchedulePeriod"]]
    if starts and starts[0] != 0:
        yield f"{periods}[0].startPeriod", "должно быть 0"
    for index, (earlier, later) in enumerate(pairwise(starts), start=1):
        if later <= earlier:
            yield f"{periods}[{index}].startPeriod", "должно быть больше предыдущего"


RULES: dict[str, Callable[[Mapping[str, Any]], Iterator[Problem]]] = {
    "RemoteStartTransaction": _remote_start,
    "SendLocalList": _local_list,
    "SetChargingProfile": _charging_profile,
    "UnlockConnector": _unlock,
}
