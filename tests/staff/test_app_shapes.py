"""The administrators' door in the owner's app's shapes (contract/rest-api §7.7): keys, nulls, filters, money."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest
import trio

from evpower.billing.errors import ClientBlocked
from evpower.identifiers import ClientId, SessionId, StationId
from tests.staff.test_admin_door import ADMIN, ELSEWHERE, OTHER, TOKEN, Door
from tests.worlds.charging import CLIENT, ONE, STATION, World
from tests.worlds.fakes import NOON

SESSION_KEYS = {
    *("id", "station_id", "client_id", "status", "energy_kwh", "amount_som"),
    *("station_name", "location_name", "location_address", "client_email", "client_phone", "duration_minutes"),
    *("limit_type", "limit_value", "start_time", "stop_time", "created_at"),
}
CLIENT_KEYS = {
    *("id", "balance", "status", "sessions_count", "total_energy_kwh", "total_spent_som", "anonymized"),
    *("name", "email", "phone", "created_at", "updated_at"),
}
STATION_KEYS = {
    *("id", "serial_number", "model", "manufacturer", "location_id", "location_name", "location_address"),
    *("power_capacity", "price_per_kwh", "session_fee", "last_heartbeat_at", "created_at", "updated_at"),
    *("status", "is_available", "currency", "connectors_count", "connectors"),
}
CONNECTOR_KEYS = {"id", "connector_number", "connector_type", "power_kw", "status", "error_code"}
#: What the app's schema takes no null for.
NEVER_NULL = {"id", "station_id", "client_id", "status", "energy_kwh", "amount_som"}
FRIEND = ClientId("client-2")


@pytest.fixture
async def door(world: World) -> Door:
    await world.sql(ELSEWHERE)
    await world.give(500_00)
    return Door(world)


async def charged(world: World, energy_wh: int = 10_000) -> SessionId:
    """A charge of 135 som, settled."""
    session = (await world.order(energy_wh=energy_wh)).session.session_id
    await world.charge(session, energy_wh)
    return session


# -------------------------------------------------------------------------------------------------------- stations
async def test_a_stations_keys_are_there_and_its_connectors_speak_ocpp(world: World, door: Door) -> None:
    """Field ruling 6.7."""
    await world.say("Charging")
    await world.say("Faulted", connector=ONE, error="GroundFailure")
    station = await door.ask("user~adm", f"/stations/{STATION}")
    assert station.keys() >= STATION_KEYS
    first, second = station["connectors"]
    assert first.keys() >= CONNECTOR_KEYS
    assert (first["status"], first["error_code"], second["status"]) == ("Faulted", "GroundFailure", "Available")


@pytest.mark.parametrize("word", ["Available", "Preparing", "Charging", "SuspendedEV", "Finishing", "Unavailable"])
async def test_each_word_of_ocpp_is_shown_as_it_is(world: World, door: Door, word: str) -> None:
    await world.say(word)
    station = await door.ask("user~adm", f"/stations/{STATION}")
    assert station["connectors"][0]["status"] == word


async def test_a_station_is_changed_in_the_apps_words(door: Door) -> None:
    body = {"status": "maintenance", "price_per_kwh": 12.5, "session_fee": 5}
    changed = await door.ask("user~adm", f"/stations/{STATION}", method="PUT", body=body)
    assert changed.keys() >= {"id", "status", "is_available", "price_per_kwh", "session_fee"}
    assert {name: changed[name] for name in body} == body


# -------------------------------------------------------------------------------------------------------- sessions
async def test_a_running_session_has_every_key_and_costs_what_it_delivered(world: World, door: Door) -> None:
    started = await world.order(energy_wh=20_000)
    begun = await world.begin(await world.tag_of(started.session.session_id))
    world.clock.advance(1800)
    await world.meter(begun.wire_transaction_id, 11_000)
    listed = await door.ask("user~adm", "/sessions")
    (session,) = listed["sessions"]
    assert session.keys() >= SESSION_KEYS
    assert [name for name in NEVER_NULL if session[name] is None] == []
    assert (session["status"], session["energy_kwh"], session["amount_som"]) == ("started", 10, 135)
    assert (session["stop_time"], session["duration_minutes"]) == (None, 30)
    assert (session["limit_type"], session["limit_value"]) == ("energy", 20)
    assert (listed["total"], listed["limit"], listed["offset"]) == (1, 50, 0)


async def test_a_settled_session_is_in_the_history_alone_and_shows_its_bill(world: World, door: Door) -> None:
    session_id = await charged(world)
    assert (await door.ask("user~adm", "/sessions"))["sessions"] == []
    (session,) = (await door.ask("user~adm", "/sessions/history"))["sessions"]
    assert (session["id"], session["status"], session["amount_som"]) == (session_id, "stopped", 135)
    assert session["stop_time"] is not None
    assert await door.ask("user~adm", f"/sessions/{session_id}") == session


async def test_the_history_is_filtered(world: World, door: Door) -> None:
    await charged(world)
    today = f"{NOON:%Y-%m-%d}"
    yesterday, tomorrow = (f"{NOON + timedelta(days=days):%Y-%m-%d}" for days in (-1, 1))
    found = {
        "?status=stopped": 1,
        "?status=error": 0,
        f"?station_id={STATION}": 1,
        "?station_id=EVPCS-001": 1,
        f"?station_id={OTHER}": 0,
        f"?date_from={today}&date_to={today}": 1,
        f"?date_from={tomorrow}": 0,
        f"?date_to={yesterday}": 0,
        f"?date_from={NOON:%Y-%m-%dT%H:%M:%S}Z": 1,
        f"?date_from={NOON:%Y-%m-%dT%H:%M:%S}": 1,
        f"?date_from={NOON + timedelta(hours=6):%Y-%m-%dT%H:%M:%S}%2B06:00": 1,
        f"?date_to={NOON:%Y-%m-%dT%H:%M:%S}Z": 0,
        "?limit=1&offset=1": 1,
    }
    totals = {query: (await door.ask("user~adm", f"/sessions/history{query}"))["total"] for query in found}
    assert totals == found
    assert (await door.ask("user~adm", "/sessions/history?limit=1&offset=1"))["sessions"] == []


@pytest.mark.parametrize(
    "query", ["?status=running", "?date_from=yesterday", "?date_to=2026-13-01", "?limit=0", "?offset=-1", "?limit=501"]
)
async def test_a_wrong_filter_is_named(door: Door, query: str) -> None:
    assert (await door.ask("user~adm", f"/sessions/history{query}", 400))["error"] == "validation_error"


@pytest.mark.parametrize("session", ["unknown", "a%20b"])
async def test_an_unknown_session_is_not_found(door: Door, session: str) -> None:
    assert (await door.ask("user~adm", f"/sessions/{session}", 404))["error"] == "session_not_found"
    assert (await door.ask("user~adm", f"/sessions/{session}/evidence", 404))["error"] == "session_not_found"


async def test_an_operator_sees_and_stops_charges_at_their_own_stations_and_no_contacts(
    world: World, door: Door
) -> None:
    await world.sql("UPDATE clients SET phone = '+996555000001', email = 'd@example.kg' WHERE id = %s", CLIENT)
    session_id = (await world.order(energy_wh=5_000)).session.session_id
    (seen,) = (await door.ask("user~op", "/sessions"))["sessions"]
    assert (seen["id"], seen["client_phone"], seen["client_email"]) == (session_id, None, None)
    case = await door.ask("user~op", f"/sessions/{session_id}/evidence")
    assert [each["step"] for each in case["timeline"]] == ["asked", "held"]
    for kept, shown, left_out in ((500, (0, 499), False), (501, (1, 500), True)):
        door.frames.kept = kept
        case = await door.ask("user~op", f"/sessions/{session_id}/evidence")
        numbers = [each["frame"] for each in case["frames"]]
        assert (numbers[0], numbers[-1], case["frames_left_out"]) == (*shown, left_out)
    contacts = await door.ask("user~adm", f"/sessions/{session_id}")
    assert (contacts["client_phone"], contacts["client_email"]) == ("+996555000001", "d@example.kg")
    await world.app.staff.withdraw("op", "EVP-LOC-001", actor="ann")
    for path in ("/sessions", "/sessions/history"):
        assert (await door.ask("user~op", path))["total"] == 0
    assert (await door.ask("user~op", f"/sessions/{session_id}", 403))["reason"] == "not_own"
    assert (await door.ask("user~op", f"/sessions/{session_id}/evidence", 403))["reason"] == "not_own"
    assert (await door.ask("user~op", f"/sessions/{session_id}/stop", 403, method="POST"))["reason"] == "not_own"
    await world.app.staff.grant("op", "EVP-LOC-001", actor="ann")
    await door.ask("user~op", f"/sessions/{session_id}/stop", method="POST")
    (phase,) = await world.sql("SELECT stop_requested_by FROM evpower.session_phases WHERE session_id = %s", session_id)
    assert phase["stop_requested_by"] == "operator:op"


# ----------------------------------------------------------------------------------------------------------- stats
async def test_the_figures_of_today(world: World, door: Door) -> None:
    await charged(world)
    await world.order(energy_wh=5_000)
    stats = await door.ask("user~adm", "/stats")
    assert stats == {
        "stations": {"total": 2, "online": 1, "offline": 1, "error": 0},
        "sessions": {"active": 1, "today": 2},
        "today": {"energy_kwh": 10, "revenue_som": 135},
        "period": {"from": "2026-11-22T18:00:00.000000Z", "to": stats["period"]["to"]},
    }


async def test_a_day_begins_at_midnight_in_bishkek_and_a_period_may_be_longer(world: World, door: Door) -> None:
    await charged(world)
    await world.sql("UPDATE charging_sessions SET start_time = '2026-11-22 17:59:59Z'")
    assert (await door.ask("user~adm", "/stats"))["sessions"]["today"] == 0
    week = await door.ask("user~adm", "/stats?period_days=7")
    assert (week["sessions"]["today"], week["today"]["revenue_som"]) == (1, 135)
    assert week["period"]["from"] == "2026-11-16T18:00:00.000000Z"
    await world.sql("UPDATE charging_sessions SET start_time = '2026-11-22 18:00:00Z'")
    assert (await door.ask("user~adm", "/stats"))["sessions"]["today"] == 1


async def test_a_fault_is_an_error_and_an_operators_figures_are_their_own(world: World, door: Door) -> None:
    await world.say("Faulted")
    assert (await door.ask("user~op", "/stats"))["stations"] == {"total": 1, "online": 1, "offline": 0, "error": 1}
    await charged_elsewhere(world)
    assert (await door.ask("user~op", "/stats"))["sessions"] == {"active": 0, "today": 0}
    assert (await door.ask("user~adm", "/stats"))["sessions"]["today"] == 1


async def charged_elsewhere(world: World) -> None:
    await world.say("Available")
    session = await charged(world)
    await world.sql("UPDATE charging_sessions SET station_id = %s WHERE id = %s", StationId(OTHER), session)


# --------------------------------------------------------------------------------------------------------- clients
async def test_a_client_has_every_key_and_their_recent_sessions(world: World, door: Door) -> None:
    session_id = await charged(world)
    client = await door.ask("user~adm", f"/clients/{CLIENT}")
    assert client.keys() >= CLIENT_KEYS
    assert (client["balance"], client["status"], client["anonymized"]) == (365, "active", False)
    assert (client["sessions_count"], client["total_energy_kwh"], client["total_spent_som"]) == (1, 10, 135)
    assert (client["name"], client["email"]) == (None, None)
    assert [each["id"] for each in client["recent_sessions"]] == [session_id]
    listed = await door.ask("user~adm", "/clients")
    assert listed["clients"] == [{name: value for name, value in client.items() if name != "recent_sessions"}]


async def test_clients_are_searched_literally_and_filtered(world: World, door: Door) -> None:
    await world.give(1_00, FRIEND)
    await world.sql("UPDATE clients SET name = 'Айгүл 100%%', phone = '+996555000001' WHERE id = %s", FRIEND)
    found = {
        f"?search={quote('айгүл')}": 1,
        "?search=555000": 1,
        "?search=client-": 2,
        "?search=100%25": 1,
        "?search=client_2": 0,
        "?search=%25": 1,
        "?status=active": 2,
        "?status=blocked": 0,
    }
    assert {query: (await door.ask("user~adm", f"/clients{query}"))["total"] for query in found} == found


async def test_an_unknown_client_is_not_found_and_not_made(world: World, door: Door) -> None:
    body = {"amount": 1, "reason": "r"}
    for path, method in (("", "GET"), ("/balance", "PUT"), ("/status?status=blocked", "PUT")):
        answer = await door.ask(
            "user~adm", f"/clients/nobody{path}", 404, method=method, body=body if method == "PUT" else None
        )
        assert answer["error"] == "client_not_found"
    assert await world.sql("SELECT 1 FROM clients WHERE id = 'nobody'") == []


async def test_who_is_deleted_is_shown_as_blocked_and_is_not_made_active_by_it(world: World, door: Door) -> None:
    await world.sql("UPDATE clients SET status = 'inactive'")
    assert (await door.ask("user~adm", f"/clients/{CLIENT}"))["status"] == "blocked"
    assert (await door.ask("user~adm", "/clients?status=blocked"))["total"] == 1
    answer = await door.ask("user~adm", f"/clients/{CLIENT}/status?status=active", method="PUT")
    assert answer["error"] == "client_deleted"
    assert (await world.sql("SELECT status FROM clients"))[0]["status"] == "inactive"


async def test_a_blocked_client_starts_nothing_and_stops_what_runs(world: World, door: Door) -> None:
    session_id = (await world.order(energy_wh=5_000)).session.session_id
    path = f"/clients/{CLIENT}/status?status="
    blocked = await door.ask("user~adm", f"{path}blocked", method="PUT")
    assert blocked == {"client_id": CLIENT, "old_status": "active", "new_status": "blocked"}
    await world.app.charging.stop_session(session_id, caller=CLIENT, actor="client")
    with pytest.raises(ClientBlocked):
        await world.order(energy_wh=5_000)
    again = await door.ask("user~adm", f"{path}active", method="PUT")
    assert (again["old_status"], again["new_status"]) == ("blocked", "active")
    await world.order(energy_wh=5_000)


@pytest.mark.parametrize("query", ["", "?status=", "?status=inactive", "?status=Blocked"])
async def test_a_status_is_one_of_two_words(door: Door, query: str) -> None:
    await door.ask("user~adm", f"/clients/{CLIENT}/status{query}", 400, method="PUT")


# --------------------------------------------------------------------------------------------------------- balance
BALANCE = f"/clients/{CLIENT}/balance"


def change(amount: float, reason: str = "жалоба 7") -> dict[str, Any]:
    return {"method": "PUT", "body": {"amount": amount, "reason": reason}}


async def ledger_is_sound(world: World) -> bool:
    return (await world.app.billing.check()).ok


@pytest.mark.parametrize(("amount", "after"), [(100, 600), (0.01, 500.01), (-500, 0), (-0.5, 499.5)])
async def test_a_balance_is_corrected_by_a_balanced_entry(
    world: World, door: Door, amount: float, after: float
) -> None:
    done = await door.ask("user~super", BALANCE, **change(amount))
    assert done == {
        "client_id": CLIENT,
        "old_balance": 500,
        "new_balance": after,
        "adjustment": amount,
        "reason": "жалоба 7",
    }
    assert await world.balance() == round(after * 100)
    (entry,) = await world.sql("SELECT actor, description FROM evpower.ledger_entries ORDER BY id DESC LIMIT 1")
    assert entry == {"actor": "operator:super", "description": "жалоба 7"}
    (line,) = await world.sql("SELECT type, description FROM payment_transactions ORDER BY id DESC LIMIT 1")
    assert line == {"type": "admin_adjustment", "description": "жалоба 7"}
    assert await ledger_is_sound(world)


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"amount": 10}, "validation_error"),
        ({"amount": 10, "reason": " "}, "validation_error"),
        ({"reason": "r"}, "validation_error"),
        ({"amount": "10", "reason": "r"}, "validation_error"),
        ({"amount": True, "reason": "r"}, "validation_error"),
        ({"amount": 10, "reason": "r", "actor": "ann"}, "validation_error"),
        ({"amount": 0, "reason": "r"}, "invalid_amount"),
        ({"amount": 0.001, "reason": "r"}, "invalid_amount"),
        ({"amount": 10**400, "reason": "r"}, "invalid_amount"),
    ],
)
async def test_a_correction_that_cannot_be_read_moves_nothing(
    world: World, door: Door, body: dict[str, Any], error: str
) -> None:
    assert (await door.ask("user~super", BALANCE, 400, method="PUT", body=body))["error"] == error
    assert await world.balance() == 500_00


async def test_more_than_is_there_is_not_taken(world: World, door: Door) -> None:
    answer = await door.ask("user~super", BALANCE, **change(-500.01))
    assert (answer["error"], answer["current_balance"]) == ("insufficient_balance", 500)
    assert await world.balance() == 500_00


async def test_the_same_key_again_changes_nothing_and_shows_the_same(world: World, door: Door) -> None:
    first = await door.ask("user~super", BALANCE, **change(100), key="k1")
    await door.ask("user~super", BALANCE, **change(7))
    assert await door.ask("user~super", BALANCE, **change(100), key="k1") == first
    assert await world.balance() == 607_00


@pytest.mark.parametrize("other", [change(101), change(100, "other")])
async def test_a_key_of_another_correction_is_refused(world: World, door: Door, other: dict[str, Any]) -> None:
    await door.ask("user~super", BALANCE, **change(100), key="k1")
    assert (await door.ask("user~super", BALANCE, 409, **other, key="k1"))["error"] == "invalid_request"
    assert await world.balance() == 600_00


async def test_of_ten_with_one_key_at_once_one_moves_money(world: World, door: Door) -> None:
    answers: list[Any] = []

    async def ask() -> None:
        answers.append(await door.ask("user~adm", BALANCE, **change(100), key="k1"))

    async with trio.open_nursery() as nursery:
        for _ in range(10):
            nursery.start_soon(ask)
    assert len(answers) == 10
    assert all(answer == answers[0] for answer in answers)
    assert await world.balance() == 600_00


# ----------------------------------------------------------------------------------------------- the limit of a day
async def test_an_administrator_moves_5000_som_a_day_whichever_way(world: World, door: Door) -> None:
    await door.ask("user~adm", BALANCE, **change(3_000))
    await door.ask("user~adm", BALANCE, **change(-1_999))
    answer = await door.ask("user~adm", BALANCE, 403, **change(1.01))
    assert (answer["reason"], answer["limit"], answer["used"]) == ("daily_limit", 5000, 4999)
    await door.ask("user~adm", BALANCE, **change(1))
    await door.ask("user~adm", BALANCE, 403, **change(-0.01))
    assert await world.balance() == 1_502_00


async def test_what_was_refused_counts_for_nothing(world: World, door: Door) -> None:
    await door.ask("user~adm", BALANCE, 403, **change(5_000.01))
    assert (await door.ask("user~adm", BALANCE, **change(-900)))["error"] == "insufficient_balance"
    await door.ask("user~adm", BALANCE, **change(5_000))


async def test_a_repeat_is_counted_once(world: World, door: Door) -> None:
    for _ in range(3):
        await door.ask("user~adm", BALANCE, **change(5_000), key="k1")
    assert await world.balance() == 5_500_00


async def test_superadministrators_and_the_token_have_no_limit(world: World, door: Door) -> None:
    for token in ("user~super", TOKEN):
        await door.ask(token, BALANCE, **change(100_000))
    assert await world.balance() == 200_500_00


async def test_a_new_day_begins_at_midnight_in_bishkek(world: World, door: Door) -> None:
    await door.ask("user~adm", BALANCE, **change(5_000))
    midnight = datetime(2026, 11, 23, 18, tzinfo=UTC)
    world.clock.advance((midnight - world.clock.now()).total_seconds() - 1)
    await door.ask("user~adm", BALANCE, 403, **change(1))
    world.clock.advance(1)
    await door.ask("user~adm", BALANCE, **change(5_000))


async def test_ten_at_once_do_not_exceed_it_together(world: World, door: Door) -> None:
    await world.give(1_00, FRIEND)

    async def ask(client: str, number: int) -> None:
        await door.phone.put(
            f"{ADMIN}/clients/{client}/balance",
            headers={"Authorization": "Bearer user~adm", "Idempotency-Key": f"k{number}"},
            json={"amount": 1_000, "reason": "r"},
        )

    async with trio.open_nursery() as nursery:
        for number in range(10):
            nursery.start_soon(ask, (CLIENT, FRIEND)[number % 2], number)
    assert await world.balance() + await world.balance(FRIEND) == 5_501_00
    assert await ledger_is_sound(world)


async def test_charges_come_by_page_and_by_phase_to_whoever_asks_for_more_than_the_running(
    world: World, door: Door
) -> None:
    ids = []
    for number in range(3):
        ids.append((await world.order(energy_wh=1_000)).session.session_id)
        await world.charge(ids[-1], 500 + number)
        world.clock.advance(60)
    assert (await door.ask("user~adm", "/sessions"))["sessions"] == []
    seen, cursor = [], ""
    while True:
        page = await door.ask("user~adm", f"/sessions?phase=settled&limit=2{cursor}")
        seen += [each["id"] for each in page["sessions"]]
        if "next_cursor" not in page:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert seen == ids[::-1]
    assert (await door.ask("user~adm", f"/sessions?client={CLIENT}&from=2020-01-01"))["total"] == 3
    assert "next_cursor" not in await door.ask("user~adm", "/sessions/history?limit=3")
    assert (await door.ask("user~adm", "/sessions?client=nobody"))["total"] == 0
    assert (await door.ask("user~adm", "/sessions?phase=reserved"))["total"] == 0
    for query in ("cursor=x", "phase=late", "from=soon"):
        await door.ask("user~adm", f"/sessions?{query}", 400)
