"""The one way an answer is written: JSON, whatever the status (contract/rest-api §1.2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from quart import Response


@dataclass(frozen=True)
class Answer:
    """A body and its HTTP status, before it is written."""

    body: Mapping[str, Any]
    status: int = 200


def written(answer: Answer) -> Response:
    """The answer as bytes with its content type."""
    return Response(msgspec.json.encode(answer.body), status=answer.status, content_type="application/json")
