"""A start waits for what is over, and what is forgotten is in nobody's way (field rulings 2.4 and 2.5)."""

from __future__ import annotations

import pytest

from evpower.identifiers import ClientId, ConnectorId, IdTag, StationId
from evpower.link.ports import CommandResult, Outcome
from tests.charging.test_transactions import CARD, give_card
from tests.worlds.charging import STATION, World

ELSEWHERE = StationId("OSH-001-01")
ANOTHER_STATION = """
INSERT INTO stations (id, serial_number, model, manufacturer, location_id, power_capacity, connectors_count)
VALUES ('OSH-001-01', 'OSH-001', 'X', 'Y', 'EVP-LOC-001', 22, 1);
INSERT INTO connectors (id, station_id, connector_number, connector_type, power_kw, status, ocpp_status)
VALUES ('OSH-001-01-1', 'OSH-001-01', 1, 'GBT', 22, 'available', 'Available');
"""


@pytest.fixture
async def card(world: World) -> None:
    await world.give(200_00)
    await give_card(world)
    await world.sql(ANOTHER_STATION)


async def verdicts(world: World, station: StationId = ELSEWHERE) -> tuple[str, str]:
    """What the card hears when it is presented, and in the same moment when it starts."""
    authorized = await world.app.reports.authorize(station, CARD)
    return authorized.status, (await world.begin(CARD, station=station)).verdict.status


async def ended_and_not_settled(world: World) -> None:
    """10 kWh for 135 som; all 200 som are held until the settlement."""
    begun = await world.begin(CARD)
    world.clock.advance(3600)
    await world.end(begun.wire_transaction_id, 11_000)


async def test_a_card_starts_behind_its_own_unsettled_charge(world: World, card: None) -> None:
    """Field ruling 2.4: its start settles what is over, at this connector and with this money."""
    await ended_and_not_settled(world)
    assert (await world.begin(CARD, meter_wh=11_000)).verdict.status == "Accepted"
    assert await world.statement() == [
        ("charge_reserve", -200, 0),
        ("charge_refund", 65, 65),
        ("charge_reserve", -65, 0),
    ]


async def test_authorize_and_start_agree_on_a_card_behind_its_own_unsettled_charge(world: World, card: None) -> None:
    """Field ruling 2.4: whichever comes first waits for the settlement."""
    await ended_and_not_settled(world)
    assert await verdicts(world) == ("Accepted", "Accepted")


async def test_a_phone_starts_behind_its_own_unsettled_charge(world: World, card: None) -> None:
    """Field ruling 2.4: 65 som are free, and all of them at once."""
    await ended_and_not_settled(world)
    await world.say("Available")
    assert (await world.order(amount_tyiyn=65_00)).session.reserved_tyiyn == 65_00


async def test_a_driver_starts_where_another_ones_charge_is_not_yet_settled(world: World, card: None) -> None:
    """The same kind of fault: the connector is free, the settlement is ours."""
    other = ClientId("other")
    await world.give(500_00, other)
    await ended_and_not_settled(world)
    await world.say("Available")
    assert (await world.order(energy_wh=1_000, client=other)).session.status == "started"


async def test_a_settlement_that_fails_refuses_no_start_with_money(
    world: World, card: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Field ruling 2.4 waits for milliseconds of work, not for a person."""
    await world.give(500_00, key="more")
    await ended_and_not_settled(world)

    async def fail(*_: object) -> bool:
        raise ArithmeticError("a sum that cannot be")

    with monkeypatch.context() as patch:
        patch.setattr(world.app.settler, "settle", fail)
        assert (await world.begin(CARD, station=ELSEWHERE)).verdict.status == "Accepted"
    await world.app.settler.work_due()


async def test_a_card_is_not_locked_out_by_a_charger_that_died(world: World, card: None) -> None:
    """Field ruling 2.4, money audit A14: settled without a stop, whose transaction runs on for ever."""
    begun = await world.begin(CARD)
    world.clock.advance(600)
    await world.meter(begun.wire_transaction_id, 2_000)
    world.link.connected.clear()
    world.clock.advance(13 * 3600)
    await world.app.recovery.check()
    await world.app.settler.work_due()
    world.clock.advance(30 * 86400)
    assert await verdicts(world) == ("Accepted", "Accepted")


async def test_authorize_and_start_agree_that_a_card_is_charging_elsewhere(world: World, card: None) -> None:
    """Field ruling 2.4: a live session is one."""
    await world.begin(CARD)
    assert await verdicts(world) == ("ConcurrentTx", "ConcurrentTx")


async def test_a_card_is_authorized_where_its_charge_runs_because_it_may_be_there_to_end_it(
    world: World, card: None
) -> None:
    """All its money is held, and it is in use: neither keeps its driver from his cable."""
    await world.begin(CARD)
    assert (await world.app.reports.authorize(STATION, CARD)).status == "Accepted"


async def test_authorize_and_start_agree_on_a_card_without_money(world: World, card: None) -> None:
    """Field ruling 2.4: neither keeps a driver waiting for the other's refusal."""
    await world.order(amount_tyiyn=195_00)
    assert await verdicts(world) == ("Blocked", "Blocked")


@pytest.mark.parametrize("outcome", [Outcome.REJECTED, Outcome.FAILED, Outcome.TIMED_OUT, Outcome.OFFLINE])
async def test_a_start_refused_after_it_began_is_a_success(
    world: World, monkeypatch: pytest.MonkeyPatch, outcome: Outcome
) -> None:
    """Field ruling 2.5: the charger reports the charge first and answers our question afterwards."""
    await world.give(500_00)

    async def begins_first(
        station_id: StationId, connector_id: ConnectorId, id_tag: IdTag, remote_start_id: int, limit: object
    ) -> CommandResult:
        del station_id, remote_start_id, limit
        await world.begin(id_tag, connector=connector_id)
        return CommandResult(outcome)

    monkeypatch.setattr(world.link, "remote_start", begins_first)
    started = await world.order(energy_wh=20_000)
    assert (started.session.status, started.session.phase) == ("started", "charging")
    assert await world.balance() == 230_00
