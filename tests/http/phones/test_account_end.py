"""The end of an account and the way back, at the phones' door (contract/rest-api §7.1, §7.5)."""

from __future__ import annotations

import pytest

from evpower.billing.errors import ClientDeleted
from evpower.errors import DebtOpen, SessionAlreadyActive
from evpower.http.wire.caller import Mode
from tests.http.conftest import body_of
from tests.http.fakes import OWNER
from tests.http.phones.test_callers import EXPIRED, MODES, Asking, headers, of

ENDS = ("/api/v1/auth/delete-account", "/api/v1/account/delete-request")
RESTORE = "/api/v1/account/restore"


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("path", ENDS)
async def test_a_client_ends_its_account(mode: Mode, path: str) -> None:
    asking = Asking(mode)
    assert await asking.post(path, {}, of()) == {"success": True, "message": "Удаление аккаунта запрошено"}
    assert asking.world.accounts.asked == [("end", OWNER, f"client:{OWNER}")]


@pytest.mark.parametrize("mode", MODES)
async def test_a_client_takes_its_account_back(mode: Mode) -> None:
    asking = Asking(mode)
    assert await asking.post(RESTORE, {}, of()) == {"success": True, "message": "Аккаунт восстановлен"}
    assert asking.world.accounts.asked == [("restore", OWNER, f"client:{OWNER}")]


@pytest.mark.parametrize("path", [*ENDS, RESTORE])
@pytest.mark.parametrize("mode", MODES)
async def test_without_a_believed_token_no_account_ends_or_comes_back(mode: Mode, path: str) -> None:
    """Not even in the mode that believes a named client: an id is no proof, and no driver would notice in time."""
    asking = Asking(mode)
    for token in (None, of(**EXPIRED), "a.b.c"):
        assert (await asking.post(path, {"client_id": OWNER}, token, 401))["error"] == "unauthorized"
    assert asking.world.accounts.asked == []


@pytest.mark.parametrize("path", [*ENDS, RESTORE])
async def test_a_request_without_a_body_is_legal(path: str) -> None:
    """Field ruling 6.6."""
    asking = Asking("trust")
    empty = {**headers(of()), "Content-Type": "application/json"}
    assert (await body_of(await asking.phone.post(path, headers=empty)))["success"] is True


async def test_why_an_account_does_not_end_is_said_with_the_apps_names() -> None:
    asking = Asking("trust")
    asking.world.accounts.refusal = SessionAlreadyActive()
    assert (await asking.post(ENDS[0], {}, of()))["error"] == "session_already_active"
    asking.world.accounts.refusal = DebtOpen(13_50)
    refused = await asking.post(ENDS[0], {}, of())
    assert (refused["success"], refused["error"], refused["reason"], refused["debt_amount"]) == (
        False,
        "forbidden",
        "debt",
        13.5,
    )
    asking.world.accounts.refusal = ClientDeleted()
    assert (await asking.post(RESTORE, {}, of()))["error"] == "client_deleted"
