"""SignCertificate at the door (OCPP 1.6 security white paper, A02): what the service hears, what is answered."""

from __future__ import annotations

import logging

import pytest
from trio.testing import MockClock

from tests.ocpp.conftest import Csms

#: As long as one may be.
CSR = "-----BEGIN CERTIFICATE REQUEST-----\n".ljust(5500, "x")


@pytest.mark.parametrize(("verdict", "status"), [(True, "Accepted"), (False, "Rejected")])
async def test_a_request_reaches_the_service_whole(
    csms: Csms, autojump_clock: MockClock, caplog: pytest.LogCaptureFixture, verdict: bool, status: str
) -> None:
    caplog.set_level(logging.INFO, "OCPP")
    csms.reports.certificate_verdict = verdict
    peer = await csms.charger()
    assert await peer.call("SignCertificate", {"csr": CSR}) == [3, "m", {"status": status}]
    assert csms.reports.certificate_requests == [CSR]
    assert f"SignCertificate: station=CP-1, accepted={verdict}" in caplog.messages


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        ({"csr": CSR + "x"}, "PropertyConstraintViolation"),
        ({}, "OccurenceConstraintViolation"),
        ({"csr": None}, "OccurenceConstraintViolation"),
        ({"csr": [CSR]}, "TypeConstraintViolation"),
        ({"csr": "\0"}, "FormationViolation"),
    ],
)
async def test_what_ocpp_does_not_allow_is_no_request(
    csms: Csms, autojump_clock: MockClock, payload: dict[str, object], code: str
) -> None:
    peer = await csms.charger()
    assert (await peer.call("SignCertificate", payload))[:3] == [4, "m", code]
    assert csms.reports.certificate_requests == []


async def test_duty_15_a_request_that_cannot_be_stored_is_repeated(csms: Csms, autojump_clock: MockClock) -> None:
    peer = await csms.charger()
    csms.reports.broken = True
    assert (await peer.call("SignCertificate", {"csr": CSR}))[2] == "InternalError"
