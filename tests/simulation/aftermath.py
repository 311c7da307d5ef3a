"""What must be true of a finished history beside its bills: payments, doubts, and charges that nobody pays for."""

from __future__ import annotations

from collections.abc import Collection

from evpower.simulator.providers.odengi.invoices import Invoice
from tests.simulation.check import Checker, shown
from tests.simulation.plan import Plan
from tests.simulation.providers import Bank
from tests.simulation.station import SimStation
from tests.simulation.truth import UNBELIEVABLE_WH, Truth

#: A start that is older when it comes is a report, and always billed to the card's client (field ruling 2.3).
LATE_AFTER_S = 130.0

PAID = """
SELECT t.order_id, o.paid_tyiyn, o.phase, t.status,
       coalesce((SELECT sum(p.amount_tyiyn) FROM evpower.parked_payments p
                 WHERE p.topup_id = t.id AND p.reason <> 'refund'), 0) AS parked_tyiyn,
       ARRAY(SELECT substr(e.key, length('topup:ODENGI:') + 1) FROM evpower.ledger_entries e
             WHERE e.balance_topup_id = t.id AND starts_with(e.key, 'topup:')) AS credited
FROM public.balance_topups t JOIN evpower.top_up_orders o ON o.topup_id = t.id ORDER BY t.id
"""


def payment_problems(checker: Checker, bank: Bank | None) -> list[str]:
    """Each payment at the provider is credited once, or parked for a person (design §5, 4)."""
    if bank is None:
        return []
    orders = {row["order_id"]: row for row in checker.rows(PAID)}
    found = []
    for invoice in bank.invoices:
        row = orders.pop(invoice.order_id, None)
        if row is None:
            found.append(f"invoice {invoice.order_id} is no order of ours")
            continue
        least, most = paid_tyiyn(invoice, row["credited"])
        if not least <= row["paid_tyiyn"] + row["parked_tyiyn"] <= most:
            found.append(f"{least} to {most} tyiyn were paid of {shown(row)}")
    found += [f"credited, and never paid: {row}" for row in orders.values() if row["paid_tyiyn"]]
    return found


def paid_tyiyn(invoice: Invoice, credited: Collection[str]) -> tuple[int, int]:
    """The least and the most of an invoice's money that must have a place.

    A payment that had gone back in part before it was credited is a person's, who sees what is left of it (money.md).
    """
    made = [each for each in invoice.attempts if each.status == "approved" or each.returned_tyiyn]
    most = sum(each.amount_tyiyn or 0 for each in made)
    return most - sum(each.returned_tyiyn for each in made if each.trans_id not in credited), most


# Of several charges of a full car by one card, which all begin at one register, the last one goes on.
UNPAID = """
SELECT t.station_id, t.wire_transaction_id, t.verdict, s.id AS session_id, s.settled_at, t.stops_asked
FROM evpower.ocpp_transactions t LEFT JOIN public.charging_sessions s ON s.id = t.charging_session_id
WHERE t.id = (SELECT max(id) FROM evpower.ocpp_transactions
              WHERE (station_id, meter_start_wh, id_tag) = (%(station)s, %(start)s, %(tag)s))
  AND NOT t.free_vend AND (s.id IS NULL OR s.settled_at IS NOT NULL)
"""


def unpaid_charges(checker: Checker, stations: list[SimStation]) -> list[str]:
    """Chargers that go on although no session pays, minutes after their line came back (field rulings 4.1, 4.2)."""
    found = []
    for at in stations:
        charge = at.truth.running(at.plan)
        if charge is not None and len(at.station.hardware.outbox) == 0:
            values = {"station": charge.station.station_id, "start": charge.start_wh, "tag": charge.id_tag}
            found += [f"charges and nobody pays: {shown(row)}" for row in checker.rows(UNPAID, values)]
    return found


RECORDS = """
SELECT t.station_id, t.wire_transaction_id, t.id_tag, t.meter_start_wh, t.verdict, t.charging_session_id, t.received_at,
       (SELECT count(*) FROM evpower.doubts d WHERE d.transaction_key = t.id) AS doubts
FROM evpower.ocpp_transactions t ORDER BY t.id
"""


def record_problems(checker: Checker, plan: Plan, truth: Truth) -> list[str]:
    """Nothing is dismissed silently; what a station reports late is billed (field rulings 1.2, 2.3)."""
    rows = checker.rows(RECORDS)
    cards = {client.card for client in plan.clients}
    found = []
    if len(rows) != len(truth.charges):
        found.append(f"{len(truth.charges)} charges happened, {len(rows)} are recorded")
    records = {
        truth.behind(
            row["station_id"],
            row["id_tag"],
            row["meter_start_wh"],
            row["wire_transaction_id"],
            (row["received_at"] - checker.begins_at).total_seconds(),
        ): row
        for row in rows
    }
    for charge in truth.charges:
        what = f"{charge.station.station_id} {charge.id_tag} from {charge.start_wh}"
        row = records.get(charge)
        if row is None:
            found.append(f"a charge has no record: {what}")
            continue
        if any(each > UNBELIEVABLE_WH for each in charge.lies_wh) and not row["doubts"]:
            found.append(f"a register was dismissed silently: {what}")
        late_s = (row["received_at"] - checker.begins_at).total_seconds() - charge.began_at
        is_late_report = charge.id_tag in cards and charge.clock_is_right and late_s > LATE_AFTER_S
        if is_late_report and row["charging_session_id"] is None:
            found.append(f"a queued start was refused: {what}: {shown(row)}")
    return found
