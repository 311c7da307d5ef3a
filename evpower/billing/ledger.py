"""Entries of the double-entry ledger: who owes whom, in postings that sum to zero (design §5).

client + what we owe a client · held + reserved by a session · revenue + energy sold · receivable − a client's debt
adjustment: the other side of an operator's correction · provider:<name> − money a provider took for us
bank − money that came by bank transfer, + what was paid out by one
fees + what was charged for a place that was kept: idle fees, reservations

Only these functions say which accounts a money movement touches. The database writes the client's statement and
running total from the postings, and refuses an unbalanced entry, a second one with the same key, and free money
below zero.
"""

from __future__ import annotations

from dataclasses import dataclass

from evpower.billing.settlement import Correction, Settlement
from evpower.identifiers import ClientId, SessionId


@dataclass(frozen=True)
class Posting:
    """One side of an entry; a posting on `client` names the statement line it becomes (billing-rules §9)."""

    account: str
    amount_tyiyn: int
    client_id: ClientId | None = None
    statement_type: str | None = None


@dataclass(frozen=True)
class Entry:
    """A movement of money. `key` makes a replay harmless; `actor` is who caused it."""

    kind: str
    key: str
    actor: str
    postings: tuple[Posting, ...]
    description: str | None = None
    session_id: SessionId | None = None
    balance_topup_id: int | None = None


def _entry(
    kind: str, session_id: SessionId, actor: str, description: str, *postings: Posting, key: str | None = None
) -> Entry:
    return Entry(kind, key or f"{kind}:{session_id}", actor, _moved(*postings), description, session_id)


def _moved(*postings: Posting) -> tuple[Posting, ...]:
    return tuple(posting for posting in postings if posting.amount_tyiyn != 0)


def _key(kind: str, session_id: SessionId, *, again: bool) -> str:
    """A session holds money once, and once again when it was released too early."""
    return f"{kind}:{session_id}:again" if again else f"{kind}:{session_id}"


def reserve_entry(
    session_id: SessionId, client_id: ClientId, reserved_tyiyn: int, actor: str, *, again: bool = False
) -> Entry:
    """Hold money for a charge; `again`: its hold was released before it was known that it had begun."""
    return _entry(
        "reserve",
        session_id,
        actor,
        "Резервирование средств на зарядку",
        Posting("client", -reserved_tyiyn, client_id, "charge_reserve"),
        Posting("held", reserved_tyiyn, client_id),
        key=_key("reserve", session_id, again=again),
    )


def settle_entry(
    session_id: SessionId,
    client_id: ClientId,
    reserved_tyiyn: int,
    bill: Settlement,
    actor: str,
    *,
    again: bool = False,
) -> Entry:
    """Resolve a hold: what was sold becomes revenue, the rest goes back, a shortfall is taken or becomes debt.

    The key is shared by every way a hold can end, so it is resolved exactly once; `again` is the second hold's.
    """
    back_tyiyn = bill.refund_tyiyn - bill.additional_tyiyn
    return _entry(
        "settle",
        session_id,
        actor,
        "Возврат неиспользованного резерва" if back_tyiyn > 0 else "Оплата зарядки сверх резерва",
        Posting("held", -reserved_tyiyn, client_id),
        Posting("revenue", bill.cost_tyiyn, client_id),
        Posting("client", back_tyiyn, client_id, "charge_refund" if back_tyiyn > 0 else "charge_payment"),
        Posting("receivable", -bill.debt_tyiyn, client_id),
        key=_key("settle", session_id, again=again),
    )


def correction_entry(
    session_id: SessionId, client_id: ClientId, correction: Correction, actor: str, doubt_id: int | None = None
) -> Entry | None:
    """Set an estimated bill right, once, or what a person settled of a doubt; None when the bill was right."""
    back_tyiyn = correction.refund_tyiyn - correction.additional_tyiyn
    revenue_tyiyn = -(back_tyiyn + correction.forgiven_debt_tyiyn)
    if revenue_tyiyn == 0:
        return None
    return _entry(
        "correction",
        session_id,
        actor,
        "Уточнение стоимости зарядки",
        Posting("revenue", revenue_tyiyn, client_id),
        Posting("client", back_tyiyn, client_id, "charge_refund" if back_tyiyn > 0 else "charge_payment"),
        Posting("receivable", correction.forgiven_debt_tyiyn, client_id),
        key=None if doubt_id is None else f"correction:{session_id}:doubt:{doubt_id}",
    )


def debt_recovery_entry(
    session_id: SessionId, client_id: ClientId, recovered_tyiyn: int, cause_key: str, actor: str
) -> Entry:
    """Pay a session's debt from a credit; `cause_key` is the key of the crediting entry."""
    return _entry(
        "debt_recovery",
        session_id,
        actor,
        "Погашение задолженности за зарядку",
        Posting("client", -recovered_tyiyn, client_id, "charge_payment"),
        Posting("receivable", recovered_tyiyn, client_id),
        key=f"debt_recovery:{session_id}:{cause_key}",
    )


def idle_fee_entry(session_id: SessionId, client_id: ClientId, taken_tyiyn: int, actor: str) -> Entry:
    """What a car that kept its place pays, once for a charge: never more than there is."""
    return _entry(
        "idle_fee",
        session_id,
        actor,
        "Плата за простой после зарядки",
        Posting("client", -taken_tyiyn, client_id, "idle_fee"),
        Posting("fees", taken_tyiyn, client_id),
    )


def top_up_entry(client_id: ClientId, topup_id: int, provider: str, key: str, amount_tyiyn: int, actor: str) -> Entry:
    """Credit a payment that a provider has taken for us."""
    return Entry(
        "balance_topup",
        key,
        actor,
        (
            Posting("client", amount_tyiyn, client_id, "balance_topup"),
            Posting(f"provider:{provider}", -amount_tyiyn, client_id),
        ),
        "Пополнение баланса",
        balance_topup_id=topup_id,
    )


def refund_hold_entry(client_id: ClientId, topup_id: int, refund_id: int, amount_tyiyn: int, actor: str) -> Entry:
    """Take a refund from the client before the provider is asked for it."""
    return Entry(
        "topup_refund",
        f"topup_refund:{refund_id}",
        actor,
        (Posting("client", -amount_tyiyn, client_id, "topup_refund"), Posting("held", amount_tyiyn, client_id)),
        "Возврат пополнения плательщику",
        balance_topup_id=topup_id,
    )


def refund_end_entry(
    client_id: ClientId, topup_id: int, refund_id: int, provider: str, amount_tyiyn: int, actor: str, *, happened: bool
) -> Entry:
    """The provider gave it back, or will not: one key for both, so that a refund ends once."""
    back = (
        Posting(f"provider:{provider}", amount_tyiyn, client_id)
        if happened
        else Posting("client", amount_tyiyn, client_id, "topup_refund")
    )
    return Entry(
        "topup_refund_end",
        f"topup_refund_end:{refund_id}",
        actor,
        (Posting("held", -amount_tyiyn, client_id), back),
        "Возврат выполнен" if happened else "Возврат не выполнен",
        balance_topup_id=topup_id,
    )


def provider_refund_entry(
    client_id: ClientId, topup_id: int, provider: str, key: str, amount_tyiyn: int, actor: str
) -> Entry:
    """Book what a provider gave back to the payer without being asked by us; a person says so (design §9.2)."""
    return Entry(
        "topup_refund",
        key,
        actor,
        (
            Posting("client", -amount_tyiyn, client_id, "topup_refund"),
            Posting(f"provider:{provider}", amount_tyiyn, client_id),
        ),
        "Возврат пополнения плательщику",
        balance_topup_id=topup_id,
    )


def adjustment_entry(client_id: ClientId, amount_tyiyn: int, key: str, reason: str, actor: str) -> Entry:
    """An operator's correction of a balance, opening balances included (design §9.5)."""
    return Entry(
        "admin_adjustment",
        key,
        actor,
        (Posting("client", amount_tyiyn, client_id, "admin_adjustment"), Posting("adjustment", -amount_tyiyn)),
        reason,
    )


def merge_entries(
    old_id: ClientId, into_id: ClientId, balance_tyiyn: int, debt_tyiyn: int, reason: str, actor: str
) -> tuple[Entry, Entry]:
    """Money and debt of an id that becomes another's alias; nothing of it is held: no charge and no refund is open."""
    return (
        Entry(
            "client_merge",
            f"client_merge:{old_id}",
            actor,
            _moved(
                Posting("client", -balance_tyiyn, old_id, "admin_adjustment"),
                Posting("client", balance_tyiyn, into_id, "admin_adjustment"),
            ),
            f"Объединение аккаунтов: {reason}",
        ),
        Entry(
            "client_merge",
            f"client_merge:{old_id}:debt",
            actor,
            _moved(Posting("receivable", debt_tyiyn, old_id), Posting("receivable", -debt_tyiyn, into_id)),
            f"Объединение аккаунтов: {reason}",
        ),
    )


def pay_out_entry(client_id: ClientId, amount_tyiyn: int, key: str, reason: str, actor: str) -> Entry:
    """What an account that ends had left was paid to the person (contract/roadmap/identity §2)."""
    return Entry(
        "deletion_payout",
        key,
        actor,
        (Posting("client", -amount_tyiyn, client_id, "admin_adjustment"), Posting("bank", amount_tyiyn, client_id)),
        f"Выплата остатка: {reason}",
    )


def reservation_hold_entry(
    reservation_id: str, client_id: ClientId, amount_tyiyn: int, actor: str, *, is_extension: bool = False
) -> Entry:
    """Hold all that keeping a connector can cost; once more when it is kept longer."""
    key = f"reservation_hold:{reservation_id}"
    return Entry(
        "reservation_hold",
        f"{key}:extension" if is_extension else key,
        actor,
        _moved(
            Posting("client", -amount_tyiyn, client_id, "reservation_hold"), Posting("held", amount_tyiyn, client_id)
        ),
        "Резервирование средств за бронь",
    )


def reservation_end_entry(
    reservation_id: str, client_id: ClientId, hold_tyiyn: int, fee_tyiyn: int, actor: str
) -> Entry:
    """Resolve what a reservation held: its fee is ours, the rest goes back."""
    return Entry(
        "reservation_end",
        f"reservation_end:{reservation_id}",
        actor,
        _moved(
            Posting("held", -hold_tyiyn, client_id),
            Posting("fees", fee_tyiyn, client_id),
            Posting("client", hold_tyiyn - fee_tyiyn, client_id, "reservation_release"),
        ),
        "Возврат средств за бронь",
    )


def reservation_return_entry(reservation_id: str, client_id: ClientId, fee_tyiyn: int, actor: str) -> Entry:
    """Give a fee back: the station's fault kept its charge from beginning, or its driver had come in time after all."""
    return Entry(
        "reservation_return",
        f"reservation_return:{reservation_id}",
        actor,
        _moved(
            Posting("fees", -fee_tyiyn, client_id),
            Posting("client", fee_tyiyn, client_id, "reservation_release"),
        ),
        "Возврат платы за бронь",
    )
