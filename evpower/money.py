"""Money is an integer number of tyiyn (1/100 som); `Decimal` only where rates multiply; never a binary float.

A name that holds money ends in `_tyiyn`. Conversions to the wire and to PostgreSQL's `numeric` live here alone.
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

CURRENCY = "KGS"
TYIYN_PER_SOM = 100
#: The most a payment may bring an account or an order to, a billion som: a tenth of what `numeric(12,2)` holds, so that
#: whatever comes back to the account later fits too. More is a provider's mistake.
MOST_TYIYN = 1_000_000_000 * TYIYN_PER_SOM


def round_half_up(value: Decimal, places: int = 0) -> Decimal:
    """Round half away from zero to `places` decimals (billing-rules §1)."""
    return value.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)


def tyiyn(som: Decimal) -> int:
    """The tyiyn nearest to an amount in som, half-up: the one rounding at the end of a formula."""
    return int(round_half_up(som * TYIYN_PER_SOM))


def exact_tyiyn(som: Decimal) -> int:
    """An amount in som as tyiyn; ValueError when it has more than two decimals."""
    scaled = som * TYIYN_PER_SOM
    if scaled != scaled.to_integral_value():
        raise ValueError(f"{som} som has more than two decimals")
    return int(scaled)


def som(amount_tyiyn: int) -> Decimal:
    """Tyiyn as som with two decimals, as PostgreSQL's numeric(12,2) stores it."""
    return Decimal(amount_tyiyn).scaleb(-2)


def som_number(amount_tyiyn: int) -> int | float:
    """Tyiyn as the JSON number a phone reads: 270, 40.5 (contract/rest-api §1.2)."""
    whole, rest = divmod(amount_tyiyn, TYIYN_PER_SOM)
    return whole if rest == 0 else float(som(amount_tyiyn))


def som_text(amount_tyiyn: int) -> str:
    """Tyiyn in a sentence, without useless zeros: `50`, `40.5` (contract/rest-api §4.1)."""
    return str(som_number(amount_tyiyn))


def som_fixed(amount_tyiyn: int) -> str:
    """Tyiyn in a log line, always with two decimals: `270.00` (contract/rest-api §1.10)."""
    return f"{som(amount_tyiyn):.2f}"
