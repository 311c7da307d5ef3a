"""Holds every answer that a test gets to what the door's description says of it, to the last key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from jsonschema import Draft202012Validator
from quart import Quart, Response, request

from evpower.http.openapi import openapi
from evpower.http.wire.described import path_template

JSON = "application/json"


class Undescribed(AssertionError):
    """An answer has what its description does not; the message names the door."""


def hold_to_description(app: Quart) -> None:
    """From now on an answer that is not as described fails its request (500, with `Undescribed` in the log)."""
    document = openapi(app, "1.0.0")
    answers = strict(document)

    async def check(response: Response) -> Response:
        rule = request.url_rule
        operations = answers["paths"].get(path_template(rule.rule), {}) if rule is not None else {}
        operation = operations.get(request.method.lower())
        if operation is None:
            return response
        described = operation["responses"].get(str(response.status_code), operation["responses"]["default"])
        for wrong in wrong_with(response.content_type or "", await response.get_data(), described, answers):
            raise Undescribed(f"{request.method} {rule}: {response.status_code}: {wrong}")
        return response

    app.after_request(check)


def wrong_with(
    media_type: str, body: bytes | str, described: Mapping[str, Any], document: Mapping[str, Any]
) -> list[str]:
    """What of an answer is not as described; empty when all is."""
    content = described["content"].get(media_type.partition(";")[0])
    if content is None:
        return [f"{media_type} is not described"]
    if media_type != JSON:
        return []
    schema = {**content["schema"], "components": document["components"]}
    problems = Draft202012Validator(schema).iter_errors(msgspec.json.decode(body))
    return [f"{each.json_path}: {each.message}" for each in problems]


def strict(schema: Any) -> Any:
    """The schema with no key but those it names, except where an error has facts of its own."""
    if isinstance(schema, list):
        return [strict(each) for each in schema]
    if not isinstance(schema, Mapping):
        return schema
    closed = {key: strict(part) for key, part in schema.items()}
    is_object = schema.get("type") == "object" and "properties" in schema
    return closed | {"additionalProperties": False} if is_object and schema.get("title") != "ProblemBody" else closed
