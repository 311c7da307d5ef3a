"""The rights table, as the contract has it (contract/roadmap/identity §3)."""

from __future__ import annotations

from typing import get_args

import pytest

from evpower.staff.rights import RIGHTS, Extent, Right, Role, extent

#: operator, admin, superadmin, environment token.
CONTRACT = {
    Right.READ: ("own", "all", "all", "all"),
    Right.COMMAND: ("own", "all", "all", "all"),
    Right.NETWORK: ("none", "all", "all", "all"),
    Right.CLIENTS: ("none", "all", "all", "all"),
    Right.MONEY: ("none", "limited", "all", "all"),
    Right.STAFF: ("none", "none", "all", "all"),
}


@pytest.mark.parametrize("right", list(Right), ids=lambda right: right.value)
def test_each_role_has_the_right_as_far_as_the_contract_says(right: Right) -> None:
    roles: tuple[Role | None, ...] = ("operator", "admin", "superadmin", None)
    assert tuple(extent(role, right).value for role in roles) == CONTRACT[right]


def test_the_table_is_whole() -> None:
    assert RIGHTS.keys() == set(Right)
    assert all(row.keys() == set(get_args(Role)) for row in RIGHTS.values())


def test_only_an_operator_is_bound_to_stations() -> None:
    """What a door filters by is read for operators alone (`Staff.acting`)."""
    bound = {role for row in RIGHTS.values() for role, reach in row.items() if reach is Extent.OWN}
    assert bound == {"operator"}
