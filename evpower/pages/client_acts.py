"""`/drivers/{id}/do/{act}`: a balance set right, a payment given back, the provider asked, a card blocked (§5, §6).

Each is a form of its own that says what it will do, acts once by its key, and shows the balance after it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import trio
from quart import Blueprint, Response, redirect, request

from evpower.administration.client_accounts import BalanceOrder, ClientAccounts
from evpower.case_files.service import CaseFiles
from evpower.errors import Forbidden, IdempotencyMismatch, InvalidRequest, NotFound, PaymentNotFound, Refusal
from evpower.identifiers import ClientId, IdTag
from evpower.money import som_fixed
from evpower.pages.frame.forms import form_key, form_text, own_path
from evpower.pages.frame.shown import Pages
from evpower.pages.frame.som import read_som
from evpower.pages.frame.visitor import signed_in
from evpower.payments.refunds import Refunds
from evpower.payments.top_up import Origin
from evpower.payments.top_ups import TopUps
from evpower.staff.acts import Intent, OperatorActs
from evpower.staff.allowance import Allowance
from evpower.staff.records import Acting
from evpower.staff.rights import Right
from evpower.tags.service import Tags

#: A refund waits for the provider.
WITHIN_S = 20
FIELDS: Mapping[str, tuple[str, ...]] = {
    "adjust": ("amount", "reason", "ticket"),
    "refund": ("order", "amount", "reason"),
    "ask_provider": ("order",),
    "block_card": ("tag",),
    "unblock_card": ("tag",),
}
RIGHTS = {
    "adjust": Right.MONEY,
    "refund": Right.MONEY,
    "ask_provider": Right.CLIENTS,
    "block_card": Right.NETWORK,
    "unblock_card": Right.NETWORK,
}
OPTIONAL = frozenset({("refund", "amount")})


@dataclass(frozen=True)
class ClientDoers:
    """The services that are asked."""

    accounts: ClientAccounts
    case_files: CaseFiles
    refunds: Refunds
    top_ups: TopUps
    tags: Tags
    allowance: Allowance
    acts: OperatorActs


def client_act_routes(do: ClientDoers, pages: Pages) -> Blueprint:
    """Forms about one client's money and cards."""
    routes = Blueprint("client_acts", __name__, url_prefix="/drivers")

    def allowed(name: str) -> None:
        if name not in FIELDS:
            raise NotFound
        signed_in().require(Right.CLIENTS)
        signed_in().require(RIGHTS[name])

    async def form(client_id: str, name: str, status: int = 200, **names: Any) -> Response:
        with trio.fail_after(WITHIN_S):
            client = await do.accounts.client(ClientId(client_id))
        shown = {"wrong": {}, "refusal": None, "filled": dict(request.args), **names}
        return await pages.show(
            "drivers/act.html",
            status,
            client=client,
            name=name,
            fields=FIELDS[name],
            optional=[field for field in FIELDS[name] if (name, field) in OPTIONAL and not _is_limited(do)],
            **shown,
        )

    @routes.get("/<path:client_id>/do/<name>")
    async def ask(client_id: str, name: str) -> Response:
        allowed(name)
        return await form(client_id, name)

    @routes.post("/<path:client_id>/do/<name>")
    async def perform(client_id: str, name: str) -> Any:
        allowed(name)
        visitor, key = signed_in(), await form_key()
        written = {field: await form_text(field) for field in FIELDS[name]}
        back = own_path(await form_text("back") or f"/drivers/{client_id}")
        try:
            given = read_fields(name, written, may_be_all=not _is_limited(do))
            with trio.fail_after(WITHIN_S):
                does = partial(DOES[name], do, ClientId(client_id), given, visitor.acting)
                detail = " · ".join(text for text in written.values() if text)
                await do.acts.once(visitor.acting, Intent(key, name, client_id, detail), does)
        except InvalidRequest as wrong:
            return await form(client_id, name, 400, wrong=dict(wrong.fields), filled={**written, "back": back})
        except (Refusal, NotFound, Forbidden, IdempotencyMismatch) as refused:
            return await form(client_id, name, 409, refusal=refused, filled={**written, "back": back})
        return redirect(f"{back}?act={key}", 303)

    return routes


def _is_limited(do: ClientDoers) -> bool:
    return do.allowance.limits(signed_in().acting)


def read_fields(name: str, written: Mapping[str, str], *, may_be_all: bool) -> dict[str, Any]:
    """What was filled in. Raises InvalidRequest that names every wrong field; `may_be_all`: a refund needs no sum."""
    given: dict[str, Any] = dict(written)
    wrong = [
        (field, "needed")
        for field, text in written.items()
        if not text and not ((name, field) in OPTIONAL and may_be_all)
    ]
    if written.get("amount"):
        try:
            given["amount"] = read_som(written["amount"], signed=name == "adjust")
        except ValueError as why:
            wrong.append(("amount", str(why)))
    if wrong:
        raise InvalidRequest(*wrong)
    return given


async def _adjust(do: ClientDoers, client_id: ClientId, given: Mapping[str, Any], acting: Acting) -> str:
    """The ticket is the key: the same one again changes nothing."""
    order = BalanceOrder(client_id, given["amount"], given["reason"], given["ticket"])
    done = await do.accounts.adjust(order, acting)
    return f"{som_fixed(done.old_balance_tyiyn)} → {som_fixed(done.new_balance_tyiyn)}"


async def _refund(do: ClientDoers, client_id: ClientId, given: Mapping[str, Any], acting: Acting) -> str:
    invoice_id = await _own_order(do, client_id, given["order"])
    amount_tyiyn: int | None = given["amount"] or None
    async with do.allowance.taken(acting, amount_tyiyn or 0):
        refund = await do.refunds.refund(
            invoice_id, amount_tyiyn, given["reason"], Origin("operator", actor=acting.actor)
        )
    after = await do.accounts.client(client_id)
    return f"{refund.state}: {som_fixed(refund.amount_tyiyn)} → {som_fixed(after.balance_tyiyn)}"


async def _ask_provider(do: ClientDoers, client_id: ClientId, given: Mapping[str, Any], acting: Acting) -> str:
    invoice_id = await _own_order(do, client_id, given["order"])
    await do.top_ups.force_check(invoice_id, None, Origin("operator", actor=acting.actor))
    return str(given["order"])


async def _own_order(do: ClientDoers, client_id: ClientId, key: str) -> str:
    """The invoice of an order of this client. Raises PaymentNotFound for anybody else's."""
    payment = (await do.case_files.payment(key)).payment
    if payment.client_id != client_id:
        raise PaymentNotFound
    return payment.invoice_id


async def _set_card(status: Any, do: ClientDoers, client_id: ClientId, given: Mapping[str, Any], acting: Acting) -> str:
    """Its client, group and expiry stay. Raises NotFound for a card of somebody else."""
    tag = IdTag(given["tag"])
    if (await do.tags.get(tag)).client_id != client_id:
        raise NotFound
    card = await do.tags.set_status(tag, status)
    return f"{card.id_tag}: {card.status}"


DOES: Mapping[str, Callable[[ClientDoers, ClientId, Mapping[str, Any], Acting], Awaitable[str]]] = {
    "adjust": _adjust,
    "refund": _refund,
    "ask_provider": _ask_provider,
    "block_card": partial(_set_card, "Blocked"),
    "unblock_card": partial(_set_card, "Accepted"),
}
