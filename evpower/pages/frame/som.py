"""A sum as a person writes it into a form."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from evpower.money import exact_tyiyn

#: More is a slip of the finger, and no `numeric(12,2)` holds it.
MOST_SOM = Decimal("99999999.99")


def read_som(text: str, *, signed: bool = False) -> int:
    """`1 234,50` as tyiyn. Raises ValueError with the reason: a name among `wrong` of the texts."""
    plain = "".join(text.split()).replace(",", ".").replace("\N{MINUS SIGN}", "-")
    try:
        som = Decimal(plain)
    except InvalidOperation:
        raise ValueError("not_a_sum") from None
    exponent = som.as_tuple().exponent if som.is_finite() else 0
    assert isinstance(exponent, int)
    if not som.is_finite() or abs(som) > MOST_SOM or exponent < -2:
        raise ValueError("not_a_sum")
    if not som or (som < 0 and not signed):
        raise ValueError("not_positive")
    return exact_tyiyn(som)
