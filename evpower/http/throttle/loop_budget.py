"""What one address may take of the event loop: a request's number says nothing of its cost (safe-by-default §7)."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

#: Seconds of the loop a second, and at once.
SHARE = 0.2
#: The one that paid for nothing longest is forgotten first, and begins anew.
ADDRESSES_MOST = 20_000


@dataclass(slots=True)
class _Debt:
    """Seconds taken and not yet worked off, as of `at_s`."""

    seconds: float
    at_s: float

    def now(self, now_s: float) -> float:
        return max(0.0, self.seconds - (now_s - self.at_s) * SHARE)


class LoopBudget:
    """Works off `SHARE` of each second; an address that owes more than a second's share waits.

    Times are in seconds, of a clock that never goes back.
    """

    def __init__(self, *, addresses_most: int = ADDRESSES_MOST) -> None:
        self._most = addresses_most
        #: The longest without a payment first.
        self._debts: OrderedDict[str, _Debt] = OrderedDict()

    def __len__(self) -> int:
        return len(self._debts)

    def wait_s(self, address: str, now_s: float) -> float:
        """For how long this address must wait; 0: it may go on."""
        debt = self._debts.get(address)
        owed_s = 0.0 if debt is None else debt.now(now_s)
        return max(0.0, owed_s - SHARE) / SHARE

    def pay(self, address: str, seconds: float, now_s: float) -> None:
        """This address has held the loop for so long."""
        self._forget_paid(now_s)
        debt = self._debts.get(address)
        owed_s = 0.0 if debt is None else debt.now(now_s)
        self._debts[address] = _Debt(owed_s + seconds, now_s)
        self._debts.move_to_end(address)
        if len(self._debts) > self._most:
            self._debts.popitem(last=False)

    def _forget_paid(self, now_s: float) -> None:
        while self._debts:
            address, debt = next(iter(self._debts.items()))
            if debt.now(now_s) > 0:
                return
            del self._debts[address]
