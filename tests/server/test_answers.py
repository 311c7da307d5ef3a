"""What the operators' doors answer, to the letter: keys in their order, numbers and times as they are written.

The answers are in `answers.txt`. They are read by the command line, by administrators' pages and by people's scripts:
a difference here is a change of an interface, not of a test.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, cast

from evpower.administration.network_views import NetworkViews
from evpower.administration.provisioning import Provisioning
from evpower.administration.rows import strangers
from evpower.administration.service import Administration
from evpower.administration.tariff_plans import TariffPlans
from evpower.db.unit_of_work import unit_of_work
from evpower.http.operators.administration import location_admin_routes, station_admin_routes, station_list_routes
from evpower.http.operators.control import PREFIX, build_control_app
from evpower.http.operators.operators_work import (
    attempt_routes,
    doubt_routes,
    free_vend_routes,
    parked_routes,
    tag_routes,
)
from evpower.http.operators.payment_admin import payment_admin_routes
from evpower.http.operators.station_access import access_routes
from evpower.http.operators.strangers import stranger_routes
from evpower.http.operators.tariff_plans import tariff_plan_routes
from evpower.identifiers import IdTag
from evpower.network.station import Boot
from evpower.ocpp.door.passwords import SaltedPasswords
from evpower.payments.gateway import OrderState, OrderStatus
from evpower.security.security_report import SecurityMatter, SecurityReport
from evpower.security.station_access import StationAccess
from tests.http.description import hold_to_description
from tests.http.fakes import CountingIds, Phone
from tests.http.operators.test_operators_work import client_of
from tests.network.test_feed import NobodyHere
from tests.worlds.charging import STATION, World
from tests.worlds.payments import World as PaymentWorld
from tests.worlds.provider import paid

ANSWERS = Path(__file__).with_name("answers.txt")
#: What another machine, or another minute, answers differently.
ELSEWHERE = re.compile(r'"(version|postgresql|tasks)":("[^"]*"|\d+(?=}))')

NETWORK_FILE = """
[[locations]]
id = "L3"
name = "Парк"
address = "пр. Чуй, 1"
[[locations.stations]]
id = "S3"
serial_number = "N3"
connectors_count = 1
connectors = [{connector_number = 2}]
"""
DOUBT = """
INSERT INTO evpower.doubts (kind, message, station_id, connector_id, transaction_key, session_id, first_figure,
    latest_figure, bound, first_at, latest_at)
SELECT 'stop', 'StopTransaction', station_id, connector_id, id, charging_session_id, 939000, 939000, 14000, %s, %s
FROM evpower.ocpp_transactions WHERE charging_session_id IS NOT NULL
"""
RULE = {"name": "Ночь", "tariff_type": "per_kwh", "price": 8.5, "time_start": "22:00", "days_of_week": [6, 7]}
MORE = {"valid_from": "2026-01-01", "is_weekend": True, "min_duration_minutes": 5, "power_range_max": 22.5}


class Desk:
    """Asks, and keeps each question with its answer."""

    def __init__(self, client: Phone, prefix: str) -> None:
        self._client: Any = client
        self._prefix = prefix
        self.heard: list[str] = []

    async def ask(self, method: str, path: str, body: object = None) -> None:
        sent = {} if body is None else {"data": body} if isinstance(body, bytes) else {"json": body}
        response = await self._client.open(f"{self._prefix}{path}", method=method, **sent)
        text = ELSEWHERE.sub(r'"\1":…', (await response.get_data()).decode())
        self.heard.append(f"{method} {path}\n{text}\n")


def desk_of(world: World, payments: PaymentWorld) -> Desk:
    app, pool, clock = world.app, world.pool, world.clock
    views = NetworkViews(pool, clock, world.link, 300)
    administration = Administration(pool, clock, views, app.network_file)
    app_of_control = build_control_app(
        charging=app.charging,
        views=world.operator(),
        ids=CountingIds(),
        operations=(
            location_admin_routes(administration, views),
            station_admin_routes(administration, views),
            tariff_plan_routes(TariffPlans(pool, clock, app.network_file)),
            stranger_routes(Provisioning(pool, clock, NobodyHere(), app.network_file)),
            tag_routes(app.tags),
            parked_routes(app.parked),
            doubt_routes(app.doubts),
            attempt_routes(app.attempts),
            free_vend_routes(app.free_vend),
            access_routes(StationAccess(pool, clock, world.link, SaltedPasswords())),
            payment_admin_routes(payments.payments, payments.allowance, app.case_files),
        ),
    )
    hold_to_description(app_of_control)
    return Desk(cast("Phone", app_of_control.test_client()), PREFIX)


async def test_every_answer_is_what_it_was(world: World) -> None:
    for table in ("locations", "stations"):
        await world.sql(f"UPDATE {table} SET created_at = %s, updated_at = %s", *[world.clock.now()] * 2)
    payments = PaymentWorld(world.pool, clock=world.clock)
    desk = desk_of(world, payments)
    await administrators_ask(world, desk)
    await operators_ask(world, desk)
    await payments_are_asked(payments, desk)
    listed = Desk(client_of(station_list_routes(NetworkViews(world.pool, world.clock, world.link, 300))), "")
    await listed.ask("GET", "/stations?limit=1")
    assert "\n".join(desk.heard + listed.heard) == ANSWERS.read_text()


async def administrators_ask(world: World, desk: Desk) -> None:
    """Locations, stations, connectors, tariff plans, strangers."""
    async with unit_of_work(world.pool) as uow:
        boot = Boot("Maker", "M60", "1.0", "SN-1")
        await strangers.store(uow.conn, "NEW", "192.0.2.1", boot, world.clock.now())
        await strangers.store(uow.conn, "BAD", "192.0.2.2", Boot("", "M60"), world.clock.now())
    await desk.ask("GET", "/locations")
    await desk.ask("GET", "/locations/EVP-LOC-001")
    await desk.ask("POST", "/locations", {"id": "L2", "name": "Ош", "address": "ул. Б", "latitude": 40.5})
    await desk.ask("PUT", "/locations/L2", {"city": "Ош", "longitude": 72.25})
    await desk.ask("POST", "/stations", {"id": "S2", "serial_number": "N2", "location_id": "L2", "price_per_kwh": 12.5})
    await desk.ask("POST", "/stations/S2/connectors", {"connector_number": 1, "power_kw": 7.4, "connector_type": "CCS"})
    await desk.ask("PUT", "/stations/S2/connectors/1", {"is_enabled": False})
    await desk.ask("PUT", "/stations/S2", {"is_available": True, "session_fee": 5, "model": "M"})
    await desk.ask("GET", f"/stations/{STATION}")
    await desk.ask("POST", "/tariff-plans", {"id": "P", "name": "Обычный", "rules": [RULE | MORE]})
    await desk.ask("POST", "/tariff-plans/P/rules", {"name": "n", "tariff_type": "per_minute", "price": 1})
    await desk.ask("PUT", "/tariff-plans/P", {"is_default": True})
    await desk.ask("PUT", "/tariff-plans/P/rules/P-2", {"description": "d"})
    await desk.ask("GET", "/tariff-plans")
    await desk.ask("POST", "/strangers/BAD/reject")
    await desk.ask("GET", "/strangers?all=1")
    await desk.ask("POST", "/strangers/NEW/accept", {"location_id": "L2", "connectors": [{"connector_number": 1}]})


async def operators_ask(world: World, desk: Desk) -> None:
    """The server, charges, cards, reports that matched nothing, what was given away."""
    await desk.ask("POST", "/import", NETWORK_FILE.encode())
    await desk.ask("PUT", f"/stations/{STATION}/free-vend", {"free_vend": True})
    await desk.ask("PUT", "/id-tags/CARD-1", {"client_id": None, "expiry_date": "2027-01-01T00:00:00Z"})
    await desk.ask("PUT", "/id-tags/card-2", {"status": "Blocked", "parent_id_tag": "CARD-1"})
    await desk.ask("GET", "/id-tags")
    await desk.ask("GET", "/id-tags/CARD-2")
    await world.rate(1_000)  # the clock does not move, and what is delivered must be believed
    free = await world.begin(IdTag("NOBODY"))
    await world.end(free.wire_transaction_id, 3500)
    await world.give(50_000)
    paid = (await world.order(energy_wh=10_000)).session
    begun = await world.begin(await world.tag_of(paid.session_id), meter_wh=4000)
    await world.rate(22)
    await world.meter(begun.wire_transaction_id, 5000, power_w=7000)
    await desk.ask("GET", "/sessions")
    await world.end(begun.wire_transaction_id, 9000)
    await world.app.settler.work_due()
    await world.app.parked.park(STATION, "StopTransaction", "no such transaction", b'{"meterStop": 7, "x": [1.5]}')
    await world.app.parked.park(STATION, "MeterValues", "no such transaction", b"{}")
    await world.app.reports.security(
        STATION,
        SecurityReport(
            SecurityMatter.EVENT,
            "SecurityEventNotification",
            "InvalidFirmwareSignature",
            "why",
            occurred_at=world.clock.now(),
        ),
    )
    await world.app.reports.security(
        STATION, SecurityReport(SecurityMatter.LOG_UPLOAD, "LogStatusNotification", "Uploaded", request_id=3)
    )
    await desk.ask("GET", f"/stations/{STATION}/security-events")
    await desk.ask("PUT", f"/stations/{STATION}/password", {"password": "sixteen letters!"})
    await desk.ask("GET", "/parked")
    (dismissed, *_) = await world.sql("SELECT max(id) AS id FROM evpower.ocpp_parked")
    await desk.ask("POST", f"/parked/{dismissed['id']}/resolve", {"dismiss": True, "reason": "r"})
    await desk.ask("GET", "/parked?all=1")
    await desk.ask("GET", "/parked/missing-energy")
    await desk.ask("GET", "/attempts")
    await desk.ask("GET", "/parked/charging-without-session")
    await desk.ask("GET", "/parked/unbilled-energy")
    await world.sql("UPDATE evpower.ocpp_transactions SET meter_stop_wh = 939000 WHERE charging_session_id IS NOT NULL")
    await world.sql(DOUBT, world.clock.now(), world.clock.now())
    await desk.ask("GET", "/doubts")
    (doubt,) = await world.sql("SELECT id FROM evpower.doubts")
    await desk.ask("POST", f"/doubts/{doubt['id']}/settle", {"dismiss": True, "reason": "r"})
    await desk.ask("GET", f"/doubts/{doubt['id']}")
    await desk.ask("GET", f"/stations/{STATION}/free-vend")
    await world.sql(FACTS, world.clock.now())
    await desk.ask("GET", "/stations")
    await desk.ask("GET", "/sessions?all=1")
    await desk.ask("GET", "/status")
    await desk.ask("GET", "/ledger")


#: One fact of each kind about the station, at a moment that is given.
FACTS = """
WITH now AS (SELECT %s::timestamptz AS at),
a AS (INSERT INTO evpower.ocpp_availability (station_id, connector_id, wanted, state, requested_at)
      SELECT 'EVP-001-01', 1, 'Inoperative', 'Scheduled', at FROM now),
t AS (INSERT INTO evpower.ocpp_transfers (station_id, kind, location, status, steps, requested_at, status_at)
      SELECT 'EVP-001-01', 'log', 'ftp://x', 'Uploading',
             jsonb_build_array(jsonb_build_object('status', 'Uploading', 'at', at)), at, at FROM now),
r AS (INSERT INTO evpower.ocpp_reservations (station_id, connector_id, id_tag, expires_at, status, created_at)
      SELECT 'EVP-001-01', 2, 'CARD-1', at + '0.5 seconds', 'Active', at FROM now),
p AS (INSERT INTO evpower.ocpp_charging_profiles
          (station_id, connector_id, profile_id, purpose, stack_level, profile, set_at)
      SELECT 'EVP-001-01', 0, 1, 'TxDefaultProfile', 2, '{"chargingProfileId": 1, "limit": 7.4}', at FROM now)
INSERT INTO evpower.ocpp_local_lists (station_id, version, entries, synced_at)
SELECT 'EVP-001-01', 3, '{"CARD-1": {"status": "Accepted"}}', at FROM now
"""


async def payments_are_asked(payments: PaymentWorld, desk: Desk) -> None:
    """Orders, what waits for a person, providers, a refund."""
    order = (await payments.qr()).order
    await payments.apply(order, paid(100_00))
    other = (await payments.qr(50_00)).order
    await payments.apply(other, OrderStatus(OrderState.APPROVED))
    await desk.ask("GET", "/payments")
    await desk.ask("GET", "/payments?parked=1")
    (parked,) = await payments.sql("SELECT id FROM evpower.parked_payments")
    await desk.ask("POST", f"/payments/parked/{parked['id']}/resolve", {"credit": 50, "reason": "r"})
    await desk.ask("GET", "/payments?parked=1&all=1")
    await desk.ask("GET", "/payments/providers")
    await desk.ask("POST", f"/payments/{order.invoice_id}/refund", {"amount": 40, "reason": "r"})
