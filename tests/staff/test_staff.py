"""Who is staff, whose stations are whose, and what a second factor opens (contract/roadmap/identity §3)."""

from __future__ import annotations

import logging
from typing import Any

import pytest
import trio

from evpower.errors import AlreadyExists, Forbidden, InvalidRequest, LocationNotFound, NotFound, TooManyRequests
from evpower.identifiers import StationId
from evpower.staff.records import Own, StaffMember
from evpower.staff.second_factor import FAILURES_MOST, SecondFactor
from evpower.staff.totp import STEP_S, code_of, step_of
from tests.worlds.charging import STATION, World

PHONE = "+996700000001"
ELSEWHERE = """
INSERT INTO locations (id, name, address) VALUES ('L2', 'Ош Базар', 'ул. Б, 2'), ('L3', 'Парк', 'пр. Чуй, 1');
INSERT INTO stations (id, serial_number, model, manufacturer, location_id, connectors_count)
VALUES ('S2', 'N2', 'M', 'M', 'L2', 1), ('S3', 'N3', 'M', 'M', 'L3', 1);
"""


async def add(world: World, **given: Any) -> str:
    person = await world.app.staff.add({"role": "operator", "phone": PHONE, **given}, actor="ann")
    return person.id


async def own(world: World, staff_id: str) -> Own:
    acting = await world.app.staff.acting(staff_id, None)
    assert acting.own is not None
    return acting.own


async def test_a_person_is_known_by_the_id_of_their_token(world: World) -> None:
    await add(world, id="U1", role="admin")
    acting = await world.app.staff.acting("U1", None)
    assert (acting.actor, acting.own) == ("operator:U1", None)


@pytest.mark.parametrize("phone", [PHONE, PHONE.removeprefix("+")])
async def test_or_by_the_phone_number_of_their_token_with_or_without_its_plus(world: World, phone: str) -> None:
    """Supabase writes a phone claim without the plus."""
    await add(world, id="U1")
    assert (await world.app.staff.acting("elsewhere", phone)).actor == "operator:U1"


async def test_the_id_counts_before_the_phone_number(world: World) -> None:
    """A phone number may pass to somebody else; and who was switched off does not come back by another's phone."""
    await add(world, id="U1")
    await add(world, id="U2", role="superadmin", phone="+996700000002")
    assert (await world.app.staff.acting("U1", "+996700000002")).actor == "operator:U1"
    await world.app.staff.change("U1", {"is_active": False}, actor="ann")
    with pytest.raises(Forbidden):
        await world.app.staff.acting("U1", "+996700000002")


@pytest.mark.parametrize(("subject", "phone"), [("U9", None), ("U9", "+996700000009"), ("u1", None), (PHONE, None)])
async def test_anybody_else_is_no_staff(world: World, subject: str, phone: str | None) -> None:
    await add(world, id="U1")
    with pytest.raises(Forbidden) as refused:
        await world.app.staff.acting(subject, phone)
    assert refused.value.details["reason"] == "not_staff"


async def test_a_token_without_a_phone_is_not_a_person_without_one(world: World) -> None:
    await add(world, id="U1", phone=None)
    for phone in (None, ""):
        with pytest.raises(Forbidden):
            await world.app.staff.acting("U9", phone)


async def test_who_is_switched_off_is_refused_and_on_again_let_in(world: World) -> None:
    await add(world, id="U1")
    await world.app.staff.change("U1", {"is_active": False}, actor="ann")
    with pytest.raises(Forbidden) as refused:
        await world.app.staff.acting("U1", None)
    assert refused.value.details["reason"] == "inactive"
    await world.app.staff.change("U1", {"is_active": True}, actor="ann")
    assert (await world.app.staff.acting("U1", None)).member is not None


async def test_own_stations_are_those_of_ones_locations_and_of_locations_given(world: World) -> None:
    await world.sql(ELSEWHERE)
    await add(world, id="U1")
    assert await own(world, "U1") == Own(frozenset(), frozenset())
    await world.sql("UPDATE locations SET user_id = 'U1' WHERE id = 'EVP-LOC-001'")
    await world.sql("UPDATE locations SET admin_id = 'U1' WHERE id = 'L2'")
    assert await own(world, "U1") == Own(frozenset({"EVP-LOC-001", "L2"}), frozenset({STATION, StationId("S2")}))
    await world.app.staff.grant("U1", "L3", actor="ann")
    await world.app.staff.grant("U1", "L3", actor="ann")
    assert (await own(world, "U1")).stations == {STATION, "S2", "S3"}
    person = await world.app.staff.withdraw("U1", "L3", actor="ann")
    assert person.locations == ()
    assert (await own(world, "U1")).stations == {STATION, "S2"}


async def test_a_location_or_a_person_that_is_unknown_is_not_found(world: World) -> None:
    await add(world, id="U1")
    with pytest.raises(LocationNotFound):
        await world.app.staff.grant("U1", "nowhere", actor="ann")
    for attempt in (world.app.staff.grant("U9", "EVP-LOC-001", actor="ann"), world.app.staff.person("U9")):
        with pytest.raises(NotFound):
            await attempt


async def test_an_id_and_a_phone_number_are_one_persons(world: World) -> None:
    await add(world, id="U1")
    for taken in ({"id": "U1", "phone": None}, {"id": "U2"}):
        with pytest.raises(AlreadyExists):
            await add(world, **taken)
    await add(world, id="U2", phone="+996700000002")
    with pytest.raises(AlreadyExists):
        await world.app.staff.change("U2", {"phone": PHONE}, actor="ann")


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"role": "root"}, "role"),
        ({"role": None}, "role"),
        ({"phone": "0700000001"}, "phone"),
        ({"phone": "+99670000000x"}, "phone"),
        ({"phone": 996}, "phone"),
        ({"phone": None}, "phone"),
        ({"email": "ann"}, "email"),
        ({"id": "a b"}, "id"),
        ({"id": 7}, "id"),
    ],
)
async def test_what_is_wrong_of_a_new_person_is_named(world: World, given: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        await add(world, **given)
    assert [each["field"] for each in refused.value.details["detail"]] == [field]
    assert (await world.app.staff.people(role=None, limit=10, offset=0))[1] == 0


async def test_a_change_names_only_what_changes(world: World) -> None:
    await add(world, id="U1", email="ann@example.kg")
    changed = await world.app.staff.change("U1", {"role": "admin", "email": None}, actor="ann")
    assert (changed.role, changed.email, changed.phone, changed.is_active) == ("admin", None, PHONE, True)
    with pytest.raises(InvalidRequest):
        await world.app.staff.change("U1", {"is_active": "no"}, actor="ann")


async def test_the_door_of_operators_changes_nobody_else(world: World) -> None:
    await add(world, id="U1", role="superadmin")
    with pytest.raises(NotFound):
        await world.app.staff.change("U1", {"is_active": False}, role="operator", actor="ann")
    assert (await world.app.staff.person("U1")).is_active


async def test_a_change_is_logged_with_its_author(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="security")
    await add(world, id="U1", role="superadmin")
    assert "staff added: id=U1, role=superadmin, actor=ann" in caplog.text


# ---------------------------------------------------------------------------------------------- the second factor
SECRET = bytes(range(20))


@pytest.fixture
async def admin(world: World) -> StaffMember:
    await add(world, id="U1", role="admin")
    member = (await world.app.staff.acting("U1", None)).member
    assert member is not None
    return member


@pytest.fixture
def factor(world: World) -> SecondFactor:
    return SecondFactor(world.pool, world.clock, lambda count: SECRET[:count], is_required=True)


def code(world: World, *, later: int = 0) -> str:
    return code_of(SECRET, step_of(world.clock.now()) + later)


async def enrolled(world: World, factor: SecondFactor) -> None:
    await factor.enrol("U1", actor="ann")
    await factor.confirm("U1", code(world))
    world.clock.advance(STEP_S)


def reason(refused: pytest.ExceptionInfo[Forbidden]) -> object:
    return refused.value.details["reason"]


async def test_a_write_needs_a_code_and_only_the_token_it_came_with_may_write(
    world: World, admin: StaffMember, factor: SecondFactor
) -> None:
    await enrolled(world, factor)
    with pytest.raises(Forbidden) as refused:
        await factor.require(admin, "token-a")
    assert reason(refused) == "totp_required"
    await factor.elevate(admin, "token-a", code(world))
    await factor.require(admin, "token-a")
    with pytest.raises(Forbidden):
        await factor.require(admin, "token-b")


async def test_it_ends_after_a_quarter_of_an_hour(world: World, admin: StaffMember, factor: SecondFactor) -> None:
    await enrolled(world, factor)
    until = await factor.elevate(admin, "token-a", code(world))
    assert (until - world.clock.now()).total_seconds() == 900
    world.clock.advance(899)
    await factor.require(admin, "token-a")
    world.clock.advance(1)
    with pytest.raises(Forbidden):
        await factor.require(admin, "token-a")


async def test_no_code_is_good_twice(world: World, admin: StaffMember, factor: SecondFactor) -> None:
    await enrolled(world, factor)
    typed = code(world)
    await factor.elevate(admin, "token-a", typed)
    with pytest.raises(Forbidden) as refused:
        await factor.elevate(admin, "token-b", typed)
    assert reason(refused) == "totp_wrong"


async def test_of_one_code_shown_twice_at_once_one_is_good(
    world: World, admin: StaffMember, factor: SecondFactor
) -> None:
    await enrolled(world, factor)
    passed: list[str] = []

    async def show(token: str) -> None:
        try:
            await factor.elevate(admin, token, code(world))
        except Forbidden:
            return
        passed.append(token)

    async with trio.open_nursery() as nursery:
        for number in range(5):
            nursery.start_soon(show, f"token-{number}")
    assert len(passed) == 1


async def test_after_five_wrong_codes_the_right_one_waits(
    world: World, admin: StaffMember, factor: SecondFactor
) -> None:
    await enrolled(world, factor)
    wrong = "000000" if code(world) != "000000" else "000001"
    for _ in range(FAILURES_MOST):
        with pytest.raises(Forbidden):
            await factor.elevate(admin, "token-a", wrong)
    with pytest.raises(TooManyRequests) as refused:
        await factor.elevate(admin, "token-a", code(world))
    assert refused.value.details["retry_after"] == 900
    world.clock.advance(900)
    await factor.elevate(admin, "token-a", code(world))


async def test_who_has_none_cannot_write_and_a_secret_that_was_not_confirmed_is_none(
    world: World, admin: StaffMember, factor: SecondFactor
) -> None:
    for _ in range(2):
        with pytest.raises(Forbidden):
            await factor.require(admin, "token-a")
        with pytest.raises(Forbidden) as refused:
            await factor.elevate(admin, "token-a", code(world))
        assert reason(refused) == "totp_not_enrolled"
        await factor.enrol("U1", actor="ann")
    assert not (await world.app.staff.person("U1")).has_second_factor


async def test_a_new_secret_shuts_what_the_old_one_opened(
    world: World, admin: StaffMember, factor: SecondFactor
) -> None:
    await enrolled(world, factor)
    await factor.elevate(admin, "token-a", code(world))
    await factor.enrol("U1", actor="ann")
    with pytest.raises(Forbidden):
        await factor.require(admin, "token-a")
    assert not (await world.app.staff.person("U1")).has_second_factor


async def test_operators_and_a_server_that_asks_for_none_need_none(
    world: World, admin: StaffMember, factor: SecondFactor
) -> None:
    await add(world, id="U2", phone="+996700000002")
    operator = (await world.app.staff.acting("U2", None)).member
    assert operator is not None
    await factor.require(operator, "token-a")
    factor.is_required = False
    await factor.require(admin, "token-a")


async def test_no_secret_for_nobody(factor: SecondFactor) -> None:
    with pytest.raises(NotFound):
        await factor.enrol("U9", actor="ann")
