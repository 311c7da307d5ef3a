"""Why money does not move: the sum, or whose account it is (contract/rest-api §1.7)."""

from __future__ import annotations

from evpower.errors import InvalidRequest, Refusal
from evpower.money import som_number, som_text


class InvalidAmount(InvalidRequest):
    """A sum with parts of a tyiyn, or none at all."""

    code = "invalid_amount"
    message = "Некорректная сумма"


class InsufficientBalance(Refusal):
    code = "insufficient_balance"

    def __init__(self, balance_tyiyn: int, required_tyiyn: int) -> None:
        self.balance_tyiyn = balance_tyiyn
        super().__init__(
            f"Недостаточно средств. Баланс: {som_text(balance_tyiyn)} сом, требуется: {som_text(required_tyiyn)} сом",
            current_balance=som_number(balance_tyiyn),
            required_amount=som_number(required_tyiyn),
            missing_amount=som_number(required_tyiyn - balance_tyiyn),
        )


class MinimumAmountRequired(Refusal):
    code = "minimum_amount_required"

    def __init__(self, session_fee_tyiyn: int) -> None:
        super().__init__(
            f"Сумма должна быть больше платы за сессию: {som_text(session_fee_tyiyn)} сом",
            required_amount=som_number(session_fee_tyiyn),
            session_fee=som_number(session_fee_tyiyn),
        )


class ClientBlocked(Refusal):
    code = "client_blocked"
    message = "Аккаунт заблокирован"


class ClientDeleted(Refusal):
    code = "client_deleted"
    message = "Аккаунт удалён или неактивен"
