"""A phone whose token names an id that was merged is the survivor's (contract/roadmap/identity §2)."""

from __future__ import annotations

import pytest

from evpower.accounts.aliases import Aliases
from evpower.accounts.merging import Merging
from evpower.billing.service import BillingService
from evpower.db.pool import Pool
from evpower.identifiers import ClientId
from evpower.identity.identity import Identity
from evpower.push.recipient import Recipient
from evpower.sign_in.service import SignedIn
from tests.sign_in.test_revocations import Process
from tests.worlds.push import PushWorld, phone
from tests.worlds.sign_in import OTHER_PHONE


@pytest.fixture
async def here(pool: Pool) -> Process:
    process = Process(pool)
    await process.look()
    return process


async def merge(here: Process, old: SignedIn, into: SignedIn) -> None:
    billing = BillingService(here.pool, here.clock, PushWorld(here.pool).push.outbox)
    merging = Merging(here.pool, here.clock, billing, Aliases(here.pool))
    await merging.merge(ClientId(old.person.id), ClientId(into.person.id), "один человек", "test")


async def test_signing_out_everywhere_by_the_old_id_ends_all_that_is_the_persons(here: Process) -> None:
    old, into = await here.enters(), await here.enters(OTHER_PHONE)
    identity = await here.verifier.verify(old.access_token)
    push = PushWorld(here.pool)
    for name, signed_in in (("1", old), ("2", into)):
        await push.push.devices.register(Recipient("client", signed_in.person.id), phone(name))
    await merge(here, old, into)
    await here.sign_in.sign_ins.sign_out_everywhere(identity)
    assert [await here.refreshes(each) for each in (old, into)] == ["logout_all", "logout_all"]
    assert [await here.lets_in(each) for each in (old, into)] == [False, False]
    assert await push.sql("SELECT owner_id FROM evpower.push_targets") == []


async def test_who_signs_out_everywhere_without_an_account_ends_its_devices_alone(here: Process) -> None:
    """Another issuer's person who has never asked for anything."""
    other, push = await here.enters(), PushWorld(here.pool)
    for name, owner in (("1", "newcomer"), ("2", other.person.id)):
        await push.push.devices.register(Recipient("client", owner), phone(name))
    await here.sign_in.sign_ins.sign_out_everywhere(Identity("newcomer", "client", here.clock.now()))
    assert await push.sql("SELECT owner_id FROM evpower.push_targets") == [{"owner_id": other.person.id}]
    assert await here.lets_in(other)


@pytest.mark.parametrize("ours", [True, False])
async def test_who_asks_by_the_old_id_reads_the_survivors_row(here: Process, ours: bool) -> None:
    old, into = await here.enters(), await here.enters(OTHER_PHONE)
    await merge(here, old, into)
    identity = await here.verifier.verify(old.access_token) if ours else here.foreign(old)
    assert (await here.sign_in.sign_ins.me(identity)).id == into.person.id


async def test_a_block_of_the_survivor_ends_another_issuers_tokens_of_the_old_id(here: Process) -> None:
    old, into = await here.enters(), await here.enters(OTHER_PHONE)
    await merge(here, old, into)
    before = here.foreign(old, issued_s_ago=1)
    await here.look()
    assert not here.revocations.refused(before)
    here.clock.advance(0.01)
    await here.sql(
        "UPDATE clients SET status = 'blocked', updated_at = %s WHERE id = %s", here.clock.now(), into.person.id
    )
    await here.look()
    assert here.revocations.refused(before)
    here.clock.advance(1)
    assert not here.revocations.refused(here.foreign(old))
