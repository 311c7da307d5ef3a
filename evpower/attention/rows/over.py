"""Rows of `attention_over`: what left the To do list, as it was seen last."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

import msgspec

from evpower.attention.folding import Item
from evpower.db.connection import Conn

#: Parts of a row that are kept; of a network that fell silent there are thousands.
PARTS_KEPT = 40
MOST = 200
READ = f"""
SELECT key, item::text AS item, mine_of, seen_at, over_at FROM evpower.attention_over WHERE over_at > %(since)s
ORDER BY over_at DESC, key LIMIT {MOST}
"""
#: Several processes see the same end: the first one's is kept. What was raised again since is another end.
STORE = """
INSERT INTO evpower.attention_over AS o (key, item, mine_of, seen_at, over_at)
VALUES (%(key)s, %(item)s, %(mine_of)s, %(seen_at)s, %(over_at)s)
ON CONFLICT (key) DO UPDATE SET item = excluded.item, mine_of = excluded.mine_of, seen_at = excluded.seen_at,
                                over_at = excluded.over_at
WHERE o.over_at < %(began_at)s
"""
DELETE = "DELETE FROM evpower.attention_over WHERE over_at < %(before)s"


@dataclass(frozen=True)
class Over:
    """A row that is over: it was seen at `seen_at`, and no more at `over_at`."""

    item: Item
    mine_of: str | None
    seen_at: datetime
    over_at: datetime


async def read_over(conn: Conn, since: datetime) -> tuple[Over, ...]:
    """What was over since then, the newest first."""
    rows = await (await conn.execute(READ, {"since": since})).fetchall()
    return tuple(Over(_item(row["item"]), row["mine_of"], row["seen_at"], row["over_at"]) for row in rows)


async def store_over(conn: Conn, over: Iterable[Over]) -> None:
    """Keep these."""
    for each in over:
        item, kept = each.item, each.item.parts[:PARTS_KEPT]
        short = replace(item, parts=kept, more=item.more + len(item.parts) - len(kept))
        row = {"key": item.key, "item": msgspec.json.encode(short).decode(), "mine_of": each.mine_of}
        times = {"seen_at": each.seen_at, "over_at": each.over_at, "began_at": item.since}
        await conn.execute(STORE, row | times)


async def delete_over(conn: Conn, before: datetime) -> None:
    """Forget what was over before."""
    await conn.execute(DELETE, {"before": before})


def _item(text: str) -> Item:
    return msgspec.json.decode(text, type=Item)
