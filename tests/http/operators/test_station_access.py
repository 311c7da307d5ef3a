"""Stations' passwords over HTTP."""

from __future__ import annotations

from typing import Any, Literal, cast

import pytest

from evpower.http.operators.control import build_control_app
from evpower.http.operators.station_access import access_routes
from evpower.identifiers import StationId
from evpower.link.errors import CommandRejected
from evpower.security.station_access import PasswordChange, StationAccess
from tests.http.conftest import body_of
from tests.http.fakes import CountingIds, Phone, World
from tests.http.operators.test_control import FakeViews

PATH = "/control/stations/EVP-001-01/password"
PASSWORD = "a-password-of-16"


class FakeAccess(StationAccess):
    def __init__(self) -> None:
        self.set: list[tuple[str, str, bool, str]] = []
        self.refusal: Exception | None = None

    async def set_password(
        self, station_id: StationId, password: str, *, push: bool, form: Literal["plain", "hex"] = "plain"
    ) -> PasswordChange:
        self.set.append((station_id, password, push, form))
        if self.refusal is not None:
            raise self.refusal
        return PasswordChange(station_id, "Accepted" if push else None, old_password_ended=True)


@pytest.fixture
def access() -> FakeAccess:
    return FakeAccess()


@pytest.fixture
def operator(access: FakeAccess) -> Phone:
    app = build_control_app(
        charging=World().charging, views=FakeViews(), ids=CountingIds(), operations=(access_routes(access),)
    )
    return cast("Phone", app.test_client())


async def test_a_password_is_set_and_never_answered(operator: Phone, access: FakeAccess) -> None:
    body = await body_of(await operator.put(PATH, json={"password": PASSWORD}))
    assert body["data"] == {
        "station_id": "EVP-001-01",
        "pushed": False,
        "status": None,
        "old_password_ended": True,
    }
    assert access.set == [("EVP-001-01", PASSWORD, False, "plain")]


async def test_it_is_pushed_when_asked(operator: Phone, access: FakeAccess) -> None:
    body = await body_of(await operator.put(PATH, json={"password": PASSWORD, "push": True, "form": "hex"}))
    assert body["data"]["status"] == "Accepted"
    assert access.set == [("EVP-001-01", PASSWORD, True, "hex")]


async def test_a_chargers_refusal_is_in_the_envelope(operator: Phone, access: FakeAccess) -> None:
    access.refusal = CommandRejected("Rejected", {"status": "Rejected"})
    body = await body_of(await operator.put(PATH, json={"password": PASSWORD, "push": True}))
    assert (body["success"], body["error"], body["status"]) == (False, "command_rejected", "Rejected")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({}, "password"),
        ({"password": 1}, "password"),
        ({"password": PASSWORD, "push": "yes"}, "push"),
        ({"password": PASSWORD, "form": "base64"}, "form"),
    ],
)
async def test_a_wrong_field_is_named(operator: Phone, access: FakeAccess, change: dict[str, Any], field: str) -> None:
    body = await body_of(await operator.put(PATH, json=change), 400)
    assert [wrong["field"] for wrong in body["detail"]] == [field]
    assert not access.set
