"""The operator's door (design §8): the same services over the control socket."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from decimal import Decimal
from typing import cast

import pytest

from evpower.billing.ledger_check import LedgerCheck, LedgerCheckRecord
from evpower.charging.errors import NoSuchActiveSession
from evpower.charging.session import StoppedSession
from evpower.errors import InvalidRequest
from evpower.http.operators.control import OPERATOR_HEADER, build_control_app
from evpower.http.operators.views import Counts, IdKind, ServerStatus, SessionLine, StationSheet
from evpower.narrowing import Narrowing
from evpower.network_file.service import Difference, FleetReport
from evpower.payments.provider_calls import ProviderState
from tests.http.conftest import body_of
from tests.http.fakes import NOON, SESSION, SETTLED, CountingIds, Phone, World

STATUS = ServerStatus("1.0.0", 60, 7, Counts(9, 2, 1, 0, 0, "16.4"), {"OBANK": ProviderState("off")}, 3, ["::1"], 12)


def session_line() -> SessionLine:
    """A session of which nothing is known that may be unknown, but its energy."""
    given = {
        "session_id": SESSION,
        "client_id": "c",
        "station_id": "S1",
        "connector_id": 1,
        "status": "started",
        "phase": "charging",
        "start_time": NOON,
        "energy_kwh": Decimal("13.50"),
        "limit_type": "none",
        "estimated": False,
        "unbilled_wh": 0,
    }
    money = dict.fromkeys(("reserved_amount", "refunded_amount", "additional_charge", "debt_amount", "unbilled_som"))
    unknown = dict.fromkeys(field.name for field in fields(SessionLine))
    return SessionLine(**{**unknown, **money, **given})  # type: ignore[arg-type]  # by name


class FakeViews:
    def __init__(self) -> None:
        self.imported: list[str] = []
        self.asked_running_only: list[bool] = []
        self.asked: list[Narrowing] = []
        self.import_error: Exception | None = None
        self.night: LedgerCheckRecord | None = None

    async def status(self) -> ServerStatus:
        return STATUS

    async def stations(self) -> Sequence[StationSheet]:
        return ()

    async def sessions(self, wanted: Narrowing, *, running_only: bool) -> Sequence[SessionLine]:
        self.asked_running_only.append(running_only)
        self.asked.append(wanted)
        return [session_line()]

    async def ids(self, kind: IdKind, begins: str) -> Sequence[str]:
        return [f"{kind}:{begins}"]

    async def import_fleet(self, text: str, *, actor: str, move_app_tags: bool = False) -> FleetReport:
        self.imported.append(text)
        if self.import_error is not None:
            raise self.import_error
        return FleetReport({"stations": 3}, {}, {}, ())

    async def try_fleet(self, text: str, *, move_app_tags: bool = False) -> FleetReport:
        return FleetReport({}, {}, {}, (), (Difference("stations", "S1", "model", "A", "B"),))

    async def check_ledger(self) -> LedgerCheck:
        return LedgerCheck(7, {"unbalanced": [{"id": 1, "at": NOON}]})

    async def last_night(self) -> LedgerCheckRecord | None:
        return self.night


@pytest.fixture
def views() -> FakeViews:
    return FakeViews()


@pytest.fixture
def operator(world: World, views: FakeViews) -> Phone:
    app = build_control_app(charging=world.charging, views=views, ids=CountingIds())
    return cast("Phone", app.test_client())


async def test_status_is_what_the_views_say(operator: Phone) -> None:
    body = await body_of(await operator.get("/control/status"))
    shown = {"version": "1.0.0", "connected_stations": 7, "postgresql": "16.4"}
    assert body["success"] is True
    assert {name: body["data"][name] for name in shown} == shown


async def test_times_and_decimals_become_json(operator: Phone) -> None:
    (shown,) = (await body_of(await operator.get("/control/sessions")))["data"]
    assert (shown["start_time"], shown["energy_kwh"]) == ("2025-09-30T12:00:00.000000Z", 13.5)


@pytest.mark.parametrize(("query", "running_only"), [("", True), ("?all=1", False)])
async def test_sessions_are_the_running_ones_unless_all_are_asked_for(
    operator: Phone, views: FakeViews, query: str, running_only: bool
) -> None:
    await body_of(await operator.get(f"/control/sessions{query}"))
    assert views.asked_running_only == [running_only]


async def test_an_operator_stops_anybodys_session(world: World, operator: Phone) -> None:
    body = await body_of(await operator.post(f"/control/sessions/{SESSION}/stop"))
    assert world.charging.stops == [(SESSION, None, "operator")]
    assert body["data"]["final_cost"] == 202.5


@pytest.mark.parametrize(
    ("header", "actor"),
    [
        ("ann", "operator ann"),
        ("%D0%B0%D0%BD%D0%BD%D0%B0", "operator анна"),
        ("admin", "operator admin"),
        ("a%0Ab", "operator"),
        ("", "operator"),
        ("x" * 500, "operator " + "x" * 100),
    ],
)
async def test_the_operator_is_whom_the_command_line_names(
    world: World, operator: Phone, header: str, actor: str
) -> None:
    await operator.post(f"/control/sessions/{SESSION}/stop", headers={OPERATOR_HEADER: header})
    assert world.charging.stops == [(SESSION, None, actor)]


async def test_a_second_stop_says_so(world: World, operator: Phone) -> None:
    world.charging.stop_answer = StoppedSession(SETTLED, already_stopped=True)
    body = await body_of(await operator.post(f"/control/sessions/{SESSION}/stop"))
    assert body["data"]["already_stopped"] is True


async def test_a_refused_stop_has_the_envelope(world: World, operator: Phone) -> None:
    world.charging.stop_answer = NoSuchActiveSession()
    # Field ruling 6.3: what is not there is 404 at every door.
    body = await body_of(await operator.post(f"/control/sessions/{SESSION}/stop"), 404)
    assert (body["success"], body["error"]) == (False, "session_not_found")


async def test_a_stop_of_an_impossible_id_is_404(operator: Phone) -> None:
    await body_of(await operator.post("/control/sessions/a%20b/stop"), 404)


async def test_a_fleet_is_imported_as_it_was_sent(operator: Phone, views: FakeViews) -> None:
    text = '[[locations]]\nname = "Дордой"\n'
    body = await body_of(await operator.post("/control/import", data=text.encode()))
    assert views.imported == [text]
    assert body["data"]["created"] == {"stations": 3}


async def test_a_fleet_that_is_not_utf_8_is_refused(operator: Phone, views: FakeViews) -> None:
    await body_of(await operator.post("/control/import", data=b"\xff\xfe"), 400)
    assert not views.imported


async def test_a_wrong_fleet_is_400_with_its_fields(operator: Phone, views: FakeViews) -> None:
    views.import_error = InvalidRequest(("locations[0].id", "missing"))
    body = await body_of(await operator.post("/control/import", data=b"x"), 400)
    assert body["detail"] == [{"field": "locations[0].id", "message": "missing"}]


async def test_the_ledger_is_checked(operator: Phone) -> None:
    wrong = {"unbalanced": [{"id": 1, "at": "2025-09-30T12:00:00.000000Z"}]}
    assert (await body_of(await operator.get("/control/ledger")))["data"] == {
        "ok": False,
        "entries": 7,
        "problems": wrong,
    }


async def test_the_public_routes_are_not_on_the_control_socket(operator: Phone) -> None:
    assert (await body_of(await operator.get("/api/v1/balance/6f1c"), 404))["error"] == "not_found"
