"""A collection of requests, one for each described route, as editors and command-line clients read `.http` files."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from evpower.http.openapi import EXAMPLES, openapi
from evpower.settings.config import Config
from tests.http.whole_app import whole_app

HEAD = """# Every request of the HTTP API, against `make run`. Written by `make describe` from what /openapi.json says.

@host = http://127.0.0.1:8080
@admin_token = put EVPOWER_ADMIN_TOKEN here
"""
#: What stands in an address or a body in the place of what the server gave.
OTHERS: Mapping[str, object] = {
    "session_id": "SESSION-OF-THE-START",
    "invoice_id": "INVOICE-OF-THE-TOP-UP",
    "card_pan": "4111111111111111",
    "card_name": "TEST CARD",
    "card_cvv": "123",
    "card_year": "30",
    "card_month": "12",
    "card_token": "TOKEN-OF-THE-BANK",
    "code": "123456",
    "password": "sixteen-letters!",
    "id": "NEW-ID",
    "serial_number": "NEW-SERIAL",
    "address": "ул. Московская, 123",
    "tariff_type": "per_kwh",
    "price": 13.5,
    "connector_number": 1,
    "days": 14,
    "subscription": {"endpoint": "https://fcm.googleapis.com/OF-THE-BROWSER", "keys": {"p256dh": "KEY", "auth": "KEY"}},
}


def collection() -> str:
    """`docs/requests.http`."""
    return "\n".join([HEAD, *requests()])


def document() -> dict[str, Any]:
    """What the collection is made of: deprecated paths are left out."""
    return openapi(whole_app(Config()), "1.0.0")


def requests() -> Iterator[str]:
    """Each route's request."""
    for path, methods in document()["paths"].items():
        for method, described in methods.items():
            if not described.get("deprecated"):
                yield request(path, method.upper(), described)


def request(path: str, method: str, described: Mapping[str, Any]) -> str:
    """One request with its headers and its body."""
    for part in (each for each in described["parameters"] if each["in"] == "path"):
        path = path.replace(f"{{{part['name']}}}", quote(str(example(part["name"], part["schema"]))))
    query = "&".join(
        f"{each['name']}={quote(str(example(each['name'], each['schema'])))}"
        for each in described["parameters"]
        if each["in"] == "query" and each["required"]
    )
    lines = [f"### {described['summary']}", f"{method} {{{{host}}}}{path}{f'?{query}' if query else ''}"]
    if {"bearer": []} in described["security"] and {} not in described["security"]:
        lines.append("Authorization: Bearer {{admin_token}}")
    if any(each["name"] == "Idempotency-Key" for each in described["parameters"]):
        lines.append("Idempotency-Key: {{$guid}}")
    schema = described.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    if schema.get("properties"):
        lines += ["Content-Type: application/json", "", json.dumps(body_of(schema), ensure_ascii=False)]
    return "\n".join([*lines, ""])


def body_of(schema: Mapping[str, Any]) -> dict[str, object]:
    """Every field that must be there, and those that have an example."""
    named = [name for name in schema["properties"] if name in schema["required"] or name in EXAMPLES]
    return {name: example(name, schema["properties"][name]) for name in named}


def example(name: str, schema: Mapping[str, Any]) -> object:
    """A value for a field."""
    if "enum" in schema:
        return schema["enum"][0]
    if schema.get("properties"):
        return body_of(schema)
    if schema.get("minItems"):
        return [example(name, schema["items"])]
    if name in EXAMPLES or name in OTHERS:
        return EXAMPLES.get(name, OTHERS.get(name))
    least = max(1, schema.get("minimum", 1))
    return {"boolean": True, "integer": least, "number": 1, "array": []}.get(str(schema.get("type")), name.upper())
