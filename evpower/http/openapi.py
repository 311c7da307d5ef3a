"""An application's routes in OpenAPI 3.1, written from what stands beside each handler (`wire/described.py`)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from types import FunctionType, UnionType
from typing import Any, NotRequired, TypedDict, get_args, is_typeddict

import msgspec
from quart import Blueprint, Quart, Response
from werkzeug.routing import Rule

from evpower.errors import EvPowerError
from evpower.http.wire.access import CORRELATION_ID
from evpower.http.wire.aliases import LEGACY
from evpower.http.wire.answers import written_bytes
from evpower.http.wire.described import (
    PATH_PART,
    Description,
    FreeForm,
    RequestBody,
    WrongField,
    described,
    description_of,
    fields_of,
    path_template,
)
from evpower.http.wire.idempotency import HEADER as IDEMPOTENCY_KEY
from evpower.http.wire.idempotency import KEY
from evpower.http.wire.kinds import Schema, anchored
from evpower.http.wire.problems import HTTP_PROBLEMS, INTERNAL, STATUS_OF, TIMED_OUT, UNAVAILABLE
from evpower.http.wire.requests import SESSION_ID
from evpower.identifiers import CLIENT_ID, STATION_ID, STATION_NAME

TITLE = "EvPower"
VERSIONED = re.compile(rf"{LEGACY}/v\d+/")
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
#: What may stand in an address in the place of a part; every other part is any text.
PARTS = {"client_id": CLIENT_ID, "session_id": SESSION_ID, "station_id": STATION_ID, "name": STATION_NAME}
#: Of the demo's network, for whoever tries a route out.
EXAMPLES: Mapping[str, object] = {
    "client_id": "test-client-123",
    "station_id": "EVP-TEST-01",
    "name": "EVP-TEST-01",
    "location_id": "EVP-LOC-001",
    "connector_id": 1,
    "energy_kwh": 20,
    "amount_som": 270,
    "amount": 100,
    "phone": "+996555123456",
    "email": "driver@example.org",
    "reason": "agreed by phone",
}
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
                yield DescribedRoute(method, path_template(rule.rule), PATH_PART.findall(rule.rule), description)


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


def openapi_routes(app: Quart, version: str) -> Blueprint:
    """`/openapi.json` at the root, written when it is first asked for."""
    routes = Blueprint("openapi", __name__)
    document: list[bytes] = []

    @routes.get("/openapi.json")
    @described("This description", caller="anyone", answer=FreeForm)
    async def describe() -> Response:
        if not document:
            document.append(msgspec.json.encode(openapi(app, version)))
        return written_bytes(document[0])

    return routes


class _Schemas:
    """The types of all answers and bodies as JSON Schema, each named once."""

    components: Schema

    def __init__(self, found: Sequence[DescribedRoute]) -> None:
        types: list[object] = [ProblemBody]
        for operation in found:
            description = operation.description
            for each in (description.answer, description.data, description.body, *description.failures.values()):
                types += _types_in(each)
        self._types = types
        described_types, components = msgspec.json.schema_components(
            types, ref_template=REFERENCE, schema_hook=_of_anything
        )
        self._schemas: list[Schema] = [_as_written(schema) for schema in described_types]
        self.components = _as_written(components)
        self.components["ProblemBody"]["properties"] |= {
            "success": {"type": "boolean", "const": False},
            "error": {"type": "string", "enum": error_codes()},
        }

    def of(self, wanted: object) -> Schema:
        """The schema of a type that one of the operations names, or of several types of which it is one."""
        found = [self._schemas[self._place(each)] for each in _types_in(wanted)]
        return found[0] if len(found) == 1 else {"anyOf": found}

    def _place(self, wanted: object) -> int:
        return next(place for place, each in enumerate(self._types) if each is wanted)


def _types_in(described: object) -> Sequence[object]:
    """The types of which a description names one or several; a reader and a schema are none."""
    several = described if isinstance(described, tuple) else (described,)
    named = [each for each in several if each is not None and not isinstance(each, FunctionType | partial | Mapping)]
    return [part for each in named for part in alternatives(each)]


def _of_anything(kind: type) -> Schema:
    """What a station sent is shown as it came."""
    if kind is object:
        return {"description": "as it came"}
    raise NotImplementedError


def alternatives(answer: object) -> tuple[object, ...]:
    """The bodies an answer may have, `A | B`: msgspec takes no union of them."""
    parts = get_args(answer) if isinstance(answer, UnionType) else ()
    return parts if parts and all(map(is_typeddict, parts)) else (answer,)


def _as_written(schema: Any) -> Any:
    """As JSON: decimals are text to msgspec and numbers in our answers (`jsonable`), and a tuple is a list."""
    if isinstance(schema, Mapping):
        if schema.get("format") == "decimal":
            return {"type": "number"}
        return {key: _as_written(part) for key, part in schema.items()}
    return [_as_written(part) for part in schema] if isinstance(schema, list | tuple) else schema


def error_codes() -> list[str]:
    """Every `error` that an answer may have."""
    ours = {kind.code for known, _ in STATUS_OF for kind in _kinds_of(known)}
    framework = {code for code, _ in (*HTTP_PROBLEMS.values(), INTERNAL, UNAVAILABLE, TIMED_OUT)}
    return sorted(ours | framework)


def _kinds_of(kind: type[EvPowerError]) -> Iterator[type[EvPowerError]]:
    """It and what the rooms derive from it; a test's own kinds are none of ours."""
    if kind.__module__.startswith("evpower."):
        yield kind
    for each in kind.__subclasses__():
        yield from _kinds_of(each)


def _route_object(route: DescribedRoute, schemas: _Schemas) -> Schema:
    description = route.description
    written: Schema = {
        "operationId": _operation_id(route),
        "tags": [_tag(route.path)],
        "summary": description.summary,
        "parameters": _parameters(route),
        "responses": _responses(description, schemas),
        "security": {"client": [{}, {BEARER: []}], "staff": [{BEARER: []}]}.get(description.caller, []),
    }
    if route.is_deprecated:
        written["deprecated"] = True
    if route.method != "GET" and description.body is not None:
        written["requestBody"] = _request_body(description.body, schemas)
    if route.method != "GET" and description.takes:
        written["requestBody"] = {"content": {media_type: {"schema": {}} for media_type in description.takes}}
    return written


def _operation_id(route: DescribedRoute) -> str:
    return re.sub(r"\W+", "_", f"{route.method.lower()}{route.path}").strip("_")


def _tag(path: str) -> str:
    parts = [part for part in path.split("/") if part not in ("", "api", "v1")]
    return parts[0] if parts else "service"


def _parameters(route: DescribedRoute) -> list[Schema]:
    found: list[Schema] = [
        {"name": part, "in": "path", "required": True, "schema": _with_example(part, _part_schema(part))}
        for part in route.parts
    ]
    for field in () if route.description.query is None else fields_of(route.description.query):
        schema = _with_example(field.name, field.schema)
        found.append({"name": field.name, "in": "query", "required": field.required, "schema": schema})
    if route.description.keyed:
        found.append({"name": IDEMPOTENCY_KEY, "in": "header", "schema": {"type": "string", "pattern": anchored(KEY)}})
    return found


def _with_example(name: str, schema: Schema) -> Schema:
    # Of a few words each is an example.
    return schema if name not in EXAMPLES or "enum" in schema else {**schema, "examples": [EXAMPLES[name]]}


def _part_schema(part: str) -> Schema:
    pattern = PARTS.get(part)
    return {"type": "string", "minLength": 1} | ({} if pattern is None else {"pattern": anchored(pattern)})


def _request_body(body: RequestBody, schemas: _Schemas) -> Schema:
    if isinstance(body, Mapping):
        schema, required = dict(body), bool(body.get("required"))
    elif _types_in(body):
        schema, required = schemas.of(body), False
    else:
        assert isinstance(body, FunctionType | partial)
        fields = fields_of(body)
        needed = [field.name for field in fields if field.required]
        required = bool(needed)
        # Null is the same as absent, and fields that nobody knows are ignored.
        schema = {
            "type": "object",
            "properties": {
                field.name: _with_example(
                    field.name, field.schema if field.required else {"anyOf": [field.schema, {"type": "null"}]}
                )
                for field in fields
            },
            "required": needed,
        }
    return {"required": required, "content": {"application/json": {"schema": schema}}}


def _responses(description: Description, schemas: _Schemas) -> Schema:
    problem = schemas.of(ProblemBody)
    schema: Schema = {}
    if description.data is not None:
        schema = {
            "type": "object",
            "properties": {"success": {"type": "boolean", "const": True}, "data": schemas.of(description.data)},
            "required": ["success", "data"],
        }
    elif description.answer is not None:
        schema = schemas.of(description.answer)
    if description.refused == 200:
        schema = {"anyOf": [schema, problem]}
    text = "Success, or a refusal" if description.refused == 200 else "Success"
    answered = {"200": _response(text, schema, description.media_type)}
    answered["200"]["content"] |= {each: {"schema": {}} for each in description.also}
    for status, kind in description.failures.items():
        answered[str(status)] = _response("Failure", schemas.of(kind))
    return answered | {"default": _response("The error envelope", problem)}


def _response(text: str, schema: Schema, media_type: str = "application/json") -> Schema:
    headers = {CORRELATION_ID: {"schema": {"type": "string"}}}
    return {"description": text, "headers": headers, "content": {media_type: {"schema": schema}}}
