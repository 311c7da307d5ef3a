"""Why a connector is not to be had (contract/rest-api §1.7)."""

from __future__ import annotations

from datetime import datetime

from evpower.errors import Refusal


class UnknownStation(Refusal):
    code = "station_not_found"
    message = "Станция не найдена или отключена администратором"


class StationInactive(Refusal):
    code = "station_unavailable"
    message = "Станция недоступна"


class StationUnderMaintenance(Refusal):
    code = "station_maintenance"
    message = "Станция на техническом обслуживании"


class StationOffline(Refusal):
    code = "station_offline"

    def __init__(self, last_heartbeat_at: datetime | None, now: datetime) -> None:
        if last_heartbeat_at is None:
            super().__init__("Станция недоступна (офлайн)")
        else:
            minutes = int((now - last_heartbeat_at).total_seconds() // 60)
            super().__init__(f"Станция недоступна (офлайн {minutes} минут)", last_heartbeat=last_heartbeat_at)


class ConnectorFaulted(Refusal):
    code = "connector_faulted"
    message = "Коннектор занят или неисправен"


class ConnectorUnavailable(Refusal):
    code = "connector_unavailable"
    message = "Коннектор недоступен"


class ConnectorOccupied(Refusal):
    code = "connector_occupied"
    message = "Коннектор занят или неисправен"
