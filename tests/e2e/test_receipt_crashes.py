"""A charge from its start to receipt and message, the server killed at each commit that moves it on (issue 13)."""

from __future__ import annotations

from typing import LiteralString

import pytest
import trio

from tests.e2e.crash import Commits, counted_commits
from tests.e2e.process import Server
from tests.e2e.street import CLIENT, WITHIN_S, Charger, Phone, charger_at, cost_of
from tests.e2e.test_kill import Charge, at_the_start
from tests.worlds.push import token

#: Each commit of a charge's path writes one of them; a reading alone writes none.
MOVES: tuple[LiteralString, ...] = ("evpower.session_phases", "evpower.ledger_entries", "evpower.receipts")
#: Far beyond a charge's commits.
NEVER = 100_000
RECEIPTS = "SELECT year, serial, revision, session_id, energy_wh, amount_tyiyn FROM evpower.receipts ORDER BY serial"
MESSAGES = """
SELECT payload ->> 'session_id' FROM evpower.push_outbox WHERE event = 'charging_completed' ORDER BY id"""
CURVE = "SELECT points FROM evpower.session_curves WHERE session_id = %s"


async def charged(server: Server, charger: Charger, number: int) -> Charge:
    """A charge to its end, by a phone and a charger that go on after a death."""
    charge = Charge(number, server, Phone(server), charger)
    await charger.plug()
    await charge.start()
    await charge.finish(at_the_start)
    await charger.has_delivered_messages()
    await charger.point.unplug()
    return charge


async def die(server: Server, commits: Commits, *, kept: bool) -> None:
    """The server is killed inside the armed commit, which is lost or goes through, and starts again."""
    pid = await commits.reached()
    await server.kill()
    await commits.end(pid, kept=kept)
    await server.start()


@pytest.mark.parametrize("kept", [False, True], ids=["lost", "kept"])
async def test_a_death_at_each_commit_leaves_one_receipt_one_message_and_the_right_curve(
    messaging_server: Server, database_url: str, kept: bool
) -> None:
    server = messaging_server
    await Phone(server).request(
        "POST", "devices/register", {"fcm_token": token(), "platform": "android", "client_id": CLIENT}
    )
    with counted_commits(database_url, MOVES) as commits:
        async with charger_at(server, power_kw=3000) as charger:
            commits.arm(NEVER)
            charge = await charged(server, charger, 0)
            charges = [(charge.session_id, charger.stopped_wh)]
            last = commits.count
            assert last >= 4
            for number in range(1, last + 1):
                commits.arm(number)
                with trio.fail_after(2 * WITHIN_S):
                    async with trio.open_nursery() as nursery:
                        nursery.start_soon(lambda: die(server, commits, kept=kept))
                        charge = await charged(server, charger, number)
                charges.append((charge.session_id, charger.stopped_wh))
            await server.check_ledger()
        receipts = [row[1:] for row in commits.rows(RECEIPTS)]
        billed = [(id, energy_wh, int(cost_of(energy_wh) * 100)) for id, energy_wh in charges]
        assert receipts == [(n, 1, *each) for n, each in enumerate(billed, 1)]
        assert commits.rows(MESSAGES) == [(session_id,) for session_id, _ in charges]
        for session_id, energy_wh in charges:
            ((points,),) = commits.rows(CURVE, session_id)
            assert points[-1]["energy_wh"] == energy_wh
            assert [each["t_s"] for each in points] == sorted(each["t_s"] for each in points)
