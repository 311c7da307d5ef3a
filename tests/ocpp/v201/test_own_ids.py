"""A station is asked about its transaction by the id that it gave it, whatever the name is here."""

from __future__ import annotations

from typing import Any

import pytest

from evpower.charging.transaction import named_by_station
from evpower.identifiers import ConnectorId, WireTransactionId
from evpower.link.commands import SetProfile
from evpower.ocpp.dialect import Request, Send
from evpower.ocpp.v201.commands import profiles, requests

PROFILE = {
    "id": 1,
    "stackLevel": 0,
    "chargingProfilePurpose": "TxProfile",
    "chargingProfileKind": "Relative",
    "chargingSchedule": [
        {"id": 1, "chargingRateUnit": "W", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 7000.0}]}
    ],
}
NAMES = {"17": "17"} | {named_by_station(own): own for own in ("8c0f-1", "17", "2.0.1:17")}


@pytest.mark.parametrize(("name", "own"), NAMES.items())
async def test_a_station_hears_its_own_id(name: WireTransactionId, own: str) -> None:
    sent: list[Request] = []

    async def send(request: Request) -> dict[str, Any]:
        sent.append(request)
        return {"status": "Accepted"}

    connector = ConnectorId(1)
    profile = profiles.read_profile(connector, PROFILE | {"transactionId": name})
    await profiles.set_profile(Send(send), SetProfile(connector, profile))
    assert profile.transaction_id == name
    assert sent[0].payload["chargingProfile"]["transactionId"] == own
    for request in (requests.request_stop(name), requests.transaction_status(name)):
        assert request.payload == {"transactionId": own}
