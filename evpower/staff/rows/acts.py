"""Rows of `operator_acts`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

from evpower.db.connection import Conn

BEGIN = """
INSERT INTO evpower.operator_acts (key, acted_at, actor, act, target, detail)
VALUES (%(key)s, %(at)s, %(actor)s, %(act)s, %(target)s, %(detail)s) ON CONFLICT (key) DO NOTHING RETURNING key
"""
END = """
UPDATE evpower.operator_acts SET outcome = %(outcome)s, outcome_at = %(at)s, answer = %(answer)s
WHERE key = %(key)s AND outcome IS NULL
"""
ACT = "key, acted_at, actor, act, target, detail, outcome, outcome_at, answer"
READ = f"SELECT {ACT} FROM evpower.operator_acts WHERE key = %(key)s"
LIST = f"SELECT {ACT} FROM evpower.operator_acts ORDER BY acted_at DESC LIMIT %(limit)s"
OF_TARGET = f"""
SELECT {ACT} FROM evpower.operator_acts WHERE target = %(target)s ORDER BY acted_at DESC LIMIT %(limit)s
"""
DELETE = "DELETE FROM evpower.operator_acts WHERE acted_at < %(before)s"


#: Where an act was asked for: on the pages, over REST, or by a command of `evpower`.
ActDoor: TypeAlias = Literal["pages", "rest", "command"]


def key_of(door: ActDoor, unique: str) -> str:
    """The key of an act that no form has: it says the door. The keys of forms have no colon."""
    return f"{door}:{unique}"


@dataclass(frozen=True)
class OperatorAct:
    """One act; `outcome` None is one that is not known."""

    key: str
    acted_at: datetime
    actor: str
    act: str
    target: str
    detail: str | None
    outcome: str | None
    outcome_at: datetime | None
    #: What was answered, or why it was refused, for people.
    answer: str | None = None

    @property
    def door(self) -> str:
        """Where it was asked for."""
        return self.key.partition(":")[0] if ":" in self.key else "pages"


async def begin(conn: Conn, key: str, at: datetime, actor: str, act: str, target: str, detail: str | None) -> bool:
    """Whether the key is new."""
    parameters = {"key": key, "at": at, "actor": actor, "act": act, "target": target, "detail": detail}
    return await (await conn.execute(BEGIN, parameters)).fetchone() is not None


async def end(conn: Conn, key: str, outcome: str, answer: str | None, at: datetime) -> None:
    """What came of it."""
    await conn.execute(END, {"key": key, "outcome": outcome, "answer": answer, "at": at})


async def read(conn: Conn, key: str) -> OperatorAct | None:
    row = await (await conn.execute(READ, {"key": key})).fetchone()
    return None if row is None else OperatorAct(**row)


async def list_acts(conn: Conn, limit: int) -> list[OperatorAct]:
    """The newest first."""
    return [OperatorAct(**row) for row in await (await conn.execute(LIST, {"limit": limit})).fetchall()]


async def list_acts_on(conn: Conn, target: str, limit: int) -> list[OperatorAct]:
    """Those about one thing, the newest first."""
    rows = await (await conn.execute(OF_TARGET, {"target": target, "limit": limit})).fetchall()
    return [OperatorAct(**row) for row in rows]


async def delete_acts(conn: Conn, before: datetime) -> None:
    await conn.execute(DELETE, {"before": before})
