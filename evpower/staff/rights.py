"""Which right each role has: the contract's table, and nothing else (contract/roadmap/identity §3)."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Literal

Role = Literal["operator", "admin", "superadmin"]


class Right(Enum):
    """What a door for operators can be asked for."""

    #: The network, sessions, evidence.
    READ = "read"
    #: What is asked of stations, stops among it.
    COMMAND = "command"
    #: Tariffs, stations, cards.
    NETWORK = "network"
    #: Clients and their payments are read, a client is blocked. No row of the contract: a client has no station, so an
    #: operator, who has only stations, has no client either.
    CLIENTS = "clients"
    #: Balances, refunds, parked money.
    MONEY = "money"
    #: Staff, keys, the station CA, settings.
    STAFF = "staff"


class Extent(Enum):
    """How far a right goes."""

    NONE = "none"
    #: At one's own stations.
    OWN = "own"
    #: Up to `admin.adjust_limit_som` a day.
    LIMITED = "limited"
    ALL = "all"


RIGHTS: Mapping[Right, Mapping[Role, Extent]] = {
    Right.READ: {"operator": Extent.OWN, "admin": Extent.ALL, "superadmin": Extent.ALL},
    Right.COMMAND: {"operator": Extent.OWN, "admin": Extent.ALL, "superadmin": Extent.ALL},
    Right.NETWORK: {"operator": Extent.NONE, "admin": Extent.ALL, "superadmin": Extent.ALL},
    Right.CLIENTS: {"operator": Extent.NONE, "admin": Extent.ALL, "superadmin": Extent.ALL},
    Right.MONEY: {"operator": Extent.NONE, "admin": Extent.LIMITED, "superadmin": Extent.ALL},
    Right.STAFF: {"operator": Extent.NONE, "admin": Extent.NONE, "superadmin": Extent.ALL},
}


def extent(role: Role | None, right: Right) -> Extent:
    """How far a role's right goes. None is no person: the administrator's token and the control socket may all."""
    return Extent.ALL if role is None else RIGHTS[right][role]
