"""A driver hears how the charge ended, also when the server dies between the bill and the message (acceptance 3)."""

from __future__ import annotations

from functools import partial
from typing import Any

import psycopg
import trio

from tests.e2e.process import Server, poll
from tests.e2e.street import CLIENT, WITHIN_S, Charger, Phone, charger_at
from tests.worlds.push import token
from tests.worlds.push_services import UNREGISTERED, FcmStandIn

COMPLETED = "SELECT state FROM evpower.push_outbox WHERE event = 'charging_completed' AND payload ->> 'session_id' = %s"

SETTLED = """
SELECT (SELECT count(*) FROM evpower.ledger_entries WHERE session_id = %(id)s AND kind = 'settle'),
       (SELECT count(*) FROM evpower.receipts WHERE session_id = %(id)s),
       (SELECT count(*) FROM evpower.push_outbox
        WHERE event = 'charging_completed' AND payload ->> 'session_id' = %(id)s)
"""


def completed(fcm: FcmStandIn, session_id: str) -> list[dict[str, Any]]:
    """The messages about the charge's end that FCM has."""
    wanted = {"event": "charging_completed", "session_id": session_id}
    return [message for message in fcm.accepted if wanted.items() <= message["data"].items()]


async def has_been_asked(fcm: FcmStandIn, times: int) -> bool:
    return len(fcm.asked) >= times


async def is_sent(database: psycopg.Connection[Any], session_id: str) -> bool:
    return database.execute(COMPLETED, [session_id]).fetchall() == [("sent",)]


async def charge(phone: Phone, charger: Charger) -> str:
    """A charge from the plug to the bill; its session."""
    await charger.plug()
    session_id: str = (await phone.start(energy_kwh=20))["session_id"]
    await charger.deliver(1000)
    await charger.point.stop()
    await phone.receipt(session_id)
    await charger.point.unplug()
    return session_id


async def test_a_message_survives_a_kill_after_the_bill(
    messaging_server: Server, database_url: str, fcm: FcmStandIn
) -> None:
    """Killed before FCM was asked for anything, then while FCM has a message and has not answered."""
    server, phone = messaging_server, Phone(messaging_server)
    registered = await phone.request(
        "POST", "devices/register", {"fcm_token": token(), "platform": "android", "client_id": CLIENT}
    )
    assert registered == {"success": True}
    async with charger_at(server) as charger:
        for is_asked_first in (False, True):
            fcm.access_gate = None if is_asked_first else trio.Event()
            fcm.gate = trio.Event() if is_asked_first else None
            asked = len(fcm.asked)
            session_id = await charge(phone, charger)
            with psycopg.connect(database_url, autocommit=True) as database, trio.fail_after(WITHIN_S):
                assert database.execute(COMPLETED, [session_id]).fetchall() == [("queued",)]
                await poll(partial(has_been_asked, fcm, asked + is_asked_first), 0.01)
                await server.kill()
                fcm.release()
                assert completed(fcm, session_id) == []
                # The lease of the dead, in a test's time.
                database.execute("UPDATE evpower.push_outbox SET due_at = queued_at WHERE state = 'queued'")
                await server.start()

                await poll(partial(is_sent, database, session_id))
                rows = database.execute(SETTLED, {"id": session_id}).fetchall()
            assert rows == [(1, 1, 1)], "one bill, one receipt, one message"
            assert completed(fcm, session_id)


async def test_a_device_that_is_gone_is_not_asked_again(
    messaging_server: Server, database_url: str, fcm: FcmStandIn
) -> None:
    """Acceptance 4, over the doors."""
    phone = Phone(messaging_server)
    await phone.request("POST", "devices/register", {"fcm_token": token(), "platform": "ios", "client_id": CLIENT})
    fcm.refuse(token(), UNREGISTERED)
    test = await phone.request("POST", "notifications/test", {"client_id": CLIENT})
    assert test["sent_to"] == 1
    with psycopg.connect(database_url, autocommit=True) as database, trio.fail_after(WITHIN_S):

        async def has_ended() -> Any:
            return database.execute("SELECT 1 FROM evpower.push_targets WHERE end_reason = 'unregistered'").fetchone()

        await poll(has_ended)
    again = await phone.request("POST", "notifications/test", {"client_id": CLIENT})
    assert (again["sent_to"], len(fcm.asked)) == (0, 1)
