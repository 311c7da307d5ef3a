"""The route of stations' certificates: what is asked for, what is refused."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from evpower.http.operators.certificates import certificate_routes
from evpower.security.certificates import StationCertificates
from tests.http.conftest import body_of
from tests.http.fakes import Phone
from tests.http.operators.test_operators_work import client_of


class FakeCertificates(StationCertificates):
    def __init__(self) -> None:
        self.asked: list[int | None] = []

    async def held(self, expiring_within_days: int | None) -> list[dict[str, Any]]:
        self.asked.append(expiring_within_days)
        return [{"station_id": "EVP-001-01", "not_after": datetime(2027, 1, 1, tzinfo=UTC)}]


@pytest.fixture
def certificates() -> FakeCertificates:
    return FakeCertificates()


@pytest.fixture
def client(certificates: FakeCertificates) -> Phone:
    return client_of(certificate_routes(certificates))


@pytest.mark.parametrize(
    ("query", "days"), [("", None), ("?expiring_within_days=0", 0), ("?expiring_within_days=30", 30)]
)
async def test_certificates_are_listed(
    client: Phone, certificates: FakeCertificates, query: str, days: int | None
) -> None:
    body = await body_of(await client.get(f"/certificates{query}"))
    row = {"station_id": "EVP-001-01", "not_after": "2027-01-01T00:00:00.000000Z"}
    assert body == {"success": True, "data": [row]}
    assert certificates.asked == [days]


@pytest.mark.parametrize("days", ["", "-1", "soon", "1.5", "36501", "9" * 400, "३०"])
async def test_what_is_no_number_of_days_is_refused(client: Phone, certificates: FakeCertificates, days: str) -> None:
    await body_of(await client.get("/certificates", query_string={"expiring_within_days": days}), 400)
    assert certificates.asked == []
