"""`/stations/{id}/do/{act}`: the form of an act, and `/stations/{id}/asked/{key}`: what came of it, in its place.

asked 03:12:50 → waiting 12 s of 30 → Accepted | Rejected | offline | no answer: it may still act on it (§4).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from math import isfinite
from typing import Any, Literal
from zoneinfo import ZoneInfo

import trio
from quart import Blueprint, Response, redirect, request

from evpower.administration.charge_views import ChargeFilter, ChargeViews
from evpower.administration.records import Page
from evpower.attention.cells import StationCells
from evpower.attention.picture import Pictures
from evpower.clock import Clock
from evpower.digits import INT32_MAX, whole_number
from evpower.errors import InvalidRequest, NotFound, StationNotFound
from evpower.identifiers import StationId
from evpower.pages.frame.forms import form_key, form_text
from evpower.pages.frame.shown import Pages
from evpower.pages.frame.som import read_som
from evpower.pages.frame.visitor import Visitor, signed_in
from evpower.pages.stations.acts import ACTS, BY_NAME, local_moment, read_fields
from evpower.pages.stations.station_act import Doers, FormField, StationAct
from evpower.staff.acts import DONE, Intent, OperatorAct, OperatorActs
from evpower.staff.asked_acts import LONGEST_S, AskedActs
from evpower.staff.rights import Right

WITHIN_S = 20
#: What happened to an act, as its page says it.
Stage = Literal["waiting", "late", "unknown", "done", "maybe", "refused"]
#: After these a station may still do what it was asked.
MAY_STILL_ACT = frozenset({"station_offline", "command_timeout"})
CONNECTORS_MAX = 1000


@dataclass(frozen=True)
class Asking:
    """What the forms of a station need."""

    doers: Doers
    charge_views: ChargeViews
    acts: OperatorActs
    asked: AskedActs
    clock: Clock
    #: How long a station has for its answer, once it was asked.
    answer_within_s: float
    timezone: ZoneInfo


def act_stage(act: OperatorAct, now: datetime, answer_within_s: float) -> Stage:
    """How far an act is, by its row alone: any process can say it."""
    if act.outcome is None:
        age_s = (now - act.acted_at).total_seconds()
        return "waiting" if age_s <= answer_within_s else "late" if age_s <= LONGEST_S else "unknown"
    if act.outcome == DONE:
        return "done"
    return "maybe" if act.outcome in MAY_STILL_ACT else "refused"


def may_do(visitor: Visitor, act: StationAct, station_id: str) -> bool:
    """Whether the visitor has every right that an act needs, here."""
    return all(visitor.may(right, station_id) for right in act.rights)


def asking_routes(asking: Asking, pictures: Pictures, pages: Pages) -> Blueprint:
    """Forms, acts, and what came of them."""
    routes = Blueprint("station_acts", __name__, url_prefix="/stations")

    async def cells_of(station_id: str) -> StationCells:
        picture = await pictures.fresh()
        cells = None if picture is None else picture.stations.get(StationId(station_id))
        if cells is None:
            raise StationNotFound
        return cells

    async def form(station_id: str, act: StationAct, *, status: int = 200, **names: Any) -> Response:
        cells = await cells_of(station_id)
        with trio.fail_after(WITHIN_S):
            wanted = ChargeFilter(station=station_id, status="started")
            running = (await asking.charge_views.charges(wanted, Page(CONNECTORS_MAX))).records
        shown = {"wrong": {}, "filled": dict(request.args), **names}
        return await pages.show("stations/act.html", status, station=cells, act=act, running=running, **shown)

    @routes.get("/<station_id>/do/<name>")
    async def ask(station_id: str, name: str) -> Response:
        return await form(station_id, _allowed(station_id, name))

    @routes.post("/<station_id>/do/<name>")
    async def perform(station_id: str, name: str) -> Any:
        act, visitor, key = _allowed(station_id, name), signed_in(), await form_key()
        await cells_of(station_id)
        written = {each.name: await form_text(each.name) for each in act.fields}
        kept = {field: text for field, text in written.items() if field not in act.secrets}
        try:
            given = read_fields(act, written, partial(_read, asking.timezone))
        except InvalidRequest as wrong:
            return await form(station_id, act, status=400, wrong=dict(wrong.fields), filled=kept)
        does = partial(act.does, asking.doers, StationId(station_id), given, visitor.acting.actor)
        detail = json.dumps({field: text for field, text in kept.items() if text}, ensure_ascii=False)
        with trio.fail_after(WITHIN_S):
            await asking.asked.ask(visitor.acting, Intent(key, act.name, station_id, detail), does)
        return redirect(f"/stations/{station_id}/asked/{key}", 303)

    @routes.get("/<station_id>/asked/<key>")
    async def asked(station_id: str, key: str) -> Response:
        signed_in().require(Right.READ, station_id)
        with trio.fail_after(WITHIN_S):
            kept = await asking.acts.act(key)
        if kept is None or kept.target != station_id or kept.act not in BY_NAME:
            raise NotFound
        stage = act_stage(kept, asking.clock.now(), asking.answer_within_s)
        filled = json.loads(kept.detail or "{}")
        names: dict[str, Any] = {"asked": kept, "stage": stage, "within_s": int(asking.answer_within_s)}
        if kept.outcome == InvalidRequest.code:
            wrong = dict(part.split(": ", 1) for part in (kept.answer or "").split("; ") if ": " in part)
            return await form(station_id, BY_NAME[kept.act], filled=filled, wrong=wrong, **names)
        return await pages.show("stations/asked.html", station=await cells_of(station_id), filled=filled, **names)

    return routes


def _allowed(station_id: str, name: str) -> StationAct:
    """The act, when the visitor may do it here. Raises NotFound, Forbidden that names the roles that may."""
    act = BY_NAME.get(name)
    if act is None:
        raise NotFound
    for right in act.rights:
        signed_in().require(right, station_id)
    return act


def allowed_acts(visitor: Visitor, station_id: str, version: str | None) -> list[StationAct]:
    """The buttons of a station that spoke this version of OCPP last."""
    return [act for act in ACTS if act.version in (None, version) and may_do(visitor, act, station_id)]


def _figure(text: str) -> float:
    """A number with a point or a comma. Raises ValueError."""
    try:
        figure = float(text.replace(",", "."))
    except ValueError:
        raise ValueError("no_number") from None
    if not isfinite(figure):
        raise ValueError("no_number")
    return figure


def _read(zone: ZoneInfo, field: FormField, text: str) -> object:
    """A field by its kind. Raises ValueError with the reason."""
    match field.kind:
        case "connector" | "connector_or_station":
            number = whole_number(text, CONNECTORS_MAX)
            if number is None or (number == 0 and field.kind == "connector"):
                raise ValueError("no_such_connector")
            return number
        case "choice":
            if text not in field.choices:
                raise ValueError("not_a_choice")
            return text
        case "moment":
            return local_moment(text, zone)
        case "sum":
            return read_som(text)
        case "number":
            if (count := whole_number(text, INT32_MAX)) is None:
                raise ValueError("no_whole_number")
            return count
        case "figure":
            return _figure(text)
        case _:
            return text
