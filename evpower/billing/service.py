"""Balances as the phone reads them (contract/rest-api §5.1). Signatures; the body follows."""

from __future__ import annotations

from evpower.billing.account import BalanceView
from evpower.identifiers import ClientId


class BillingService:
    async def balance(self, client_id: ClientId) -> BalanceView:
        """The client's money; an unknown client is created first (seed §5)."""
        raise NotImplementedError
