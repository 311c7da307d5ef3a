"""An application's routes in OpenAPI 3.1, written from what stands beside each handler (`wire/described.py`)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import UnionType
from typing import Any, NotRequired, TypedDict, get_args, is_typeddict

import msgspec
from quart import Quart
from werkzeug.routing import Rule

from evpower import errors
from evpower.errors import EvPowerError
from evpower.http.wire.access import CORRELATION_ID
from evpower.http.wire.aliases import LEGACY
from evpower.http.wire.described import Description, Reader, WrongField, description_of, fields_of
from evpower.http.wire.idempotency import HEADER as IDEMPOTENCY_KEY
from evpower.http.wire.idempotency import KEY
from evpower.http.wire.kinds import Schema, anchored
from evpower.http.wire.problems import HTTP_PROBLEMS, INTERNAL, STATUS_OF, TIMED_OUT, UNAVAILABLE
from evpower.http.wire.requests import SESSION_ID
from evpower.identifiers import CLIENT_ID, STATION_ID, STATION_NAME

TITLE = "EvPower"
VERSIONED = re.compile(rf"{LEGACY}/v\d+/")
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
PATH_PART = re.compile(r"<(?:\w+:)?(\w+)>")
#: What may stand in an address in the place of a part; every other part is any text.
PARTS = {"client_id": CLIENT_ID, "session_id": SESSION_ID, "station_id": STATION_ID, "name": STATION_NAME}
REFERENCE = "#/components/schemas/{name}"
BEARER = "bearer"


class ProblemBody(TypedDict):
    """The error envelope (§1.5); each error has further fields of its own."""

    success: bool
    error: str
    message: str
    reason: NotRequired[str]
    detail: NotRequired[list[WrongField]]
    retry_after: NotRequired[int]


@dataclass(frozen=True)
class DescribedRoute:
    """One method of one path."""

    method: str
    path: str
    parts: Sequence[str]
    description: Description

    @property
    def is_deprecated(self) -> bool:
        """Whether it is one of the old paths (§8)."""
        return self.path.startswith(f"{LEGACY}/") and VERSIONED.match(self.path) is None


def operations(app: Quart) -> Iterator[DescribedRoute]:
    """Every described HTTP route of an application, by path."""
    for rule in _rules(app):
        description = description_of(app.view_functions[rule.endpoint])
        for method in METHODS if description is not None else ():
            if method in (rule.methods or ()):
                assert description is not None
                yield DescribedRoute(
                    method, PATH_PART.sub(r"{\1}", rule.rule), PATH_PART.findall(rule.rule), description
                )


def undescribed(app: Quart) -> list[str]:
    """The paths of routes that `openapi` cannot tell of; a test keeps the list empty."""
    return [rule.rule for rule in _rules(app) if description_of(app.view_functions[rule.endpoint]) is None]


def _rules(app: Quart) -> list[Rule]:
    found = [rule for rule in app.url_map.iter_rules() if not rule.websocket]
    return sorted(found, key=lambda rule: rule.rule)


def openapi(app: Quart, version: str) -> Schema:
    """The document of all described routes."""
    found = list(operations(app))
    schemas = _Schemas(found)
    paths: dict[str, Schema] = {}
    for operation in found:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _route_object(operation, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": TITLE,
            "version": version,
            "description": "Money is som, energy kWh, times are UTC. An unknown value leaves its field out.",
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "schemas": schemas.components,
            "securitySchemes": {BEARER: {"type": "http", "scheme": "bearer"}},
        },
    }


class _Schemas:
    """The types of all answers and bodies as JSON Schema, each named once."""

    components: Schema

    def __init__(self, found: Sequence[DescribedRoute]) -> None:
        types: list[object] = [ProblemBody]
        for operation in found:
            described = operation.description
            types += [each for each in (described.answer, described.data, *described.failures.values()) if each]
            if isinstance(described.body, type):
                types.append(described.body)
        types = [part for each in types for part in alternatives(each)]
        self._types = types
        described_types, components = msgspec.json.schema_components(types, ref_template=REFERENCE)
        self._schemas: list[Schema] = [_as_written(schema) for schema in described_types]
        self.components = _as_written(components)
        self.components["ProblemBody"]["properties"] |= {
            "success": {"type": "boolean", "const": False},
            "error": {"type": "string", "enum": error_codes()},
        }

    def of(self, wanted: object) -> Schema:
        """The schema of a type that one of the operations names."""
        if len(parts := alternatives(wanted)) > 1:
            return {"anyOf": [self.of(part) for part in parts]}
        return self._schemas[next(n for n, each in enumerate(self._types) if each is wanted)]


def alternatives(answer: object) -> tuple[object, ...]:
    """The bodies an answer may have, `A | B`: msgspec takes no union of them."""
    parts = get_args(answer) if isinstance(answer, UnionType) else ()
    return parts if parts and all(map(is_typeddict, parts)) else (answer,)


def _as_written(schema: Any) -> Any:
    """Decimals are text to msgspec and numbers in our answers (`jsonable`)."""
    if isinstance(schema, Mapping):
        if schema.get("format") == "decimal":
            return {"type": "number"}
        return {key: _as_written(part) for key, part in schema.items()}
    return [_as_written(part) for part in schema] if isinstance(schema, list) else schema


def error_codes() -> list[str]:
    """Every `error` that an answer may have."""
    kinds = [each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, EvPowerError)]
    ours = {kind.code for kind in kinds if issubclass(kind, tuple(known for known, _ in STATUS_OF))}
    framework = {code for code, _ in (*HTTP_PROBLEMS.values(), INTERNAL, UNAVAILABLE, TIMED_OUT)}
    return sorted(ours | framework)


def _route_object(operation: DescribedRoute, schemas: _Schemas) -> Schema:
    described = operation.description
    written: Schema = {
        "operationId": _operation_id(operation),
        "tags": [_tag(operation.path)],
        "summary": described.summary,
        "parameters": _parameters(operation),
        "responses": _responses(described, schemas),
        "security": {"client": [{}, {BEARER: []}], "staff": [{BEARER: []}]}.get(described.caller, []),
    }
    if operation.is_deprecated:
        written["deprecated"] = True
    if operation.method != "GET" and described.body is not None:
        written["requestBody"] = _request_body(described.body, schemas)
    if operation.method != "GET" and described.takes:
        written["requestBody"] = {"content": {media_type: {"schema": {}} for media_type in described.takes}}
    return written


def _operation_id(operation: DescribedRoute) -> str:
    return re.sub(r"\W+", "_", f"{operation.method.lower()}{operation.path}").strip("_")


def _tag(path: str) -> str:
    parts = [part for part in path.split("/") if part not in ("", "api", "v1")]
    return parts[0] if parts else "service"


def _parameters(operation: DescribedRoute) -> list[Schema]:
    found: list[Schema] = [
        {"name": part, "in": "path", "required": True, "schema": _part_schema(part)} for part in operation.parts
    ]
    if operation.description.query is not None:
        found += [
            {"name": field.name, "in": "query", "required": field.required, "schema": field.schema}
            for field in fields_of(operation.description.query)
        ]
    if operation.description.keyed:
        found.append({"name": IDEMPOTENCY_KEY, "in": "header", "schema": {"type": "string", "pattern": anchored(KEY)}})
    return found


def _part_schema(part: str) -> Schema:
    pattern = PARTS.get(part)
    return {"type": "string", "minLength": 1} | ({} if pattern is None else {"pattern": anchored(pattern)})


def _request_body(body: Reader | type, schemas: _Schemas) -> Schema:
    if isinstance(body, type):
        schema, required = schemas.of(body), True
    else:
        fields = fields_of(body)
        needed = [field.name for field in fields if field.required]
        required = bool(needed)
        # Null is the same as absent, and fields that nobody knows are ignored.
        schema = {
            "type": "object",
            "properties": {
                field.name: field.schema if field.required else {"anyOf": [field.schema, {"type": "null"}]}
                for field in fields
            },
            "required": needed,
        }
    return {"required": required, "content": {"application/json": {"schema": schema}}}


def _responses(described: Description, schemas: _Schemas) -> Schema:
    problem = schemas.of(ProblemBody)
    schema: Schema = {}
    if described.data is not None:
        schema = {
            "type": "object",
            "properties": {"success": {"type": "boolean", "const": True}, "data": schemas.of(described.data)},
            "required": ["success", "data"],
        }
    elif described.answer is not None:
        schema = schemas.of(described.answer)
    if described.refused == 200:
        schema = {"anyOf": [schema, problem]}
    answered = {"200": _response("Success, or a refusal" if described.refused == 200 else "Success", schema, described)}
    for status, kind in described.failures.items():
        answered[str(status)] = _response("Failure", schemas.of(kind))
    return answered | {"default": _response("The error envelope", problem)}


def _response(text: str, schema: Schema, described: Description | None = None) -> Schema:
    media_type = "application/json" if described is None else described.media_type
    headers = {CORRELATION_ID: {"schema": {"type": "string"}}}
    return {"description": text, "headers": headers, "content": {media_type: {"schema": schema}}}
