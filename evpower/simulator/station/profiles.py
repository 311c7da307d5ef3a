"""Charging profiles: the least of what the station, its default and the transaction allow (OCPP 1.6 §3.13)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from evpower.simulator.station.connector import SimulatedConnector
from evpower.simulator.station.settings import StationSettings
from evpower.simulator.wire.ocpp import Payload, parse_time

PURPOSES = ("ChargePointMaxProfile", "TxDefaultProfile", "TxProfile")
INSTALLED_MAX = 10


class Profiles:
    """The profiles installed in one station, as (connector id, profile)."""

    def __init__(self, settings: StationSettings) -> None:
        self._settings = settings
        self._installed: list[tuple[int, Payload]] = []

    def set(self, connector_id: int, profile: Payload) -> bool:
        """Install a profile; same purpose and stack level on a connector replaces. False: there is no room."""
        place = (connector_id, profile["chargingProfilePurpose"], profile["stackLevel"])
        kept = [(number, old) for number, old in self._installed if _place(number, old) != place]
        kept = [(number, old) for number, old in kept if old["chargingProfileId"] != profile["chargingProfileId"]]
        if len(kept) >= INSTALLED_MAX:
            return False
        self._installed = [*kept, (connector_id, profile)]
        return True

    def clear(self, wanted: Payload) -> bool:
        """Remove by id, or by whatever of connector, purpose and stack level is given; False: nothing matched."""
        kept = [(number, profile) for number, profile in self._installed if not _matches(number, profile, wanted)]
        cleared = len(kept) < len(self._installed)
        self._installed = kept
        return cleared

    def forget_transaction(self, connector_id: int) -> None:
        """A TxProfile ends with its transaction."""
        self.clear({"connectorId": connector_id, "chargingProfilePurpose": "TxProfile"})

    def limit_w(self, connector: SimulatedConnector, now: datetime) -> float | None:
        """What the connector may give now; None when no profile says."""
        station = self._highest(0, "ChargePointMaxProfile", connector, now)
        own = self._highest(connector.connector_id, "TxProfile", connector, now)
        if own is None:
            own = self._highest(connector.connector_id, "TxDefaultProfile", connector, now)
        if own is None:
            own = self._highest(0, "TxDefaultProfile", connector, now)
        limits = [limit for limit in (station, own) if limit is not None]
        return min(limits) if limits else None

    def _highest(self, connector_id: int, purpose: str, connector: SimulatedConnector, now: datetime) -> float | None:
        """The limit of the valid profile with the highest stack level."""
        profiles = [
            profile
            for number, profile in self._installed
            if number == connector_id and profile["chargingProfilePurpose"] == purpose
        ]
        for profile in sorted(profiles, key=lambda one: -int(one["stackLevel"])):
            limit = self._limit_of(profile, connector, now)
            if limit is not None:
                return limit
        return None

    def _limit_of(self, profile: Payload, connector: SimulatedConnector, now: datetime) -> float | None:
        valid_from, valid_to = parse_time(profile.get("validFrom")), parse_time(profile.get("validTo"))
        if (valid_from is not None and now < valid_from) or (valid_to is not None and now >= valid_to):
            return None
        schedule = profile["chargingSchedule"]
        elapsed_s = (now - _start(profile, connector, now)).total_seconds()
        if elapsed_s < 0 or elapsed_s >= schedule.get("duration", float("inf")):
            return None
        begun = [period for period in schedule["chargingSchedulePeriod"] if period["startPeriod"] <= elapsed_s]
        return self._watts(begun[-1], schedule["chargingRateUnit"]) if begun else None

    def _watts(self, period: Payload, unit: str) -> float:
        limit = float(period["limit"])
        return limit if unit == "W" else self._settings.watts(limit, period.get("numberPhases"))


def composite_schedule(offered_w: float, duration_s: int, now_text: str) -> dict[str, Any]:
    """GetCompositeSchedule's schedule, simplified to one period: the present limit goes on."""
    return {
        "startSchedule": now_text,
        "duration": duration_s,
        "chargingRateUnit": "W",
        "chargingSchedulePeriod": [{"startPeriod": 0, "limit": round(offered_w, 1)}],
    }


def profile_is_usable(profile: Payload) -> bool:
    """The first period starts at 0 and the purpose is known (OCPP 1.6 §7.12, erratum 3.69)."""
    periods: Iterable[Payload] = profile["chargingSchedule"]["chargingSchedulePeriod"]
    starts = [period["startPeriod"] for period in periods]
    return profile["chargingProfilePurpose"] in PURPOSES and starts[:1] == [0] and starts == sorted(starts)


def _start(profile: Payload, connector: SimulatedConnector, now: datetime) -> datetime:
    absolute = parse_time(profile["chargingSchedule"].get("startSchedule"))
    if profile["chargingProfileKind"] == "Recurring" and absolute is not None:
        turn = timedelta(days=7 if profile.get("recurrencyKind") == "Weekly" else 1)
        return now - (now - absolute) % turn
    if profile["chargingProfileKind"] == "Absolute" and absolute is not None:
        return absolute
    return now if connector.transaction is None else connector.transaction.started_at


def _place(connector_id: int, profile: Payload) -> tuple[int, str, int]:
    return connector_id, profile["chargingProfilePurpose"], profile["stackLevel"]


def _matches(connector_id: int, profile: Payload, wanted: Payload) -> bool:
    if "id" in wanted:
        return bool(profile["chargingProfileId"] == wanted["id"])
    found = {"connectorId": connector_id, **profile}
    return all(
        wanted.get(name, found[name]) == found[name] for name in ("connectorId", "chargingProfilePurpose", "stackLevel")
    )
