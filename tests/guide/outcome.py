"""What the pages' commands must have shown, beside their end."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal

from tests.guide.machine import Ran

#: Of the trial's station, in the page's fleet.
PRICE_PER_KWH = Decimal("13.5")
#: Lines of `evpower session show`: what the station's meter said at both ends, and the bill.
BEGUN = re.compile(r"the charge began: .*?register (\d+) Wh")
STOPPED = re.compile(r"the station reported the stop: register (\d+) Wh")
BILL = re.compile(r"fee 0 = ([\d.]+) som  ✔\nstored: ([\d.]+) som; sold by the ledger: ([\d.]+) som")
#: What an old version says of a newer one's schema.
REFUSED = "this EvPower knows up to"


def complaints(ran: Ran) -> Iterator[str]:
    """What is wrong with a run; nothing when every command worked and the charge outlived every restart."""
    if ran.exit_code != 0:
        yield f"a command ended with {ran.exit_code}"
    if REFUSED not in ran.output:
        yield "the newer version migrated nothing: the old one took its database"
    begun, stopped, bill = (pattern.search(ran.output) for pattern in (BEGUN, STOPPED, BILL))
    if not (begun and stopped and bill):
        yield "the charge of the page has no bill that is right"
        return
    energy_wh = int(stopped[1]) - int(begun[1])
    due = (energy_wh * PRICE_PER_KWH / 1000).quantize(Decimal("0.01"), ROUND_HALF_UP)
    if energy_wh <= 0 or any(Decimal(each) != due for each in bill.groups()):
        yield f"{energy_wh} Wh cost {due} som, and were billed {bill.groups()}"
