"""Planted bugs: what real ones looked like, put back for one run, to see that a history finds them.

Each replaces a rule of the product where it is; the run that has it is a process of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import FunctionType

from tests.simulation.bugs import billing, charging, metering, network, payments, reservations
from tests.simulation.bugs.planting import Plant

BUGS: Mapping[str, Plant] = {
    name: value
    for room in (billing, charging, metering, payments, reservations, network)
    for name, value in vars(room).items()
    if isinstance(value, FunctionType) and value.__module__ == room.__name__
}
