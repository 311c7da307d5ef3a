"""Transactions told wrongly, twice, too late or in reverse are billed once and exactly, or parked, or refused.

Every case has a station and a client with 1,000 som of its own; a card's start holds 200. All run beside each other.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import psycopg
import trio

from tests.e2e.hostile import STOPPED_AT, Hand, Site, assert_quiet, fleet_of, hand_at
from tests.e2e.process import Server, poll
from tests.e2e.street import OPENING, WITHIN_S, Phone, charger_at, cost_of

#: 10 kWh, from 1,000 to 11,000 Wh, at 13.50 som; and 5 kWh, when a reading at 6,000 counts.
WHOLE, HALF = "135.00", "67.50"
YEAR_1970 = ("1970-01-01T00:00:00Z", "1970-01-01T00:10:00Z")
GWH = 1_000_000_000
BILLS = """
SELECT amount::text FROM public.charging_sessions WHERE user_id = %s AND settled_at IS NOT NULL ORDER BY created_at, id
"""
#: The bills a case leaves, in som, in the order of their starts.
Case = Callable[[Site, Hand], Awaitable[list[str]]]


async def a_clock_of_1970(site: Site, hand: Hand) -> list[str]:
    transaction_id = await hand.begin(site.card, at=YEAR_1970[0])
    await hand.meter(transaction_id, 6_000, at=YEAR_1970[0])
    await hand.stop(transaction_id, at=YEAR_1970[1])
    return [WHOLE]


async def a_clock_that_jumps_from_1970(site: Site, hand: Hand) -> list[str]:
    await hand.stop(await hand.begin(site.card, at=YEAR_1970[0]))
    return [WHOLE]


async def a_clock_that_goes_backwards(site: Site, hand: Hand) -> list[str]:
    await hand.stop(await hand.begin(site.card), at=YEAR_1970[1])
    return [WHOLE]


async def a_clock_a_day_ahead(site: Site, hand: Hand) -> list[str]:
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    transaction_id = await hand.begin(site.card, at=tomorrow)
    await hand.meter(transaction_id, 6_000, at=tomorrow)
    await hand.stop(transaction_id, at=tomorrow)
    return [WHOLE]


async def starts_repeated(site: Site, hand: Hand) -> list[str]:
    """The same message id, another, and on a new socket."""
    made = {await hand.start(site.card, message_id="same") for _ in range(2)} | {await hand.start(site.card)}
    async with hand_at(site.server, site.station) as twin:
        made.add(await twin.start(site.card))
        [(verdict, transaction_id)] = made
        assert verdict == "Accepted"
        await twin.stop(transaction_id)
    return [WHOLE]


async def stops_repeated(site: Site, hand: Hand) -> list[str]:
    """Three times, and again on a new socket with more energy: the first counts."""
    transaction_id = await hand.begin(site.card)
    for _ in range(3):
        await hand.stop(transaction_id, message_id="same")
    async with hand_at(site.server, site.station) as twin:
        await twin.stop(transaction_id, 12_000)
    return [WHOLE]


async def stops_of_nothing(site: Site, hand: Hand) -> list[str]:
    for transaction_id in (2**31 - 1, -1, 0):
        await hand.stop(transaction_id)
    assert await site.parked() == ["StopTransaction"] * 3
    return []


async def words_about_another_stations_transaction(site: Site, hand: Hand) -> list[str]:
    other = Site(site.server, "OTHER")
    async with hand_at(site.server, other.station) as victim:
        transaction_id = await victim.begin(other.card)
        await hand.meter(transaction_id, 9_000)
        await hand.stop(transaction_id, 1_001)
        assert await site.parked() == ["StopTransaction"]
        assert await is_billed(site.server, other.name, [])
        await victim.stop(transaction_id)
    await until_billed(site.server, other.name, [WHOLE])
    return []


async def readings_after_the_stop(site: Site, hand: Hand) -> list[str]:
    transaction_id = await hand.begin(site.card)
    await hand.stop(transaction_id)
    await hand.meter(transaction_id, 14_000, 6_000)
    return [WHOLE]


async def registers_nobody_can_believe(site: Site, hand: Hand) -> list[str]:
    """Backwards, a GWh, negative, 2^63: then a stop that is right."""
    transaction_id = await hand.begin(site.card)
    await hand.meter(transaction_id, 6_000, 3_000, GWH, -5, 2**63, "1e400", "NaN")
    await hand.stop(transaction_id)
    return [WHOLE]


def a_stop_at(meter_wh: int, parked: list[str]) -> Case:
    """The last reading counts instead."""

    async def case(site: Site, hand: Hand) -> list[str]:
        transaction_id = await hand.begin(site.card)
        await hand.meter(transaction_id, 6_000)
        await hand.stop(transaction_id, meter_wh)
        assert await site.parked() == parked
        return [HALF]

    return case


def a_start_at(meter_wh: int) -> Case:
    """Nobody knows what was delivered: nothing is billed without a person."""

    async def case(site: Site, hand: Hand) -> list[str]:
        await hand.stop(await hand.begin(site.card, meter_wh))
        assert await site.parked() == ["StartTransaction"]
        return ["0.00"]

    return case


def a_start_on_connector(connector: int, verdict: str) -> Case:
    async def case(site: Site, hand: Hand) -> list[str]:
        assert (await hand.start(site.card, connector=connector))[0] == verdict
        return []

    return case


async def a_queue_replayed_in_reverse(site: Site, hand: Hand) -> list[str]:
    """Two charges while offline, the later one first: a stop without an id is parked, one with it is billed."""
    await hand.stop(-1, 8_000)
    await hand.begin(site.card, 3_000, at=STOPPED_AT)
    await hand.stop(-1, 3_000)
    await hand.stop(await hand.begin(site.card), 3_000)
    assert await site.parked() == ["StopTransaction"] * 2
    return ["0.00", "27.00"]


async def tags_that_are_none(site: Site, hand: Hand) -> list[str]:
    for tag in ("", "' OR '1'='1", '"; DROP TABLE clients; --', "CARD-%", "*", "A" * 300, f"{site.card}\0"):
        assert (await hand.start(tag))[0] == "Invalid", tag
    return []


async def a_phones_start_that_begins_on_connector_0(site: Site, hand: Hand) -> list[str]:
    """It is refused there, and the driver's start still waits for its own connector."""
    phone = Phone(site.server, site.name)
    body = {"client_id": site.name, "station_id": site.station, "connector_id": 1, "energy_kwh": 20}
    async with trio.open_nursery() as nursery:
        nursery.start_soon(phone.request, "POST", "charging/start", body)
        tag = await hand.remote_start()
        assert (await hand.start(tag, connector=0))[0] == "Blocked"
        await hand.stop(await hand.begin(tag))
    return [WHOLE]


CASES: dict[str, Case] = {
    "clock of 1970": a_clock_of_1970,
    "clock jumps from 1970": a_clock_that_jumps_from_1970,
    "clock goes backwards": a_clock_that_goes_backwards,
    "clock a day ahead": a_clock_a_day_ahead,
    "starts repeated": starts_repeated,
    "stops repeated": stops_repeated,
    "stops of nothing": stops_of_nothing,
    "another station's transaction": words_about_another_stations_transaction,
    "readings after the stop": readings_after_the_stop,
    "unbelievable registers": registers_nobody_can_believe,
    "stop below the start": a_stop_at(500, []),
    "stop a GWh above": a_stop_at(GWH, []),
    "stop at -1": a_stop_at(-1, ["StopTransaction"]),
    "stop at 2^63": a_stop_at(2**63, ["StopTransaction"]),
    "start at -1": a_start_at(-1),
    "start at 2^63": a_start_at(2**63),
    "start on connector 0": a_start_on_connector(0, "Blocked"),
    "start on connector 99": a_start_on_connector(99, "Blocked"),
    "start on connector -1": a_start_on_connector(-1, "Blocked"),
    "queue in reverse": a_queue_replayed_in_reverse,
    "tags that are none": tags_that_are_none,
    "phone's start on connector 0": a_phones_start_that_begins_on_connector_0,
}


async def is_billed(server: Server, client: str, bills: list[str]) -> bool:
    """Whether the client's final sessions have these bills, and his money is what they leave.

    Without bills his money is not looked at: a charge may run and hold some.
    """
    with psycopg.connect(_database(server)) as database:
        found = [amount for (amount,) in database.execute(BILLS, [client]).fetchall()]
    if bills == [] and found == []:
        return True
    left = OPENING - sum(map(Decimal, bills), Decimal())
    return found == bills and await Phone(server, client).balance() == left


async def until_billed(server: Server, client: str, bills: list[str]) -> None:
    await poll(lambda: is_billed(server, client, bills))


def _database(server: Server) -> str:
    return server.environment["EVPOWER_DATABASE_URL"]


async def test_transactions_told_wrongly_are_billed_once_and_exactly(server: Server) -> None:
    names = {name: f"T{n:02}" for n, name in enumerate(CASES)}
    await server.import_fleet(fleet_of((*names.values(), "OTHER")))
    billed: dict[str, list[str]] = {}

    async def take(name: str, case: Case) -> None:
        site = Site(server, names[name])
        try:
            with trio.fail_after(WITHIN_S):
                async with hand_at(server, site.station) as hand:
                    billed[site.name] = await case(site, hand)
                    await until_billed(server, site.name, billed[site.name])
                    if "repeated" not in name:  # its socket was replaced by a twin's
                        await hand.lives()
        except BaseException as error:
            error.add_note(f"the case: {name}")
            raise

    phone = Phone(server)
    async with charger_at(server, power_kw=300) as charger:
        await charger.plug()
        session_id = (await phone.start(energy_kwh=20))["session_id"]
        await charger.has_begun()
        async with trio.open_nursery() as nursery:
            for name, case in CASES.items():
                nursery.start_soon(take, name, case)
        await charger.point.stop()
        await phone.receipt(session_id)
        assert await phone.balance() == OPENING - cost_of(charger.stopped_wh)
    for client, bills in billed.items():
        assert await is_billed(server, client, bills), f"{client}: something was charged afterwards"
        assert await Phone(server, client).balance() == OPENING - sum(map(Decimal, bills), Decimal())
    await server.check_ledger()
    assert_quiet(server)
