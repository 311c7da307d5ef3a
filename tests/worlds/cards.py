"""A card, whose numbers must be found nowhere."""

from __future__ import annotations

from evpower.payments.gateway import Card, Payer
from evpower.payments.top_up import TopUpWish
from tests.worlds.payments import CLIENT

PAN, CVV = "4169585512345678", "739"
CARD = Card(PAN, "TEST CARD", CVV, "25", "12")
PAYER = Payer("payer@example.org", "+996555000001")


def wish(amount_tyiyn: int = 100_00) -> TopUpWish:
    return TopUpWish(CLIENT, amount_tyiyn, "Пополнение баланса")
