"""What is kept of a charge in the unit of work that makes it final, or corrects it: its curve and a receipt."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from functools import partial
from typing import Literal, TypeAlias
from zoneinfo import ZoneInfo

from evpower.billing.rates import RateStep
from evpower.clock import Clock
from evpower.db.failures import DatabaseAway
from evpower.db.unit_of_work import UnitOfWork
from evpower.history.curve import draw
from evpower.history.evidence import ReadSigned
from evpower.history.receipt import ReceiptContent, content_of, number_text
from evpower.history.rows import curves, receipts, signed
from evpower.identifiers import SessionId

log = logging.getLogger("evpower.history")

#: What may be missing of a charge that is settled all the same: its curve and its receipt's words, a value that its
#: meter signed.
NotKept: TypeAlias = Literal["charge", "signed_value"]


class Keeping:
    """Writes the curve and the receipt; a fault in what they say costs neither the bill nor its number."""

    def __init__(self, clock: Clock, timezone: ZoneInfo, read_signed: ReadSigned, *, enabled: bool) -> None:
        self._clock = clock
        self._enabled = enabled
        self._read_signed = read_signed
        #: Where the year of a number changes.
        self._timezone = timezone
        #: How much is missing, since the start.
        self.not_kept: Counter[NotKept] = Counter()

    async def billed(
        self, uow: UnitOfWork, session_id: SessionId, minutes: int, steps: Sequence[RateStep] = ()
    ) -> None:
        """The session was settled, or its bill corrected, with these minutes, and by rates that followed its first.

        The last thing of its unit of work: whoever comes next waits for the number's row until the commit.
        """
        if not self._enabled:
            return
        content = await self._write(uow, session_id, minutes)
        now = self._clock.now()
        year = now.astimezone(self._timezone).year
        number = await receipts.issue(uow.conn, session_id, minutes, steps, content, year=year, at=now)
        if number is not None:
            uow.after_commit(lambda: log.info("receipt %s: session_id=%s", number_text(*number), session_id))

    async def _write(self, uow: UnitOfWork, session_id: SessionId, minutes: int) -> ReceiptContent | None:
        """The curve, and what the document says; None, with everything undone, when that cannot be made."""
        try:
            async with uow.conn.transaction():
                charge, dropped, now = await curves.read_metered_charge(uow.conn, session_id), 0, self._clock.now()
                if charge is not None:
                    await curves.store_curve(uow.conn, session_id, draw(charge), now)
                if charge is not None and charge.signed:
                    dropped = await signed.keep_signed(uow.conn, session_id, self._read_signed, now)
                content = content_of(await receipts.read_facts(uow.conn, session_id), minutes)
        except DatabaseAway:
            raise
        except Exception:
            # Its money is settled all the same: the curve is missing, and the document is written when it is asked for.
            log.exception("the curve or the receipt of a charge could not be made: session_id=%s", session_id)
            uow.after_commit(lambda: self.not_kept.update(charge=1))
            return None
        if dropped:
            uow.after_commit(partial(self._note_dropped, session_id, dropped))
        return content

    def _note_dropped(self, session_id: SessionId, values: int) -> None:
        self.not_kept["signed_value"] += values
        log.warning("signed values of a charge are not kept: session_id=%s, number=%d", session_id, values)
