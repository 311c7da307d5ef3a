"""The one way an answer is written: JSON, whatever the status (contract/rest-api §1.2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from quart import Response

from evpower.http.wire.values import jsonable
from evpower.urls import without_password


@dataclass(frozen=True)
class Answer:
    """A body and its HTTP status, before it is written."""

    body: Mapping[str, Any]
    status: int = 200


def written(answer: Answer) -> Response:
    """The answer as bytes with its content type."""
    return written_bytes(msgspec.json.encode(answer.body), answer.status)


def written_data(data: object) -> Response:
    """What administrators and operators are shown: a view, in the envelope of the administrators' door (§7.7).

    Whatever URL is in it, such as a charger's own setting, is without its password (safe by default 11).
    """
    body = msgspec.json.encode({"success": True, "data": jsonable(data)})
    return written_bytes(without_password(body.decode()).encode())


def written_bytes(body: bytes, status: int = 200) -> Response:
    """JSON that is already encoded."""
    return Response(body, status=status, content_type="application/json")
