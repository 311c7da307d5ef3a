"""The files of `docs/` that are written from the application, and how each is written."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from tests.description.asyncapi import asyncapi
from tests.description.requests import collection

DOCS = Path(__file__).parents[2] / "docs"


def asyncapi_text() -> str:
    """`docs/asyncapi.json`."""
    return json.dumps(asyncapi(), ensure_ascii=False, indent=2) + "\n"


FILES: dict[Path, Callable[[], str]] = {DOCS / "asyncapi.json": asyncapi_text, DOCS / "requests.http": collection}
