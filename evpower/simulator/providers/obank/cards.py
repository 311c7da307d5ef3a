"""The seed's test cards, and what becomes of them (contract/payments §3.6)."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

#: `code` of a result. 0 and 30 are known, the rest is the sandbox's own: the bank's table is not known.
OK, POINT_HAS_NO_FUNDS = 0, 30
NOT_ENOUGH_MONEY, CARD_UNKNOWN, CARD_DATA_WRONG, REFUSED_BY_PAYER, CANCELED = 51, 14, 54, 59, 60
TEXTS = {
    NOT_ENOUGH_MONEY: "Недостаточно средств на карте",
    CARD_UNKNOWN: "Карта не найдена",
    CARD_DATA_WRONG: "Неверный срок действия, CVV или имя",
    REFUSED_BY_PAYER: "Отказ плательщика",
    CANCELED: "Операция отменена",
}

SUCCESS_PAN, CHALLENGE_PAN, DECLINED_PAN = "4169585512345678", "4169585587654321", "4169585511111111"
YEAR, MONTH, CVV, HOLDER = "25", "12", "123", "TEST CARD"


class CardVerdict(Enum):
    """What the issuer says of a card."""

    APPROVE = "approve"
    CHALLENGE = "challenge"  # 3-D Secure
    DECLINE = "decline"


@dataclass(frozen=True, slots=True)
class PayerCard:
    """As typed; it lives as long as the request."""

    pan: str = field(repr=False)
    year: str = field(repr=False)
    month: str = field(repr=False)
    cvv: str = field(repr=False)
    holder: str = field(default="", repr=False)

    @property
    def mask(self) -> str:
        """What may be shown of it."""
        return f"{self.pan[:6]}******{self.pan[-4:]}"


def judge(card: PayerCard) -> tuple[CardVerdict, int]:
    """The verdict, and the `code` of a decline. Only the first card's holder is part of the seed's table."""
    if card.pan not in (SUCCESS_PAN, CHALLENGE_PAN, DECLINED_PAN):
        return CardVerdict.DECLINE, CARD_UNKNOWN
    is_dated = (card.year, card.month, card.cvv) == (YEAR, MONTH, CVV)
    if not is_dated or (card.pan == SUCCESS_PAN and card.holder.strip().upper() != HOLDER):
        return CardVerdict.DECLINE, CARD_DATA_WRONG
    if card.pan == DECLINED_PAN:
        return CardVerdict.DECLINE, NOT_ENOUGH_MONEY
    return (CardVerdict.CHALLENGE if card.pan == CHALLENGE_PAN else CardVerdict.APPROVE), OK
