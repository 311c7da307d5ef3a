"""Which right a route of operators needs, and who asks for it (contract/roadmap/identity §3).

A route says what it needs beside its address. What says nothing is refused to everyone (`tests/http/operators`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from quart import current_app, g, request

from evpower.errors import Forbidden
from evpower.staff.records import Acting
from evpower.staff.rights import Extent, Right

View = TypeVar("View", bound=Callable[..., Any])
NO_RIGHT = "Недостаточно прав"
NOT_OWN = "Это не ваша станция"
NEED = "need"


@dataclass(frozen=True)
class Need:
    """What a route needs.

    `filters`: the route itself shows nothing of other people's stations (`who().has_station`). A route with a station
    or a location in its address needs no filter. Any other is shut to a person who has only stations of their own.
    `before_second_factor`: it writes, and yet needs no second factor shown before.
    """

    right: Right
    filters: bool = False
    before_second_factor: bool = False


def needs(right: Right, *, filters: bool = False, before_second_factor: bool = False) -> Callable[[View], View]:
    """Mark a view with what it needs; the door checks it (`operators/admin.py`)."""

    def mark(view: View) -> View:
        setattr(view, NEED, Need(right, filters, before_second_factor))
        return view

    return mark


def need_of(view: object) -> Need | None:
    """What a view needs; None when it does not say."""
    need = getattr(view, NEED, None)
    return need if isinstance(need, Need) else None


def act_as(acting: Acting) -> None:
    """Who acts in the present request."""
    g.acting, g.actor = acting, acting.actor


def who() -> Acting:
    """Who acts in the present request."""
    acting = g.acting
    assert isinstance(acting, Acting)
    return acting


def require_right(acting: Acting) -> Need:
    """What the present route needs, which `acting` has. Raises Forbidden when they do not, with a `reason`."""
    need = need_of(current_app.view_functions.get(request.endpoint or ""))
    extent = Extent.NONE if need is None else acting.extent(need.right)
    if need is None or extent is Extent.NONE:
        raise Forbidden(NO_RIGHT, reason="no_right")
    if extent is Extent.OWN:
        _require_own(acting, need)
    return need


def _require_own(acting: Acting, need: Need) -> None:
    named = request.view_args or {}
    if "station_id" in named:
        is_own = acting.has_station(named["station_id"])
    elif "location_id" in named:
        is_own = acting.has_location(named["location_id"])
    elif need.filters:
        return
    else:
        raise Forbidden(NO_RIGHT, reason="no_right")
    if not is_own:
        raise Forbidden(NOT_OWN, reason="not_own")
