"""Our issuer's keys: shared by processes, two live during a change, sealed in the database (ADR 18)."""

from __future__ import annotations

from datetime import timedelta

import pytest
import trio

from evpower.clock import random_bytes
from evpower.db.pool import Pool
from evpower.errors import InvalidToken, ServiceUnavailable
from evpower.identity.identity import Identity
from evpower.sign_in.key_pairs import make_private_key, public_jwk, seal, unseal
from evpower.sign_in.people import Person
from evpower.sign_in.signing_keys import BELIEVED_AFTER, PUBLISHED_BEFORE, RENEWED_BEFORE, SIGNS_FOR
from evpower.sign_in.tokens import AccessTokens
from tests.worlds.fakes import NOON, SetClock
from tests.worlds.sign_in import PHONE, SignInWorld

ANN = Person("ann", "staff", PHONE, NOON, role="admin")


class Issuing(SignInWorld):
    """A process of the installation, which issues tokens and checks those of others."""

    def __init__(self, pool: Pool, clock: SetClock | None = None, secret: bytes = b"s" * 32) -> None:
        super().__init__(pool, random_bytes=random_bytes, secret=secret, clock=clock)
        self.keys = self.sign_in.keys
        self.access = AccessTokens(self.keys, self.clock, self.ids)

    def issue(self) -> str:
        return self.access.issue(ANN, "family")

    async def believes(self, token: str) -> bool:
        try:
            return (await self.verifier.verify(token)).subject == ANN.id
        except InvalidToken:
            return False


@pytest.fixture
async def first(pool: Pool) -> Issuing:
    process = Issuing(pool)
    await process.keys.look()
    return process


async def another(first: Issuing, secret: bytes = b"s" * 32) -> Issuing:
    process = Issuing(first.pool, first.clock, secret)
    await process.keys.look()
    return process


async def kids(world: Issuing) -> int:
    return len(await world.sql("SELECT 1 FROM evpower.signing_keys"))


async def test_our_token_is_believed_and_says_all_that_an_identity_needs(first: Issuing) -> None:
    identity = await first.verifier.verify(first.issue())
    issued_at = first.clock.now()
    assert identity == Identity(
        "ann", "staff", issued_at + timedelta(hours=1), True, issued_at, PHONE, "admin", "family"
    )


async def test_a_token_of_one_process_is_believed_by_another_and_by_a_later_run(first: Issuing) -> None:
    second = await another(first)
    assert await second.believes(first.issue())
    assert await first.believes(second.issue())
    assert first.keys.key_set() == second.keys.key_set()
    assert await kids(first) == 1


async def test_two_processes_that_start_at_once_make_one_key(pool: Pool) -> None:
    processes = [Issuing(pool) for _ in range(4)]
    async with trio.open_nursery() as starting:
        for process in processes:
            starting.start_soon(process.keys.look)
    assert len({process.keys.key_set()[0]["kid"] for process in processes}) == await kids(processes[0]) == 1


async def test_the_key_set_has_the_public_half_alone(first: Issuing) -> None:
    [key] = first.keys.key_set()
    assert key.keys() == {"kty", "crv", "x", "y", "kid", "alg", "use"}
    assert (key["kty"], key["crv"], key["alg"], key["use"]) == ("EC", "P-256", "ES256", "sig")


async def test_a_changed_key_signs_when_everybody_can_know_it_and_the_old_one_is_believed_for_long_enough(
    first: Issuing,
) -> None:
    [old] = first.keys.key_set()
    new = await first.keys.rotate(at_once=False, actor="operator ann")
    before = first.issue()
    assert {key["kid"] for key in first.keys.key_set()} == {old["kid"], new}
    assert first.keys.signer().kid == old["kid"]
    first.clock.advance(PUBLISHED_BEFORE.total_seconds() - 1)
    last = first.issue()
    first.clock.advance(1)
    assert first.keys.signer().kid == new
    assert await first.believes(before)
    first.clock.advance(3599)
    await first.keys.look()
    assert await first.believes(last)
    assert await first.believes(first.issue())
    first.clock.advance(BELIEVED_AFTER.total_seconds())
    await first.keys.look()
    assert [key["kid"] for key in first.keys.key_set()] == [new]


async def test_a_key_changed_at_once_ends_every_token_of_the_old_one(first: Issuing) -> None:
    token, second = first.issue(), await another(first)
    assert await first.believes(token)
    new = await first.keys.rotate(at_once=True, actor="operator ann")
    assert not await first.believes(token)
    assert first.keys.signer().kid == new
    await second.keys.look()
    assert not await second.believes(token)
    assert await second.believes(first.issue())
    assert [key["kid"] for key in second.keys.key_set()] == [new]


async def test_the_next_key_is_made_before_the_last_one_ends(first: Issuing) -> None:
    [old] = first.keys.key_set()
    first.clock.advance(SIGNS_FOR.total_seconds() - RENEWED_BEFORE.total_seconds() - 1)
    await first.keys.look()
    assert await kids(first) == 1
    first.clock.advance(1)
    await first.keys.look()
    await first.keys.look()
    assert len(first.keys.key_set()) == 2
    assert first.keys.signer().kid == old["kid"]
    first.clock.advance(RENEWED_BEFORE.total_seconds())
    assert first.keys.signer().kid != old["kid"]


async def test_after_a_long_standstill_there_is_a_key_again(first: Issuing) -> None:
    first.clock.advance(2 * SIGNS_FOR.total_seconds())
    with pytest.raises(ServiceUnavailable):
        first.keys.signer()
    await first.keys.look()
    assert await first.believes(first.issue())
    assert await kids(first) == 1


async def test_with_another_secret_a_process_makes_its_own_key_and_says_so(
    first: Issuing, caplog: pytest.LogCaptureFixture
) -> None:
    stranger = await another(first, b"x" * 32)
    assert "sign_in.secret differs" in caplog.text
    await first.keys.look()
    assert await first.believes(stranger.issue())
    assert await stranger.believes(first.issue())
    await stranger.keys.look()
    assert await kids(first) == 2


async def test_a_copy_of_the_database_signs_nothing(first: Issuing) -> None:
    [row] = await first.sql("SELECT kid, private_sealed FROM evpower.signing_keys")
    for key in (b"x" * 32, first.means.key_for("sign-in codes")):
        with pytest.raises(ValueError, match="does not open"):
            unseal(row["private_sealed"], row["kid"], key)
    assert unseal(row["private_sealed"], row["kid"], first.means.key_for("signing keys"))


def test_a_sealed_key_opens_under_its_own_name_alone() -> None:
    key = make_private_key(random_bytes)
    kid = public_jwk(key)["kid"]
    sealed = seal(key, kid, b"k" * 32, random_bytes)
    opened = unseal(sealed, kid, b"k" * 32)
    assert opened.private_numbers() == key.private_numbers()
    for wrong in ((sealed, "other", b"k" * 32), (sealed[:-1] + b"\0", kid, b"k" * 32), (b"", kid, b"k" * 32)):
        with pytest.raises(ValueError, match="open"):
            unseal(*wrong)


@pytest.mark.parametrize("drawn", [b"\0" * 32, b"\xff" * 32], ids=["zero", "above the order"])
def test_a_draw_that_is_no_private_key_is_drawn_again(drawn: bytes) -> None:
    draws = [drawn, b"\1" * 32]
    assert make_private_key(lambda _size: draws.pop(0)).private_numbers().private_value == int.from_bytes(b"\1" * 32)
    assert draws == []


async def test_the_keys_are_looked_after_also_when_the_database_is_away_at_the_start(
    first: Issuing, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = Issuing(first.pool, first.clock)
    asked = trio.Event()

    async def fail() -> None:
        asked.set()
        raise OSError("no database")

    monkeypatch.setattr(process.keys, "look", fail)
    async with trio.open_nursery() as nursery:
        await nursery.start(process.keys.run)
        nursery.cancel_scope.cancel()
    assert asked.is_set()
    assert "the signing keys could not be read" in caplog.text
    with pytest.raises(ServiceUnavailable):
        process.issue()
