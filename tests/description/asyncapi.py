"""The phones' socket in AsyncAPI 3.0, from the types of its messages and the form of its channels."""

from __future__ import annotations

from typing import Any

import msgspec

import evpower
from evpower.http.app import V1
from evpower.http.phones.answer_types.live import SENT
from evpower.http.phones.live import IDLE_S, MESSAGE_BYTES_MAX, MESSAGES_PER_SECOND_MAX, PING_EVERY_S
from evpower.http.phones.live_messages import CHANNEL
from evpower.http.wire.kinds import Schema, anchored
from evpower.identifiers import CLIENT_ID

PATHS = {"locations": f"{V1}/ws/locations", "locationsAlias": f"{V1}/locations/ws/locations"}
DESCRIPTION = (
    f"Text frames with one JSON object each, at most {MESSAGE_BYTES_MAX} bytes and {MESSAGES_PER_SECOND_MAX} a second. "
    f"The server pings every {PING_EVERY_S} s; it closes with 1000 after {IDLE_S} s in which nothing came, 1001 when "
    "it goes, 1008 for a malformed client_id or a foreign origin, 1009 for too large a message, 1013 when too many "
    "sockets are open or this one does not keep up."
)
CHANNELS = "all, location:ID, location_stations:ID, station:ID_OR_SERIAL"
TOPIC = {"type": "string", "pattern": anchored(CHANNEL)}


def received() -> dict[str, Schema]:
    """What phones send, in the seed's form and in the app's, by the message's name."""
    actions = {"enum": ["subscribe", "unsubscribe"]}
    seed = _object(action=actions, channel=TOPIC)
    app = _object(type=actions, data=_object(channel=TOPIC))
    ping = {"enum": ["ping"]}
    return {
        "subscribe": {
            "anyOf": [seed, app],
            "description": "all, location:ID, location_stations:ID, station:ID_OR_SERIAL",
        },
        "ping": {"anyOf": [_object(action=ping), _object(type=ping)]},
    }


def _object(**properties: Schema) -> Schema:
    return {"type": "object", "properties": properties, "required": list(properties)}


def asyncapi() -> dict[str, Any]:
    """The document."""
    schemas, components = msgspec.json.schema_components(SENT.values(), ref_template="#/components/schemas/{name}")
    payloads = {**dict(zip(SENT, schemas, strict=True)), **received()}
    channels = {
        name: {
            "address": path,
            "description": DESCRIPTION,
            "messages": {message: {"$ref": f"#/components/messages/{message}"} for message in payloads},
            "bindings": {"ws": {"method": "GET", "query": _query(), "bindingVersion": "0.1.0"}},
        }
        for name, path in PATHS.items()
    }
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "EvPower: changes of the network", "version": evpower.__version__},
        "servers": {"demo": {"host": "127.0.0.1:8080", "protocol": "ws"}},
        "channels": channels,
        "operations": {
            "fromPhone": _operation("receive", list(received())),
            "toPhone": _operation("send", list(SENT)),
        },
        "components": {
            "messages": {name: {"name": name, "payload": payload} for name, payload in payloads.items()},
            "schemas": components,
        },
    }


def _query() -> Schema:
    named = {"type": "string", "pattern": anchored(CLIENT_ID), "description": "left out: the server makes one"}
    return {"type": "object", "properties": {"client_id": named}}


def _operation(action: str, messages: list[str]) -> dict[str, Any]:
    channel = "#/channels/locations"
    return {
        "action": action,
        "channel": {"$ref": channel},
        "messages": [{"$ref": f"{channel}/messages/{message}"} for message in messages],
    }
