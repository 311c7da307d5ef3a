"""Values as JSON carries them on every door (contract/rest-api §1.3-1.4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

Body = dict[str, Any]


def instant(at: datetime) -> str:
    """UTC with `Z` and microseconds, the one form every reader accepts (§1.4)."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}Z"


def instant_or_null(at: datetime | None) -> str | None:
    """For the few times §1.3 lets be null."""
    return None if at is None else instant(at)


def number(value: Decimal | float) -> int | float:
    """A JSON number without useless zeros: 270, 13.5."""
    as_float = float(value)
    return int(as_float) if as_float.is_integer() else as_float


def kwh(energy_wh: int) -> int | float:
    """Wh as kWh with at most three decimals, without binary noise."""
    return number(Decimal(energy_wh) / 1000)


def known(body: Mapping[str, Any]) -> Body:
    """The body without its unknown values (§1.3)."""
    return {key: value for key, value in body.items() if value is not None}


def jsonable(value: object) -> Any:
    """A view's free-form part (an error's details, a tariff rule) as JSON can carry it."""
    if isinstance(value, datetime):
        return instant(value)
    if isinstance(value, Decimal):
        return number(value)
    if isinstance(value, Mapping):
        return {str(key): jsonable(part) for key, part in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [jsonable(part) for part in value]
    return value
