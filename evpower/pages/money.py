"""`/money`: what moved today and in the month, each figure beside the ledger's; what waits for a person (§7)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

import trio
from quart import Blueprint, Response, redirect, request

from evpower.billing.books.day_book import DayBook, day_of, month_of
from evpower.billing.books.nightly_check import LedgerChecks
from evpower.charging.review.free_vend import FreeVend
from evpower.charging.review.parked import ParkedReports
from evpower.clock import Clock
from evpower.errors import EvPowerError, InvalidRequest, Refusal
from evpower.http.wire.requests import row_id
from evpower.narrowing import Narrowing
from evpower.pages.frame.accounting_file import BYTE_ORDER_MARK, csv_rows, decimal, moment
from evpower.pages.frame.forms import TEXT_CHARS_MAX, form_key, form_sum, form_text
from evpower.pages.frame.shown import Pages
from evpower.pages.frame.visitor import choices, signed_in
from evpower.payments.decisions import REFUND_REASONS, PaymentDecisions
from evpower.payments.refunds import Refunds
from evpower.payments.top_up import Origin
from evpower.payments.top_ups import PaymentNotProcessing, TopUps
from evpower.staff.acts import Intent, OperatorActs
from evpower.staff.allowance import Allowance
from evpower.staff.rights import Right
from evpower.texts.catalogue import Catalogue, Language

WITHIN_S = 20
SHOWN = 100
DECISIONS = ("credit", "debit", "dismiss")
COLUMNS = ("at", "number", "entry", "account", "sum", "client", "charge", "invoice", "actor", "text")


@dataclass(frozen=True)
class Books:
    """The services of money that the page shows and acts through."""

    day_book: DayBook
    ledger_checks: LedgerChecks
    decisions: PaymentDecisions
    refunds: Refunds
    top_ups: TopUps
    allowance: Allowance
    parked_reports: ParkedReports
    free_vend: FreeVend


@dataclass(frozen=True)
class UndecidedForm:
    """Why a decision was not made: shown above its form, which has what was filled in."""

    row: int
    message: str
    fields: tuple[tuple[str, str], ...]
    given: dict[str, str]


def money_routes(books: Books, acts: OperatorActs, pages: Pages, clock: Clock, timezone: ZoneInfo) -> Blueprint:
    """Clients' money: an operator has no client, so these pages are for administrators."""
    routes = Blueprint("money", __name__, url_prefix="/money")

    def asked_day() -> date:
        today, text = clock.now().astimezone(timezone).date(), request.args.get("day", "")
        try:
            day = date.fromisoformat(text) if text else today
        except ValueError:
            raise InvalidRequest(("day", "2026-11-26")) from None
        return min(max(day, date(2020, 1, 1)), today)

    @routes.before_request
    async def admit() -> None:
        signed_in().require(Right.CLIENTS)

    @routes.get("")
    async def money() -> Response:
        return await show(asked_day())

    async def show(day: date, problem: UndecidedForm | None = None) -> Response:
        asked = request.args.get("act", "")
        with trio.fail_after(WITHIN_S):
            shown = await _shown(books, day, timezone)
            act = await acts.act(asked) if asked else None
        names = {"day": day, "a_day": timedelta(days=1), "problem": problem, "refund_reasons": REFUND_REASONS}
        names["act"] = act if act is not None and act.act == "ask_provider" else None
        return await pages.show("money/money.html", 200 if problem is None else 400, **names, **shown)

    @routes.get("/day.csv")
    async def day_file() -> Response:
        day, language = asked_day(), choices().language
        body = _lines(books.day_book, day, timezone, language, pages.render.wording(language).texts)
        response = Response(body, content_type="text/csv; charset=utf-8")
        response.headers["Content-Disposition"] = f'attachment; filename="evpower-{day.isoformat()}.csv"'
        return response

    @routes.post("/check")
    async def check() -> Any:
        key, visitor = await form_key(), signed_in()

        async def perform() -> None:
            books.ledger_checks.ask()

        with trio.fail_after(WITHIN_S):
            await acts.once(visitor.acting, Intent(key, "ledger_check", "ledger"), perform)
        return redirect("/money#check", 303)

    @routes.post("/ask")
    async def ask() -> Any:
        key, order, visitor = await form_key(), await form_text("order"), signed_in()

        async def perform() -> None:
            await books.top_ups.force_check(order, None, _origin(visitor.acting.actor))

        # What was decided meanwhile is no longer in the list: the line of the act says so.
        with trio.fail_after(WITHIN_S), suppress(PaymentNotProcessing):
            await acts.once(visitor.acting, Intent(key, "ask_provider", order), perform)
        return redirect(f"/money?act={key}#undecided-{quote(order, safe='')}", 303)

    @routes.post("/parked/<parked_id>")
    async def decide(parked_id: str) -> Any:
        visitor, number, key = signed_in(), row_id(parked_id), await form_key()
        visitor.require(Right.MONEY)
        try:
            chosen, reason, amount_tyiyn = await _decision()
        except InvalidRequest as wrong:
            return await show(asked_day(), await _problem(number, wrong))

        async def perform() -> None:
            origin = _origin(visitor.acting.actor)
            async with books.allowance.taken(visitor.acting, amount_tyiyn):
                if chosen == "credit":
                    await books.decisions.credit(number, amount_tyiyn, reason, origin)
                elif chosen == "debit":
                    await books.decisions.debit(number, amount_tyiyn, reason, origin)
                else:
                    await books.decisions.dismiss(number, reason, origin)

        with trio.fail_after(WITHIN_S):
            try:
                await acts.once(visitor.acting, Intent(key, f"payment_{chosen}", f"{number}", reason), perform)
            except (InvalidRequest, Refusal) as refused:
                return await show(asked_day(), await _problem(number, refused))
        return redirect("/money#parked", 303)

    return routes


async def _shown(books: Books, day: date, timezone: ZoneInfo) -> dict[str, Any]:
    """Everything on the page. One after the other: a page takes one connection of the pool at a time."""
    month = month_of(day, timezone)
    given = await books.free_vend.given_away()
    return {
        "of_day": await books.day_book.money(day_of(day, timezone)),
        "of_month": await books.day_book.money(month),
        "standing": await books.day_book.standing(),
        "debtors": await books.day_book.debtors(),
        "adjustments": await books.day_book.adjustments(month.since),
        "parked": await books.decisions.parked(resolved_too=False),
        "undecided": await books.decisions.undecided(),
        "refunds": await books.refunds.under_way(),
        "unbilled": await books.parked_reports.unbilled_energy(Narrowing(limit=SHOWN)),
        "unbilled_wh": await books.parked_reports.unbilled_total_wh(),
        "given": given,
        "given_wh": sum(each.energy_wh for each in given.values()),
        "last_check": await books.ledger_checks.last(),
        "checking_since": books.ledger_checks.asked_at,
    }


async def _decision() -> tuple[str, str, int]:
    """What was chosen, why, and the sum; raises InvalidRequest that names the wrong field."""
    chosen, reason = await form_text("act"), await form_text("reason")
    if chosen not in DECISIONS:
        raise InvalidRequest(("act", "credit, debit, dismiss"))
    if not reason:
        raise InvalidRequest(("reason", "обязательное поле"))
    return chosen, reason, 0 if chosen == "dismiss" else await form_sum("amount")


async def _problem(row: int, error: EvPowerError) -> UndecidedForm:
    given = {name: str((await request.form).get(name, ""))[:TEXT_CHARS_MAX] for name in ("amount", "reason")}
    return UndecidedForm(row, error.message, error.fields if isinstance(error, InvalidRequest) else (), given)


def _origin(actor: str) -> Origin:
    return Origin("operator", actor=actor)


async def _lines(
    book: DayBook, day: date, timezone: ZoneInfo, language: Language, texts: Catalogue
) -> AsyncIterator[bytes]:
    """The day file: every posting of the day."""
    header = csv_rows([[texts(f"day_file.{column}") for column in COLUMNS]])
    yield (BYTE_ORDER_MARK + header).encode()
    async for part in book.lines(day_of(day, timezone)):
        rows = (
            (
                moment(each.created_at, timezone),
                each.entry_id,
                texts.word("entry", each.kind),
                each.account,
                decimal(each.amount_tyiyn, language),
                each.client_id,
                each.session_id,
                each.invoice_id,
                each.actor,
                each.description,
            )
            for each in part
        )
        yield csv_rows(rows).encode()
