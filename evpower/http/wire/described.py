"""What a door takes and answers, said beside its handler and once: `/openapi.json` is written from it (issue G §7).

A request is described by the very function that reads it: run with a `_Recorder` instead of a body, it asks for its
fields, and the recorder writes down each one's name and kind. An answer is described by a type, and the tests hold
every answer they get to it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, TypedDict, TypeVar

from msgspec import Meta

from evpower.http.wire.kinds import FieldKind, Schema
from evpower.http.wire.requests import BodyFields

T = TypeVar("T")
View = TypeVar("View", bound=Callable[..., object])
Reader = Callable[[BodyFields], object]
#: What describes a body: its reader, its type, one of several types, or a schema.
RequestBody = Reader | type | tuple[type, ...] | Mapping[str, Any]
#: Whose door it is: anybody's, a client's, an administrator's, a payment provider's.
Caller = Literal["anyone", "client", "staff", "provider"]

#: A part of a path that is a value.
PATH_PART = re.compile(r"<(?:\w+:)?(\w+)>")

#: An instant as §1.4 has it.
Instant = Annotated[
    str, Meta(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$", extra_json_schema={"format": "date-time"})
]
Success = Annotated[bool, Meta(extra_json_schema={"const": True})]
Currency = Literal["KGS"]
#: Any JSON object whose fields are not ours to say.
FreeForm = dict[str, Any]


class WrongField(TypedDict):
    """One field of a request that cannot be read."""

    field: str
    message: str


@dataclass(frozen=True)
class Description:
    """One door. `answer` is the body of a success, `data` what stands in the administrators' envelope instead."""

    summary: str
    caller: Caller
    answer: object
    data: object
    body: RequestBody | None
    query: Reader | None
    #: An Idempotency-Key is obeyed.
    keyed: bool
    #: The HTTP status of a business refusal, where there is any (§1.6).
    refused: Literal[200, 400] | None
    media_type: str
    #: Other media types of a success.
    also: Sequence[str]
    #: Media types of a body that is not ours to describe.
    takes: Sequence[str]
    #: What a door that fails answers beside the error envelope of every door.
    failures: dict[int, object] = field(default_factory=dict)


def described(
    summary: str,
    *,
    caller: Caller | None = None,
    answer: object = None,
    data: object = None,
    body: RequestBody | None = None,
    query: Reader | None = None,
    keyed: bool = False,
    refused: Literal[200, 400] | None = None,
    media_type: str = "application/json",
    also: Sequence[str] = (),
    takes: Sequence[str] = (),
    failures: dict[int, object] | None = None,
) -> Callable[[View], View]:
    """Describe the handler of a route; the route itself is what the application has.

    `data` is what stands in the administrators' envelope, so it says that the door is theirs.
    """
    whose = caller or ("client" if data is None else "staff")
    failures = failures or {}
    description = Description(
        summary, whose, answer, data, body, query, keyed, refused, media_type, also, takes, failures
    )

    def describe(view: View) -> View:
        view.__dict__[_ATTRIBUTE] = description
        return view

    return describe


_ATTRIBUTE = "__description__"


def description_of(view: Callable[..., object]) -> Description | None:
    """What was said of a handler; None when nothing was."""
    found = getattr(view, _ATTRIBUTE, None)
    return found if isinstance(found, Description) else None


@dataclass(frozen=True)
class Field:
    """One field that a reader asks for."""

    name: str
    schema: Schema
    required: bool


def fields_of(reader: Reader) -> Sequence[Field]:
    """The fields a reader asks for, in its order. A reader that ends without a `check` is a fault of ours."""
    recorder = _Recorder()
    try:
        reader(recorder)
    except _Asked:
        return recorder.fields
    raise AssertionError(f"{reader!r} reads fields and never checks them")


class _Asked(Exception):
    """Every field was asked for."""


class _Recorder(BodyFields):
    """No body: every field is as good as there, none has a value, and `check` is where reading ends."""

    def __init__(self) -> None:
        super().__init__({})
        self.fields: list[Field] = []

    def has(self, name: str) -> bool:
        return True

    def check(self) -> None:
        raise _Asked

    def required(self, name: str, kind: FieldKind[T]) -> T | None:
        self.fields.append(Field(name, dict(kind.schema), required=True))
        return None

    def optional(self, name: str, kind: FieldKind[T]) -> T | None:
        self.fields.append(Field(name, dict(kind.schema), required=False))
        return None


def path_template(rule: str) -> str:
    """A route's path as OpenAPI writes it: `/sessions/{session_id}`."""
    return PATH_PART.sub(r"{\1}", rule)
