"""A hook of Schemathesis: a driver names no other client, for that is refused before anything is looked at."""

from __future__ import annotations

from typing import Any

import schemathesis


@schemathesis.hook
def before_call(_context: schemathesis.HookContext, case: schemathesis.Case[Any], _kwargs: dict[str, Any]) -> None:
    """No client in the query and the body; the word for oneself where the path names one."""
    for part in (case.query, case.body):
        if isinstance(part, dict):
            part.pop("client_id", None)
    if "client_id" in (case.path_parameters or {}):
        case.path_parameters["client_id"] = "get"
