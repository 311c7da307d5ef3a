"""What the phones' socket says and hears, message by message; pure (contract/websocket-api §2-4)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import msgspec

from evpower.http.phones.answer_types.live import (
    ErrorBody,
    GreetingBody,
    LiveConnectorBody,
    LocationUpdateBody,
    PongBody,
    StationFactsBody,
    StationUpdateBody,
    SubscriptionBody,
)
from evpower.http.wire.values import instant
from evpower.identifiers import STATION_NAME, ClientId
from evpower.network.counts import LocationCounts
from evpower.network.listing import ListedConnector, ListedStation

ALL = "all"
LOCATION = "location:"
STATIONS = "location_stations:"
#: By id or serial number (field ruling 6.9).
STATION = "station:"
#: What may follow a channel's colon; an unknown location or station is accepted, and nothing arrives.
CHANNEL = re.compile(rf"all|(?:location|location_stations):[^\s:\x00-\x1f]{{1,64}}|station:{STATION_NAME.pattern}")

BAD_JSON = "Неверный формат JSON"
UNKNOWN_ACTION = "Неизвестное действие"
NO_CHANNEL = "Не указан канал"
UNKNOWN_CHANNEL = "Неизвестный канал"
TOO_MANY_CHANNELS = "Слишком много подписок"


@dataclass(frozen=True)
class Subscribe:
    """`subscribed` False means unsubscribe."""

    channel: str
    subscribed: bool


@dataclass(frozen=True)
class Ping:
    pass


@dataclass(frozen=True)
class Wrong:
    """What cannot be understood, and the text for the phone."""

    message: str


def read_message(text: str | bytes) -> Subscribe | Ping | Wrong:
    """A phone's message, in the seed's dialect (`action`, `channel`) or the app's (`type`, `data.channel`) (§3)."""
    try:
        message = msgspec.json.decode(text)
    except (msgspec.MsgspecError, UnicodeDecodeError, ArithmeticError, RecursionError):
        return Wrong(BAD_JSON)
    if not isinstance(message, dict):
        return Wrong(UNKNOWN_ACTION)
    match message.get("action", message.get("type")):
        case "ping":
            return Ping()
        case "subscribe":
            return _subscription(message, subscribed=True)
        case "unsubscribe":
            return _subscription(message, subscribed=False)
        case _:
            return Wrong(UNKNOWN_ACTION)


def _subscription(message: Mapping[str, Any], *, subscribed: bool) -> Subscribe | Wrong:
    channel, data = message.get("channel"), message.get("data")
    if channel is None and isinstance(data, dict):
        channel = data.get("channel")
    if channel is None or channel == "":
        return Wrong(NO_CHANNEL)
    if not isinstance(channel, str) or CHANNEL.fullmatch(channel) is None:
        return Wrong(UNKNOWN_CHANNEL)
    return Subscribe(channel, subscribed)


def greeting(client_id: ClientId) -> GreetingBody:
    """The first message (§2)."""
    return {
        "type": "connection",
        "status": "connected",
        "client_id": client_id,
        "message": "Подключено к обновлениям локаций",
    }


def subscription(change: Subscribe) -> SubscriptionBody:
    """The confirmation, also of what changed nothing (§3)."""
    status: Literal["subscribed", "unsubscribed"] = "subscribed" if change.subscribed else "unsubscribed"
    return {"type": "subscription", "status": status, "channel": change.channel}


def pong(now: datetime) -> PongBody:
    """Unix seconds (§3)."""
    return {"type": "pong", "timestamp": now.timestamp()}


def error(message: str) -> ErrorBody:
    """The socket stays open."""
    return {"type": "error", "message": message}


def location_update(location_id: str, counts: LocationCounts, at: datetime) -> LocationUpdateBody:
    """`location_status_update` in the seed's form and, beside it, flat as the app reads it (§4.1)."""
    stations, connectors = counts.stations, counts.connectors
    timestamp = instant(at)
    return {
        "type": "location_status_update",
        "data": {
            "location_id": location_id,
            "status": counts.status,
            "available_connectors": connectors.available,
            "total_connectors": connectors.total,
            "stations_count": stations.total,
            "available_stations": stations.available,
            "occupied_stations": stations.occupied,
            "offline_stations": stations.offline,
            "maintenance_stations": stations.maintenance,
            "timestamp": timestamp,
        },
        "location_id": location_id,
        "status": counts.status,
        "available_connectors": connectors.available,
        "stations_summary": msgspec.to_builtins(stations),
        "connectors_summary": msgspec.to_builtins(connectors),
        "timestamp": timestamp,
    }


def station_update(station: ListedStation, at: datetime) -> StationUpdateBody:
    """`station_status_update` in both forms, with every configured connector (§4.2)."""
    data: StationFactsBody = {
        "station_id": station.id,
        "location_id": station.location_id,
        "status": station.status,
        "connectors": [_connector(each, station) for each in station.connectors],
        "timestamp": instant(at),
    }
    return {
        "type": "station_status_update",
        "data": data,
        **data,
        "available_connectors": station.connectors_summary.available,
        "occupied_connectors": station.connectors_summary.occupied,
        "serial_number": station.serial_number,
    }


def _connector(connector: ListedConnector, station: ListedStation) -> LiveConnectorBody:
    body: LiveConnectorBody = {
        "connector_id": connector.connector_id,
        "id": connector.connector_id,
        "status": connector.socket_status,
        "available": station.offers(connector),
        "type": connector.connector_type,
    }
    if connector.power_kw is not None:
        body["power_kw"] = connector.power_kw
    return body
