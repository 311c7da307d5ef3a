"""Codes to phones: limits, one use, three tries, and what is stored (roadmap/identity §2, §6.6)."""

from __future__ import annotations

import logging

import pytest
import trio

from evpower.db.pool import Pool
from evpower.db.unit_of_work import unit_of_work
from evpower.errors import InvalidRequest
from evpower.identifiers import PhoneNumber
from evpower.sign_in import phone_codes
from evpower.sign_in.codes import CodeRules
from evpower.sign_in.errors import CodeExpired, SmsNotSent, SmsUnanswered, TooManyCodes
from evpower.sign_in.phone_codes import forget_codes
from evpower.sign_in.sms import LogSms
from tests.worlds.sign_in import ADDRESS, OTHER_PHONE, PHONE, SignInWorld


@pytest.fixture
async def world(pool: Pool) -> SignInWorld:
    return SignInWorld(pool)


async def send(world: SignInWorld, phone: PhoneNumber = PHONE, address: str = ADDRESS) -> str:
    """The code that was sent."""
    await world.codes.send(phone, address)
    return world.code


async def check(world: SignInWorld, code: str, phone: PhoneNumber = PHONE) -> int | None:
    async with unit_of_work(world.pool) as uow:
        return await world.codes.check(uow.conn, phone, code)


async def waits(world: SignInWorld, phone: PhoneNumber = PHONE, address: str = ADDRESS) -> int:
    """The seconds that a refused send says to wait; the door that only looks says the same."""
    before = len(world.sms.sent)
    with pytest.raises(TooManyCodes) as refused:
        await world.codes.send(phone, address)
    assert len(world.sms.sent) == before
    seconds = refused.value.details["retry_after_seconds"]
    assert seconds == refused.value.details["retry_after"] == await world.codes.wait_s(phone, address)
    return int(seconds)


def other(code: str) -> str:
    """A wrong one."""
    return f"{(int(code) + 1) % 1_000_000:06}"


async def test_the_code_that_was_sent_is_right_once(world: SignInWorld) -> None:
    code = await send(world)
    assert await check(world, code) is None
    with pytest.raises(CodeExpired):
        await check(world, code)


async def test_a_wrong_code_leaves_two_tries_then_one_then_none(world: SignInWorld) -> None:
    code = await send(world)
    assert [await check(world, other(code)) for _ in range(3)] == [2, 1, 0]


async def test_after_three_wrong_codes_the_right_one_is_refused(world: SignInWorld) -> None:
    code = await send(world)
    for _ in range(3):
        await check(world, other(code))
    with pytest.raises(CodeExpired):
        await check(world, code)


async def test_after_two_wrong_codes_the_right_one_is_taken(world: SignInWorld) -> None:
    code = await send(world)
    for _ in range(2):
        await check(world, other(code))
    assert await check(world, code) is None


async def test_a_code_is_good_for_300_seconds(world: SignInWorld) -> None:
    code = await send(world)
    world.clock.advance(300)
    with pytest.raises(CodeExpired):
        await check(world, code)
    world.clock.advance(-0.001)
    assert await check(world, code) is None


async def test_a_code_opens_its_phone_alone(world: SignInWorld) -> None:
    code, others = await send(world), await send(world, OTHER_PHONE)
    assert code != others
    assert await check(world, code, OTHER_PHONE) == 2
    with pytest.raises(CodeExpired):
        await check(world, code, PhoneNumber("+996700000000"))


async def test_a_new_code_ends_the_one_before(world: SignInWorld) -> None:
    first = await send(world)
    world.clock.advance(60)
    second = await send(world)
    assert await check(world, first) == 2
    assert await check(world, second) is None


async def test_of_two_who_bring_one_code_at_once_one_is_let_in(world: SignInWorld) -> None:
    """Both read the row before either has committed."""
    code = await send(world)
    outcomes: list[int | str | None] = []

    async def bring(go: trio.Event | None, brought: trio.Event) -> None:
        try:
            async with unit_of_work(world.pool) as uow:
                brought.set()
                outcomes.append(await world.codes.check(uow.conn, PHONE, code))
                if go is not None:
                    await go.wait()
        except CodeExpired:
            outcomes.append("refused")

    async with trio.open_nursery() as both:
        go, first, second = trio.Event(), trio.Event(), trio.Event()
        both.start_soon(bring, go, first)
        await first.wait()
        while not outcomes:  # noqa: ASYNC110 - a list has no event
            await trio.sleep(0.01)
        both.start_soon(bring, None, second)
        await second.wait()
        await until_blocked_by_a_lock(world)
        assert outcomes == [None]
        go.set()
    assert outcomes == [None, "refused"]


LOCKED = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"


async def until_blocked_by_a_lock(world: SignInWorld) -> None:
    with trio.fail_after(5):
        while not await world.sql(LOCKED):  # noqa: ASYNC110 - PostgreSQL has no event
            await trio.sleep(0.01)


async def test_the_table_holds_nothing_that_a_code_can_be_found_by(world: SignInWorld) -> None:
    code = await send(world)
    [row] = await world.sql("SELECT * FROM evpower.sign_in_codes")
    assert code not in repr(row)
    assert len(row["digest"]) == 32
    # The digest of the same code under another secret is another: a copy of the table can be tried out by nobody.
    stranger = SignInWorld(world.pool, secret=b"x" * 32)
    assert await check(stranger, code) == 2


async def test_a_phone_gets_one_code_in_60_seconds(world: SignInWorld) -> None:
    await send(world)
    world.clock.advance(20)
    assert await waits(world) == 40
    world.clock.advance(39.5)
    assert await waits(world, address="198.51.100.1") == 1
    world.clock.advance(0.5)
    await send(world)


async def test_a_phone_gets_five_codes_an_hour(world: SignInWorld) -> None:
    for _ in range(5):
        await send(world)
        world.clock.advance(60)
    assert await waits(world, address="198.51.100.1") == 3600 - 5 * 60
    world.clock.advance(3600 - 5 * 60)
    await send(world)


async def test_a_phone_gets_ten_codes_a_day(world: SignInWorld) -> None:
    for _ in range(10):
        await send(world)
        world.clock.advance(720)
    assert await waits(world, address="198.51.100.1") == 86_400 - 10 * 720
    world.clock.advance(86_400 - 10 * 720)
    await send(world)


def phones(most: int) -> list[PhoneNumber]:
    return [PhoneNumber(f"+9967000000{number:02}") for number in range(most)]


async def test_an_address_gets_twenty_codes_an_hour(world: SignInWorld) -> None:
    for phone in phones(20):
        await send(world, phone)
        world.clock.advance(1)
    assert await waits(world) == 3600 - 20
    await send(world, PHONE, "198.51.100.1")
    world.clock.advance(3600 - 20)
    await send(world, OTHER_PHONE)


async def test_the_installation_has_a_budget_for_a_day(pool: Pool, caplog: pytest.LogCaptureFixture) -> None:
    world = SignInWorld(pool, rules=CodeRules(codes_per_day=3))
    for number, phone in enumerate(phones(3)):
        await send(world, phone, f"203.0.113.{number}")
    assert await waits(world, address="198.51.100.1") == 86_400
    assert await waits(world, address="198.51.100.2") == 86_400
    # Strangers can do this: it is no ERROR, and not a line for each of them.
    assert [line.levelname for line in caplog.records if "codes_per_day = 3 is used up" in line.message] == ["WARNING"]
    assert world.codes.outcomes == {"sent": 3, "over_budget": 2}
    world.clock.advance(3600)
    await waits(world)
    assert caplog.text.count("is used up") == 2


async def test_of_two_sends_at_once_to_one_phone_one_is_sent(world: SignInWorld) -> None:
    refused = []

    async def one() -> None:
        try:
            await send(world)
        except TooManyCodes:
            refused.append(1)

    async with trio.open_nursery() as both:
        both.start_soon(one)
        both.start_soon(one)
    assert (len(world.sms.sent), len(refused)) == (1, 1)


async def test_an_sms_that_did_not_leave_does_not_count_against_the_phone(world: SignInWorld) -> None:
    world.sms.failure = SmsNotSent()
    with pytest.raises(SmsNotSent):
        await world.codes.send(PHONE, ADDRESS)
    world.sms.failure = None
    code = await send(world)
    assert await check(world, code) is None


async def test_a_code_that_did_not_leave_leaves_the_one_before_good(world: SignInWorld) -> None:
    code = await send(world)
    world.clock.advance(60)
    world.sms.failure = SmsNotSent()
    with pytest.raises(SmsNotSent):
        await world.codes.send(PHONE, ADDRESS)
    assert await check(world, code) is None


async def test_an_sms_that_did_not_leave_counts_against_who_asked(world: SignInWorld) -> None:
    world.sms.failure = SmsNotSent()
    for phone in phones(20):
        with pytest.raises(SmsNotSent):
            await world.codes.send(phone, ADDRESS)
    with pytest.raises(TooManyCodes):
        await world.codes.send(PHONE, ADDRESS)


async def test_an_sms_that_may_have_left_counts_against_the_phone(world: SignInWorld) -> None:
    world.sms.failure = SmsUnanswered()
    with pytest.raises(SmsUnanswered):
        await world.codes.send(PHONE, ADDRESS)
    world.sms.failure = None
    assert await waits(world) == 60


async def test_while_the_gateway_is_waited_for_no_unit_of_work_is_open(
    world: SignInWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_then = []

    async def look(_phone: PhoneNumber, _text: str) -> None:
        open_then.append(world.pool.usage.in_use)

    monkeypatch.setattr(world.sms, "send", look)
    await world.codes.send(PHONE, ADDRESS)
    assert open_then == [0]


async def test_a_gateway_that_never_answers_is_given_up_and_the_code_counts(
    world: SignInWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hang(_phone: PhoneNumber, _text: str) -> None:
        await trio.sleep_forever()

    monkeypatch.setattr(phone_codes, "SENT_WITHIN_S", 0.01)
    monkeypatch.setattr(world.sms, "send", hang)
    with pytest.raises(SmsUnanswered):
        await world.codes.send(PHONE, ADDRESS)
    assert await waits(world) == 60


@pytest.mark.parametrize(
    "text", ["", "+99670012345", "+9967001234567", "996700123456", "+996 700", "+0700123456", "+99670012345a", "+٩٩٦"]
)
async def test_what_is_no_number_gets_no_code(world: SignInWorld, text: str) -> None:
    with pytest.raises(InvalidRequest):
        world.codes.served(text)


async def test_phones_of_other_countries_get_no_code_unless_they_are_configured(pool: Pool) -> None:
    with pytest.raises(InvalidRequest):
        SignInWorld(pool).codes.served("+77011234567")
    rules = CodeRules(phone_prefixes=("+996", "+770"))
    assert SignInWorld(pool, rules=rules).codes.served("+77011234567") == "+77011234567"


async def test_the_log_has_neither_the_code_nor_the_whole_phone(
    world: SignInWorld, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    code = await send(world)
    await check(world, other(code))
    await check(world, code)
    assert code not in caplog.text
    assert PHONE not in caplog.text
    assert "outcome=sent, phone=+996…456, address=203.0.113.7" in caplog.text


async def test_the_demos_transport_writes_the_code_into_the_log(caplog: pytest.LogCaptureFixture) -> None:
    await LogSms().send(PHONE, "EvPower: 123456")
    assert "SMS to +996700123456" in caplog.text
    assert "123456" in caplog.text


async def test_codes_are_forgotten_when_no_limit_counts_them(world: SignInWorld) -> None:
    await send(world)
    world.clock.advance(86_399)
    await send(world, OTHER_PHONE)
    world.clock.advance(2)
    await forget_codes(world.pool, world.clock.now())
    assert [row["phone"] for row in await world.sql("SELECT phone FROM evpower.sign_in_codes")] == [OTHER_PHONE]


async def test_what_became_of_codes_is_counted(world: SignInWorld) -> None:
    code = await send(world)
    await waits(world)
    await check(world, other(code))
    await check(world, code)
    with pytest.raises(CodeExpired):
        await check(world, code)
    assert world.codes.outcomes == {"sent": 1, "limited": 1, "wrong": 1, "expired": 1}
