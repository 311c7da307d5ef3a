"""Why a charge ended is stored and shown, and that its bill is an estimate (field ruling 4.5)."""

from __future__ import annotations

import pytest

from evpower.charging.errors import SessionFailed
from evpower.charging.transaction import DRIVER, EndCause, cause_of_stop
from evpower.http.phones.shapes import status_body
from evpower.identifiers import IdTag, SessionId, WireTransactionId
from evpower.link.ports import Outcome
from tests.charging.test_stops import running
from tests.worlds.charging import World


async def cause_of(world: World, session_id: SessionId) -> tuple[str | None, str | None, bool]:
    session = await world.session(session_id)
    return session.end_cause, session.stop_reason, session.estimated


async def pressed(world: World, session_id: SessionId, actor: str) -> None:
    await world.app.charging.stop_session(session_id, caller=None, actor=actor)


async def ended(world: World, wire_id: WireTransactionId, reason: str) -> None:
    await world.end(wire_id, 16_000, reason)
    await world.app.settler.work_due()


@pytest.mark.parametrize(
    ("reason", "asked_by", "at_limit", "cause"),
    [
        ("Remote", DRIVER, False, "driver"),
        ("Local", DRIVER, True, "driver"),
        ("Other", "operator aida", False, "operator"),
        ("Remote", "admin", False, "operator"),
        ("Remote", "recovery", False, "overdue"),
        ("Remote", None, True, "limit"),
        ("Local", None, True, "limit"),
        ("Remote", None, False, "charger"),
        ("Local", None, False, "charger"),
        ("EVDisconnected", DRIVER, True, "charger"),
        ("PowerLoss", "recovery", False, "charger"),
        ("DeAuthorized", None, True, "charger"),
    ],
)
def test_the_cause_of_a_reported_end_is_who_asked_unless_the_station_had_one_of_its_own(
    reason: str, asked_by: str | None, at_limit: bool, cause: EndCause
) -> None:
    assert cause_of_stop(reason, asked_by, at_limit=at_limit) == cause


async def test_a_charge_the_station_ends_by_itself(world: World) -> None:
    session_id, wire_id = await running(world)
    await ended(world, wire_id, "EVDisconnected")
    assert await cause_of(world, session_id) == ("charger", "EVDisconnected", False)


@pytest.mark.parametrize(("actor", "cause"), [(DRIVER, "driver"), ("operator aida", "operator")])
async def test_a_stop_by_a_person_that_the_station_does_not_report_is_theirs_and_an_estimate(
    world: World, actor: str, cause: str
) -> None:
    session_id, _ = await running(world)
    await pressed(world, session_id, actor)
    assert await cause_of(world, session_id) == (cause, "Remote", True)


async def test_a_stop_at_the_limit(world: World) -> None:
    session_id, wire_id = await running(world, register_wh=21_000)
    await world.at_rest()
    assert len(world.link.stopped) == 1
    await ended(world, wire_id, "Remote")
    assert (await world.session(session_id)).end_cause == "limit"


async def test_a_charge_that_runs_too_long(world: World) -> None:
    session_id, _ = await running(world)
    world.clock.advance(13 * 3600)
    await world.app.recovery.check()
    assert await cause_of(world, session_id) == ("overdue", "Remote", True)


async def test_a_charge_that_is_silent_after_a_reboot(world: World) -> None:
    session_id, _ = await running(world)
    await world.boot()
    world.clock.advance(301)
    await world.app.recovery.check()
    assert await cause_of(world, session_id) == ("reboot", "PowerLoss", True)


async def test_a_charge_whose_end_was_lost(world: World) -> None:
    session_id, _ = await running(world)
    await world.begin(IdTag("NEXT"), meter_wh=16_000)
    assert await cause_of(world, session_id) == ("lost", "Other", True)


async def test_a_start_that_never_began(world: World) -> None:
    await world.give(500_00)
    session_id = (await world.order(energy_wh=5_000)).session.session_id
    world.clock.advance(601)
    await world.app.recovery.check()
    assert await cause_of(world, session_id) == ("overdue", "StartTimeout", False)


async def test_a_start_given_up_by_its_driver(world: World) -> None:
    await world.give(500_00)
    session_id = (await world.order(energy_wh=5_000)).session.session_id
    await pressed(world, session_id, DRIVER)
    assert await cause_of(world, session_id) == ("driver", "Remote", False)


async def test_a_start_that_its_station_refused(world: World) -> None:
    await world.give(500_00)
    world.link.outcome = Outcome.REJECTED
    with pytest.raises(SessionFailed):
        await world.order(energy_wh=5_000)
    (row,) = await world.sql("SELECT end_cause FROM evpower.session_phases")
    assert row["end_cause"] == "charger"


async def test_an_end_stays_as_it_was_when_the_true_stop_comes(world: World) -> None:
    """The phone no longer says that the bill is an estimate."""
    session_id, wire_id = await running(world)
    await pressed(world, session_id, DRIVER)
    body = status_body(await world.session(session_id))
    assert (body["stop_reason"], body["estimated"], body["session"]["estimated"]) == ("driver", True, True)
    await ended(world, wire_id, "EVDisconnected")
    corrected = status_body(await world.session(session_id))
    assert corrected["stop_reason"] == "driver"
    assert "estimated" not in corrected


async def test_the_log_says_why_and_that_it_is_an_estimate(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    session_id, _ = await running(world)
    await pressed(world, session_id, DRIVER)
    (line,) = [each.getMessage() for each in caplog.records if each.getMessage().startswith("settled: ")]
    for part in (f"session_id={session_id}", "cause=driver", "reason=Remote", "estimated"):
        assert part in line
