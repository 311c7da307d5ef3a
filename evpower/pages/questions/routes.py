"""`/questions`: reports that matched nothing, figures that are not believed, charges without a session (§3.1).

The decisions are those of `evpower parked` and `evpower doubts`: made once, with a reason, by who may move money. A
charge without a session is given to a driver as an adjustment, filled in here and decided on the driver's page.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

import trio
from quart import Blueprint, Response, redirect, request

from evpower.administration.finding import Search
from evpower.billing.pricing import PriceQuestion
from evpower.billing.rates import Rates
from evpower.charging.review.doubts import Doubts
from evpower.charging.review.parked import ParkedReports
from evpower.charging.service import ChargingService
from evpower.errors import EvPowerError, InvalidRequest, NotFound, Refusal
from evpower.http.wire.requests import row_id, session_id_or_none
from evpower.identifiers import StationId, WireTransactionId
from evpower.money import som_fixed
from evpower.narrowing import Narrowing
from evpower.network.station_prices import StationPrices
from evpower.pages.frame.forms import TEXT_CHARS_MAX, form_key, form_text
from evpower.pages.frame.shown import Pages
from evpower.pages.frame.visitor import signed_in
from evpower.staff.acts import Intent, OperatorActs
from evpower.staff.rights import Right

WITHIN_S = 20
SHOWN = 100
NEEDED = "обязательное поле"


@dataclass(frozen=True)
class Questions:
    """The services that are asked."""

    parked: ParkedReports
    doubts: Doubts
    charging: ChargingService
    finding: Search
    prices: StationPrices
    acts: OperatorActs


@dataclass(frozen=True)
class Undone:
    """Why nothing was done: shown at the form of `row`, which has what was filled in."""

    row: str
    message: str
    fields: tuple[tuple[str, str], ...]
    given: dict[str, str]


def question_routes(ask: Questions, pages: Pages) -> Blueprint:
    """What waits for a decision at stations of theirs."""
    routes = Blueprint("questions", __name__, url_prefix="/questions")

    @routes.get("")
    async def questions() -> Response:
        return await show()

    async def show(problem: Undone | None = None) -> Response:
        visitor, own = signed_in(), signed_in().acting.own
        visitor.require(Right.READ)
        wanted = Narrowing(limit=SHOWN, of_stations=None if own is None else own.stations)
        with trio.fail_after(WITHIN_S):
            without = await ask.parked.charges_without_session(wanted)
            parked = await ask.parked.parked(wanted, resolved_too=False)
            doubts = await ask.doubts.doubts(wanted, settled_too=False)
        rows = {f"without-{each.transaction_id}" for each in without}
        rows |= {f"parked-{each.id}" for each in parked} | {f"doubt-{each.id}" for each in doubts}
        names = {"without": without, "parked": parked, "doubts": doubts, "problem": problem, "rows": rows}
        return await pages.show("questions/questions.html", 200 if problem is None else 400, **names)

    @routes.post("/parked/<parked_id>")
    async def decide_report(parked_id: str) -> Any:
        visitor, number, key = signed_in(), row_id(parked_id), await form_key()
        visitor.require(Right.MONEY)
        actor = visitor.acting.actor
        try:
            chosen, reason = await _chosen("assign", "dismiss"), await _reason()
            session_id = session_id_or_none(await form_text("session_id")) if chosen == "assign" else None
            if chosen == "assign" and session_id is None:
                raise InvalidRequest(("session_id", NEEDED))

            async def perform() -> None:
                if session_id is None:
                    await ask.parked.dismiss(number, actor=actor, reason=reason)
                else:
                    await ask.parked.assign(number, session_id, actor=actor, reason=reason)

            with trio.fail_after(WITHIN_S):
                await ask.acts.once(visitor.acting, Intent(key, f"parked_{chosen}", f"{number}", reason), perform)
        except (InvalidRequest, NotFound, Refusal) as wrong:
            return await show(await _undone(f"parked-{number}", wrong))
        return redirect("/questions#parked", 303)

    @routes.post("/doubts/<doubt_id>")
    async def decide_doubt(doubt_id: str) -> Any:
        visitor, number, key = signed_in(), row_id(doubt_id), await form_key()
        visitor.require(Right.MONEY)
        actor = visitor.acting.actor
        try:
            chosen, reason = await _chosen("bill", "dismiss"), await _reason()

            async def perform() -> None:
                if chosen == "bill":
                    await ask.doubts.bill(number, actor=actor, reason=reason)
                else:
                    await ask.doubts.dismiss(number, actor=actor, reason=reason)

            with trio.fail_after(WITHIN_S):
                await ask.acts.once(visitor.acting, Intent(key, f"doubt_{chosen}", f"{number}", reason), perform)
        except (InvalidRequest, NotFound, Refusal) as wrong:
            return await show(await _undone(f"doubt-{number}", wrong))
        return redirect("/questions#doubts", 303)

    @routes.post("/stop")
    async def stop_again() -> Any:
        visitor, key = signed_in(), await form_key()
        station_id, transaction_id = StationId(await form_text("station")), await form_text("transaction")
        visitor.require(Right.COMMAND, station_id)

        async def perform() -> str | None:
            actor = visitor.acting.actor
            outcome = await ask.charging.stop_unpaid(station_id, WireTransactionId(transaction_id), actor=actor)
            return None if outcome is None else outcome.name.lower()

        try:
            with trio.fail_after(WITHIN_S):
                intent = Intent(key, "stop_unpaid", station_id, transaction_id)
                await ask.acts.once(visitor.acting, intent, perform)
        except (NotFound, Refusal) as refused:
            return await show(await _undone(f"without-{transaction_id}", refused))
        return redirect(f"/stations/{quote(station_id, safe='')}/history", 303)

    @routes.get("/assign")
    async def assign() -> Any:
        """The form that takes the energy's price from a driver, filled in: its ticket is the transaction, so that it is
        taken once."""
        visitor = signed_in()
        visitor.require(Right.CLIENTS)
        visitor.require(Right.MONEY)
        station_id, transaction_id = StationId(request.args.get("station", "")), request.args.get("transaction", "")
        row, driver = f"without-{transaction_id}", request.args.get("driver", "").strip()[:TEXT_CHARS_MAX]
        with trio.fail_after(WITHIN_S):
            charges = await ask.parked.charges_without_session(Narrowing(station_id=station_id))
            charge = next((each for each in charges if each.transaction_id == transaction_id), None)
            if charge is None:
                raise NotFound
            clients = {each.id for each in await ask.finding.find(driver) if each.kind == "client" and each.id}
            if len(clients) != 1:
                return await show(Undone(row, "", (("driver", driver or NEEDED),), {"driver": driver}))
            _, price = await ask.prices.price(station_id, PriceQuestion(), None)
        worth_tyiyn = Rates(price.rate_per_kwh).cost_tyiyn(charge.energy_wh, 0)
        where = f"{station_id}/{charge.connector_id}"
        filled = {
            "amount": f"-{som_fixed(worth_tyiyn)}",
            "reason": f"{where}, {transaction_id}: {charge.energy_wh} Wh",
            "ticket": f"{where}:{transaction_id}",
            "back": "/questions",
        }
        return redirect(f"/drivers/{quote(clients.pop(), safe='')}/do/adjust?{urlencode(filled)}", 303)

    return routes


async def _chosen(*acts: str) -> str:
    chosen = await form_text("act")
    if chosen not in acts:
        raise InvalidRequest(("act", ", ".join(acts)))
    return chosen


async def _reason() -> str:
    reason = await form_text("reason")
    if not reason:
        raise InvalidRequest(("reason", NEEDED))
    return reason


async def _undone(row: str, error: EvPowerError) -> Undone:
    given = {name: str((await request.form).get(name, ""))[:TEXT_CHARS_MAX] for name in ("session_id", "reason")}
    return Undone(row, error.message, error.fields if isinstance(error, InvalidRequest) else (), given)
