"""A phone finds a person only where somebody vouches for it: the server, or the writer's token (field ruling 6.8)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from psycopg import errors

from evpower.db.pool import Pool
from evpower.sign_in.rows.people import CLIENT_OF_PHONE
from tests.worlds.supabase import see

PHONE, OTHER_PHONE = "+996555000001", "+996555000002"
WRITE = f"UPDATE clients SET phone = '{PHONE}'"
CLAIMED = PHONE.removeprefix("+")
SHOWN = "SELECT phone FROM clients"
AS_SERVER = "RESET ROLE"
HOLDERS = """
SELECT c.id, u.client_id IS NULL AS verified
FROM clients c LEFT JOIN evpower.unverified_phones u ON u.client_id = c.id WHERE c.phone IS NOT NULL ORDER BY c.id
"""
VERIFIED, UNVERIFIED = [{"id": "me", "verified": True}], [{"id": "me", "verified": False}]
#: Another client's number, as the server wrote it, and as that client did without a token that has it.
THEIRS = f"UPDATE clients SET phone = '{PHONE}' WHERE id = 'other'"
THEIRS_UNVERIFIED = f"{THEIRS}; INSERT INTO evpower.unverified_phones VALUES ('other')"


async def write(pool: Pool, *statements: str, claim: str | None = None, **kwargs: Any) -> list[dict[str, Any]]:
    """Statements of the signed-in client `me`, whose token has this phone claim; the last one's rows."""
    claims = json.dumps({"sub": "me", "role": "authenticated", **({} if claim is None else {"phone": claim})})
    set_claims = f"SELECT set_config('request.jwt.claims', '{claims}', true)"
    return await see(pool, "authenticated", set_claims, *statements, **kwargs)


@pytest.mark.parametrize("claim", [None, "", OTHER_PHONE.removeprefix("+"), "null"])
async def test_a_number_that_a_client_writes_is_unverified(supabase: Pool, claim: str | None) -> None:
    assert await write(supabase, WRITE, AS_SERVER, HOLDERS, claim=claim) == UNVERIFIED


@pytest.mark.parametrize("claim", [CLAIMED, PHONE])
async def test_the_number_that_the_token_has_is_verified(supabase: Pool, claim: str) -> None:
    assert await write(supabase, WRITE, AS_SERVER, HOLDERS, claim=claim) == VERIFIED


async def test_a_sign_in_finds_whom_the_number_is_verified_of(supabase: Pool) -> None:
    sign_in = CLIENT_OF_PHONE.replace("%(phone)s", f"'{PHONE}'")
    assert await write(supabase, WRITE, AS_SERVER, sign_in) == []
    assert [each["id"] for each in await write(supabase, WRITE, AS_SERVER, sign_in, claim=CLAIMED)] == ["me"]


async def test_a_number_written_with_a_new_row_is_held_to_the_same(supabase: Pool) -> None:
    made = f"INSERT INTO clients (id, phone) VALUES ('new', '{CLAIMED}')"
    for claim, verified in (({}, False), ({"phone": CLAIMED}, True)):
        claims = json.dumps({"sub": "new", **claim})
        set_claims = f"SELECT set_config('request.jwt.claims', '{claims}', true)"
        rows = await see(supabase, "authenticated", set_claims, made, AS_SERVER, HOLDERS)
        assert rows == [{"id": "new", "verified": verified}]


async def test_the_server_vouches_for_what_it_writes(supabase: Pool) -> None:
    assert await see(supabase, "anon", AS_SERVER, HOLDERS, before=f"{WRITE} WHERE id = 'me'") == VERIFIED


@pytest.mark.parametrize(("before", "expected"), [(f"{WRITE} WHERE id = 'me'", VERIFIED), ("SELECT 1", UNVERIFIED)])
async def test_a_number_that_is_written_again_stays_what_it_was(
    supabase: Pool, before: str, expected: list[dict[str, Any]]
) -> None:
    """The app saves the whole profile; an import of a row as it is vouches for nothing."""
    rewritten = await write(supabase, WRITE, WRITE, AS_SERVER, f"{WRITE} WHERE id = 'me'", HOLDERS, before=before)
    assert rewritten == expected


async def test_a_number_is_verified_once_the_token_has_it(supabase: Pool) -> None:
    later = f'SELECT set_config(\'request.jwt.claims\', \'{{"sub": "me", "phone": "{CLAIMED}"}}\', true)'
    assert await write(supabase, WRITE, later, WRITE, AS_SERVER, HOLDERS) == VERIFIED


async def test_another_number_is_unverified_again(supabase: Pool) -> None:
    change = f"UPDATE clients SET phone = '{OTHER_PHONE}'"
    assert await write(supabase, WRITE, change, AS_SERVER, HOLDERS, claim=CLAIMED) == UNVERIFIED


async def test_no_number_leaves_no_mark(supabase: Pool) -> None:
    gone = await write(
        supabase, WRITE, "UPDATE clients SET phone = NULL", AS_SERVER, "SELECT * FROM evpower.unverified_phones"
    )
    assert gone == []


async def test_who_writes_a_number_sees_it_as_before(supabase: Pool) -> None:
    assert await write(supabase, WRITE, SHOWN) == [{"phone": PHONE}]


async def test_the_marks_are_out_of_reach(supabase: Pool) -> None:
    with pytest.raises(errors.InsufficientPrivilege, match="schema evpower"):
        await write(supabase, "DELETE FROM evpower.unverified_phones")
    with pytest.raises(errors.InsufficientPrivilege, match="schema evpower"):
        await write(supabase, f"SELECT evpower.take_unverified_phone('{PHONE}', 'me')")


@pytest.mark.parametrize("before", [THEIRS, THEIRS_UNVERIFIED])
async def test_a_direct_write_takes_no_number_of_another(supabase: Pool, before: str) -> None:
    """And the refusal says nothing of whose it is."""
    with pytest.raises(errors.UniqueViolation, match="clients_phone") as refusal:
        await write(supabase, WRITE, before=before)
    diagnosis = refusal.value.diag
    assert (diagnosis.message_detail, diagnosis.message_hint, diagnosis.context) == (None, None, None)


async def test_a_verified_number_is_not_taken_by_another_one_that_has_it(supabase: Pool) -> None:
    """Whatever else is marked."""
    marked = f"UPDATE clients SET phone = '{OTHER_PHONE}'"
    with pytest.raises(errors.UniqueViolation, match="clients_phone"):
        await write(supabase, marked, WRITE, before=THEIRS, claim=CLAIMED)


async def test_a_verified_writer_takes_a_number_that_nobody_vouched_for(supabase: Pool) -> None:
    """An operator sees what was taken from whom."""
    taken = (WRITE, AS_SERVER)
    assert await write(supabase, *taken, HOLDERS, before=THEIRS_UNVERIFIED, claim=CLAIMED) == VERIFIED
    displaced = await write(
        supabase,
        *taken,
        "SELECT client_id, phone, reason FROM evpower.displaced_phones",
        before=THEIRS_UNVERIFIED,
        claim=CLAIMED,
    )
    assert displaced == [{"client_id": "other", "phone": PHONE, "reason": "unverified"}]


async def test_the_server_takes_it_too_and_what_was_displaced_before_is_replaced(supabase: Pool) -> None:
    before = (
        "INSERT INTO evpower.displaced_phones (client_id, phone, reason) VALUES ('other', '0', 'not_e164');"
        f"{THEIRS_UNVERIFIED}; {WRITE} WHERE id = 'me'"
    )
    displaced = "SELECT phone, reason FROM evpower.displaced_phones"
    assert await see(supabase, "anon", AS_SERVER, HOLDERS, before=before) == VERIFIED
    assert await see(supabase, "anon", AS_SERVER, displaced, before=before) == [
        {"phone": PHONE, "reason": "unverified"}
    ]
