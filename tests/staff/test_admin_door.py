"""Staff at the administrators' door: who is let in, to what, and whose stations they see (roadmap/identity §3)."""

from __future__ import annotations

import logging
from datetime import timedelta
from functools import partial
from typing import Any, cast

import pytest
from quart_trio import QuartTrio

from evpower.administration.network_views import NetworkViews
from evpower.errors import InvalidToken
from evpower.http.app import HttpAppSettings, build_http_app
from evpower.http.operators.admin import AdminDoor, StaffDoor
from evpower.http.operators.administration import location_admin_routes, station_admin_routes, station_list_routes
from evpower.http.operators.certificates import certificate_routes
from evpower.http.operators.charges.availability import availability_routes
from evpower.http.operators.charges.call_sheets import call_sheet_routes
from evpower.http.operators.charges.events import event_routes
from evpower.http.operators.charges.evidence import evidence_routes
from evpower.http.operators.charges.health import health_routes
from evpower.http.operators.charges.sessions import session_routes
from evpower.http.operators.charges.statistics import statistics_routes
from evpower.http.operators.metrics import metrics_routes, require_neighbour
from evpower.http.operators.operators_work import attempt_routes, doubt_routes, parked_routes
from evpower.http.operators.people.clients import client_routes
from evpower.http.operators.people.second_factor import second_factor_routes
from evpower.http.operators.people.staff import staff_routes
from evpower.http.operators.station_access import access_routes, doctor_routes
from evpower.http.operators.station_commands import command_routes
from evpower.http.operators.tariff_plans import tariff_plan_routes
from evpower.http.operators.tracing import Traces
from evpower.identifiers import StationId
from evpower.identity.identity import Identity
from evpower.identity.verifier import Verifier
from evpower.staff.second_factor import SecondFactor
from evpower.staff.totp import STEP_S, code_of, step_of
from tests.http.conftest import body_of
from tests.http.fakes import CountingIds, Phone
from tests.http.fakes import World as FakeServices
from tests.http.operators.test_metrics import FakeExposition
from tests.worlds.charging import CLIENT, STATION, World
from tests.worlds.fakes import NOON, SetClock

TOKEN = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
SECRET = bytes(range(20))
OTHER = "S2"
ADMIN = "/api/v1/admin"
ELSEWHERE = f"""
INSERT INTO locations (id, name, address) VALUES ('L2', 'Ош Базар', 'ул. Б, 2');
INSERT INTO stations (id, serial_number, model, manufacturer, location_id, connectors_count)
VALUES ('{OTHER}', 'N2', 'M', 'M', 'L2', 1);
INSERT INTO users (id, role, phone) VALUES ('op', 'operator', '+996700000001'), ('adm', 'admin', '+996700000002'),
                                           ('super', 'superadmin', '+996700000003'), ('off', 'superadmin', NULL);
UPDATE users SET is_active = false WHERE id = 'off';
INSERT INTO evpower.staff_locations (user_id, location_id, granted_at, granted_by)
VALUES ('op', 'EVP-LOC-001', now(), 'test');
"""


class Tokens(Verifier):
    """Believes `user~ID`, `phone~NUMBER` and `anonymous~ID`."""

    def __init__(self) -> None:
        super().__init__([], SetClock())

    async def verify(self, text: str) -> Identity:
        kind, _, name = text.partition("~")
        expires_at = NOON + timedelta(days=30)
        if kind == "user":
            return Identity(name, "client", expires_at)
        if kind == "phone":
            return Identity("someone-elsewhere", "client", expires_at, phone=name)
        if kind == "anonymous":
            return Identity(name, "client", expires_at, anonymous=True)
        raise InvalidToken


class Door:
    """The administrators' door over a real database."""

    def __init__(self, world: World, *, totp: bool = False) -> None:
        app = world.app
        self.factor = SecondFactor(world.pool, world.clock, lambda count: SECRET[:count], is_required=totp)
        self.frames = ManyFrames()
        self.admin = AdminDoor(TOKEN, StaffDoor(Tokens(), app.staff, self.factor))
        views = NetworkViews(world.pool, world.clock, world.link, 300)
        built: QuartTrio = build_http_app(
            FakeServices().services,
            world.clock,
            CountingIds(),
            HttpAppSettings(),
            admin=self.admin,
            operations=(
                location_admin_routes(app.administration, views),
                station_admin_routes(app.administration, views),
                station_list_routes(views),
                access_routes(app.access),
                doctor_routes(app.access, app.tags, app.billing),
                command_routes(app.operations),
                certificate_routes(app.certificates),
                attempt_routes(app.attempts),
                doubt_routes(app.doubts),
                parked_routes(app.parked),
                tariff_plan_routes(app.tariff_plans),
                session_routes(app.charge_views, app.charging),
                evidence_routes(app.case_files, cast("Traces", self.frames)),
                statistics_routes(app.charge_views),
                health_routes(app.health),
                availability_routes(app.availability),
                call_sheet_routes(app.call_sheets, lambda _station: None),
                event_routes(app.station_cases),
                client_routes(app.client_accounts, app.charge_views, app.case_files),
                second_factor_routes(self.factor),
                *staff_routes(app.staff),
            ),
            at_root=(metrics_routes(FakeExposition(), partial(require_neighbour, self.admin)),),
        )
        self.phone = cast("Phone", built.test_client())

    async def ask(
        self,
        token: str,
        path: str,
        status: int = 200,
        *,
        method: str = "GET",
        body: Any = None,
        key: str | None = None,
    ) -> Any:
        headers = {"Authorization": f"Bearer {token}"} | ({} if key is None else {"Idempotency-Key": key})
        response = await self.phone.open(f"{ADMIN}{path}", method=method, headers=headers, json=body)
        answer = await body_of(response, status)
        return answer["data"] if answer["success"] else answer


class ManyFrames:
    """Stations of which so many frames are kept; at first none."""

    def __init__(self) -> None:
        self.kept = 0

    async def history(self, _station: object, _since: object, limit: int, **_: object) -> list[dict[str, Any]]:
        return [{"frame": number} for number in range(self.kept)][-limit:]


@pytest.fixture
async def door(world: World) -> Door:
    await world.sql(ELSEWHERE)
    return Door(world)


@pytest.mark.parametrize("token", [TOKEN, "user~adm", "user~super", "phone~+996700000002", "phone~996700000002"])
async def test_the_administrators_token_and_administrators_see_the_whole_network(door: Door, token: str) -> None:
    assert {each["id"] for each in (await door.ask(token, "/stations"))["stations"]} == {STATION, OTHER}


@pytest.mark.parametrize(
    ("token", "status", "why"),
    [
        ("user~nobody", 403, "not_staff"),
        (f"user~{CLIENT}", 403, "not_staff"),
        ("user~off", 403, "inactive"),
        ("anonymous~super", 403, "not_staff"),
        ("forged", 401, None),
        (TOKEN[:-1], 401, None),
    ],
)
async def test_nobody_else_is_let_in(door: Door, token: str, status: int, why: str | None) -> None:
    answer = await door.ask(token, "/stations", status)
    assert (answer["error"], answer.get("reason")) == ("forbidden" if status == 403 else "unauthorized", why)


async def test_without_a_token_of_its_own_the_door_is_open_to_staff_alone(world: World, door: Door) -> None:
    shut = AdminDoor("", door.admin.staff)
    app = build_http_app(
        FakeServices().services,
        world.clock,
        CountingIds(),
        HttpAppSettings(),
        admin=shut,
        operations=(doctor_routes(world.app.access, world.app.tags, world.app.billing),),
    )
    client = cast("Phone", app.test_client())
    for authorization, status in (("Bearer", 401), ("Bearer ", 401), ("", 401), ("Bearer user~adm", 200)):
        response = await client.get(f"{ADMIN}/doctor", headers={"Authorization": authorization})
        assert response.status_code == status


# ------------------------------------------------------------------------------------------------------- operators
@pytest.mark.parametrize(
    ("path", "name", "own"),
    [("/stations", "stations", STATION), ("/locations", "locations", "EVP-LOC-001")],
)
async def test_an_operators_lists_have_only_what_is_theirs(door: Door, path: str, name: str, own: str) -> None:
    listed = await door.ask("user~op", path)
    assert ([each["id"] for each in listed[name]], listed["total"]) == ([own], 1)
    listed = await door.ask("user~super", path)
    assert listed["total"] == 2


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/stations/{}"),
        ("GET", "/stations/{}/configuration"),
        ("GET", "/stations/{}/security-events"),
        ("POST", "/stations/{}/operations/reset"),
        ("POST", "/stations/{}/commands/Reset"),
    ],
)
async def test_an_operator_reads_and_commands_their_own_stations_alone(door: Door, method: str, path: str) -> None:
    body = {"type": "Soft"} if path.endswith("commands/Reset") else {} if method == "POST" else None
    for station in (OTHER, "unknown"):
        answer = await door.ask("user~op", path.format(station), 403, method=method, body=body)
        assert answer["reason"] == "not_own"
    answer = await door.ask("user~op", path.format(STATION), method=method, body=body)
    assert "reason" not in answer


@pytest.mark.parametrize("location", ["L2", "unknown"])
async def test_another_persons_location_is_forbidden_too(door: Door, location: str) -> None:
    assert (await door.ask("user~op", "/locations/EVP-LOC-001"))["id"] == "EVP-LOC-001"
    assert (await door.ask("user~op", f"/locations/{location}", 403))["reason"] == "not_own"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", f"/stations/{STATION}"),
        ("POST", "/stations"),
        ("PUT", "/locations/EVP-LOC-001"),
        ("PUT", f"/stations/{STATION}/password"),
        ("POST", f"/stations/{STATION}/revoke"),
        ("POST", "/tariff-plans"),
        ("POST", "/doubts/1/settle"),
        ("POST", "/parked/1/resolve"),
        ("GET", "/clients"),
        ("GET", f"/clients/{CLIENT}"),
        ("PUT", f"/clients/{CLIENT}/balance"),
        ("PUT", f"/clients/{CLIENT}/status?status=blocked"),
        ("GET", "/users"),
        ("GET", "/operators"),
    ],
)
async def test_an_operator_changes_nothing_of_the_network_nor_money_nor_staff(
    door: Door, method: str, path: str
) -> None:
    answer = await door.ask("user~op", path, 403, method=method, body={} if method != "GET" else None)
    assert answer["reason"] == "no_right"


async def test_what_happened_at_other_stations_is_not_in_an_operators_lists(world: World, door: Door) -> None:
    for station in (STATION, OTHER):
        await world.app.parked.park(StationId(station), "StopTransaction", "unknown_transaction", b"{}")
        await world.sql(
            """INSERT INTO evpower.start_attempts (attempted_at, station_id, door, answer)
               VALUES (%s, %s, 'card', 'Invalid')""",
            world.clock.now(),
            station,
        )
    for path in ("/parked", "/attempts"):
        assert [each["station_id"] for each in await door.ask("user~op", path)] == [STATION]
        assert len(await door.ask("user~adm", path)) == 2
    for station in (STATION, OTHER):
        await world.sql(
            """INSERT INTO evpower.connector_health (station_id, connector_number, tried, worked, chance, computed_at)
               VALUES (%s, 1, 20, 19, 0.9, %s)""",
            station,
            world.clock.now(),
        )
    assert {each["station_id"] for each in await door.ask("user~op", "/connector-health")} == {STATION}
    assert (await door.ask("user~op", "/hours", 403))["reason"] == "no_right"
    assert (await door.ask("user~op", "/doctor"))["stations_without_credentials"] == [STATION]
    assert set((await door.ask("user~adm", "/doctor"))["stations_without_credentials"]) == {STATION, OTHER}
    assert await door.ask("user~op", f"/attempts?station={OTHER}") == []


async def test_a_location_that_is_taken_away_is_gone_from_the_next_request_on(world: World, door: Door) -> None:
    await world.app.staff.withdraw("op", "EVP-LOC-001", actor="ann")
    assert (await door.ask("user~op", "/stations"))["total"] == 0
    await door.ask("user~op", f"/stations/{STATION}", 403)


# -------------------------------------------------------------------------------------------------- administrators
async def test_staff_is_the_superadministrators_matter(door: Door) -> None:
    assert (await door.ask("user~adm", "/users", 403))["reason"] == "no_right"
    people = await door.ask("user~super", "/users")
    assert ([each["id"] for each in people["users"]], people["total"]) == (["adm", "off", "op", "super"], 4)
    assert [each["id"] for each in (await door.ask("user~super", "/operators"))["operators"]] == ["op"]


async def test_a_person_is_added_changed_and_switched_off(door: Door) -> None:
    added = await door.ask("user~super", "/operators", method="POST", body={"phone": "+996700000009"})
    path = f"/operators/{added['id']}"
    assert (added["role"], added["is_active"]) == ("operator", True)
    assert (await door.ask("user~super", path, method="DELETE"))["is_active"] is False
    await door.ask("phone~+996700000009", "/stations", 403)
    assert (await door.ask("user~super", f"{path}/activate", method="POST"))["is_active"] is True
    await door.ask("phone~+996700000009", "/stations")
    await door.ask("user~super", "/operators/adm", 404)
    granted = await door.ask("user~super", f"{path}/locations/L2", method="PUT")
    assert granted["locations"] == ["L2"]


async def test_who_acts_is_kept_as_the_person(world: World, door: Door, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    await door.ask("user~adm", f"/stations/{STATION}", method="PUT", body={"status": "maintenance"})
    assert f"operator: actor=operator:adm, PUT {ADMIN}/stations/{STATION}" in caplog.text
    assert ", by=operator:adm" in caplog.text
    await door.ask(TOKEN, f"/stations/{STATION}", method="PUT", body={"status": "active"})
    assert "operator: actor=admin, PUT" in caplog.text


async def test_reading_is_not_logged_as_an_act(door: Door, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="security")
    await door.ask("user~adm", "/stations")
    assert caplog.records == [] or all(each.name != "security" for each in caplog.records)


@pytest.mark.parametrize(
    ("token", "status"), [(TOKEN, 200), ("user~adm", 200), ("user~super", 200), ("user~op", 403), ("user~off", 403)]
)
async def test_the_figures_are_for_who_sees_the_whole_network(door: Door, token: str, status: int) -> None:
    headers = {"Authorization": f"Bearer {token}", "X-Forwarded-For": "203.0.113.7"}
    assert (await door.phone.get("/metrics", headers=headers)).status_code == status


# ----------------------------------------------------------------------------------------------- the second factor
CHANGE: dict[str, Any] = {"method": "PUT", "body": {"status": "active"}}
HERE = f"/stations/{STATION}"


@pytest.fixture
async def strict(world: World) -> Door:
    await world.sql(ELSEWHERE)
    strict = Door(world, totp=True)
    for staff_id in ("adm", "super"):
        await strict.factor.enrol(staff_id, actor="ann")
        await strict.factor.confirm(staff_id, code_of(SECRET, step_of(world.clock.now())))
    world.clock.advance(STEP_S)
    return strict


async def show(world: World, door: Door, token: str, status: int = 200, code: str | None = None) -> Any:
    body = {"code": code or code_of(SECRET, step_of(world.clock.now()))}
    return await door.ask(token, "/totp", status, method="POST", body=body)


@pytest.mark.parametrize("person", ["adm", "super"])
async def test_a_write_is_refused_until_a_code_was_shown_with_this_token(
    world: World, strict: Door, person: str
) -> None:
    by_phone = {"adm": "phone~+996700000002", "super": "phone~+996700000003"}[person]
    await strict.ask(f"user~{person}", HERE)
    assert (await strict.ask(f"user~{person}", HERE, 403, **CHANGE))["reason"] == "totp_required"
    assert (await show(world, strict, f"user~{person}"))["expires_at"].endswith("Z")
    await strict.ask(f"user~{person}", HERE, **CHANGE)
    assert (await strict.ask(by_phone, HERE, 403, **CHANGE))["reason"] == "totp_required"


async def test_a_wrong_code_opens_nothing(world: World, strict: Door) -> None:
    right = code_of(SECRET, step_of(world.clock.now()))
    assert (await show(world, strict, "user~adm", 403, "000000" if right != "000000" else "000001"))[
        "reason"
    ] == "totp_wrong"
    await strict.ask("user~adm", HERE, 403, **CHANGE)


async def test_operators_and_the_administrators_token_show_none(world: World, strict: Door) -> None:
    await strict.ask("user~op", f"{HERE}/operations/reset", method="POST", body={})
    await strict.ask(TOKEN, HERE, **CHANGE)
    assert (await show(world, strict, TOKEN, 403))["reason"] == "not_staff"


async def test_no_route_behind_a_token_gives_a_second_factor(strict: Door) -> None:
    await strict.ask(TOKEN, "/users/adm/totp", 404, method="POST", body={})


async def test_a_sheet_has_the_contact_that_was_written_for_its_location_and_operators_write_none(door: Door) -> None:
    contact = {"person": "Бек", "phone": "0555 123456", "sim_provider": None}
    path, sheet = "/locations/EVP-LOC-001/contact", f"/stations/{STATION}/call-sheet"
    assert (await door.ask(TOKEN, path))["changed_at"] is None
    written = await door.ask("user~adm", path, method="PUT", body=contact)
    assert (written["person"], written["phone"], written["note"]) == ("Бек", "0555 123456", None)
    assert written["changed_by"] == "operator:adm"
    found = await door.ask("user~op", sheet)
    assert found["contact"] == written
    assert [each["id"] for each in found["people"]] == ["op"]
    assert found["to_try"][0] in ("heard", "lit")
    assert (await door.ask("user~op", path, 403, method="PUT", body=contact))["reason"] == "no_right"
    await door.ask("user~op", f"/stations/{OTHER}/call-sheet", 403)
    await door.ask("user~op", "/locations/L2/contact", 403)
    await door.ask(TOKEN, "/locations/NONE/contact", 404)
    wrong = await door.ask(TOKEN, path, 400, method="PUT", body={"phone": 5, "note": "x" * 501})
    assert {each["field"] for each in wrong["detail"]} == {"phone", "note"}
    assert (await door.ask(TOKEN, path))["person"] == "Бек"


ACTED = """
INSERT INTO evpower.operator_acts (key, acted_at, actor, act, target, detail)
SELECT key, %s::timestamptz + seconds * interval '1 second', 'operator:adm', act, target, detail
FROM (VALUES ('0000000000000001', 1, 'reset', 'EVP-001-01', 'soft'), ('0000000000000002', 1, 'unlock', 'S2', '1'),
             ('0000000000000003', 2, 'block', 'client-1', 'a driver said so'),
             ('rest:00000000000004', 3, 'clients-change', 'client-1', 'status'))
     AS a (key, seconds, act, target, detail)
"""


async def test_events_come_by_page_whole_and_name_no_more_of_a_person_than_pages(door: Door, world: World) -> None:
    await world.sql(ACTED, NOON)
    shown = await door.ask(TOKEN, "/events")
    assert shown["next_cursor"] is None
    lines = [(each["target"], each["door"], each["what"]) for each in shown["events"]]
    assert lines[:2] == [("client-1", "rest", "clients-change status"), ("client-1", "pages", "block")]
    assert sorted(lines[2:]) == [("EVP-001-01", "pages", "reset soft"), ("S2", "pages", "unlock 1")]
    paged, cursor = list[Any](), ""
    for _ in range(4):
        page = await door.ask(TOKEN, f"/events?limit=1{cursor}")
        paged += page["events"]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor'].replace('+', '%2B')}"
    assert paged == shown["events"], "two of one moment come together"
    own = await door.ask("user~op", "/events")
    assert [each["target"] for each in own["events"]] == [STATION]
    assert (await door.ask("user~op", f"/events?station={OTHER}"))["events"] == []
    assert [each["what"] for each in (await door.ask(TOKEN, f"/events?station={OTHER}"))["events"]] == ["unlock 1"]
    assert (await door.ask(TOKEN, "/events?from=2026-11-27&to=2026-11-27"))["events"] == []
    await door.ask(TOKEN, "/events?limit=0", 400)
