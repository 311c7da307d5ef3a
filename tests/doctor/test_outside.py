"""The doctor on certificates, providers and proxies."""

from __future__ import annotations

from datetime import timedelta

import pytest

from evpower.doctor.outside import (
    LONG_NOTICE,
    RENEW_TLS,
    CertificateFacts,
    ProviderFacts,
    SeenFacts,
    certificate,
    provider,
    proxies,
    stations_certificates,
)
from tests.doctor.english import english
from tests.worlds.fakes import NOON


@pytest.mark.parametrize(
    ("days", "notice", "state"),
    [(90, None, "good"), (20, None, "warning"), (40, LONG_NOTICE, "warning"), (0, None, "wrong"), (-1, None, "wrong")],
)
def test_a_certificate_is_judged_by_its_end(days: int, notice: timedelta | None, state: str) -> None:
    facts = CertificateFacts("ours", NOON + timedelta(days=days), renew=RENEW_TLS, notice=notice or timedelta(days=21))
    found = certificate(facts, NOON)
    assert (found.state, bool(found.do)) == (state, state != "good")
    assert ("ended at" in english(found.found)) is (days <= 0)


def test_a_certificate_that_cannot_be_used_is_wrong_with_its_reason() -> None:
    found = certificate(CertificateFacts("ours", error="key values mismatch", renew=RENEW_TLS), NOON)
    assert (found.state, "key values mismatch" in english(found.found)) == ("wrong", True)


def test_stations_whose_certificates_end_are_named() -> None:
    assert stations_certificates((), 30) == []
    (found,) = stations_certificates(["S1", "S2"], 30)
    assert (found.state, "S1, S2" in english(found.found), "renew-certificate" in english(found.do)) == (
        "warning",
        True,
        True,
    )


@pytest.mark.parametrize(
    ("facts", "state"),
    [
        (ProviderFacts("OBANK", is_on=False), "good"),
        (ProviderFacts("OBANK", is_on=True), "good"),
        (ProviderFacts("OBANK", is_on=True, error="TLS: certificate verify failed"), "wrong"),
        (ProviderFacts("OBANK", is_on=True, failing="fails since 12:00"), "warning"),
    ],
)
def test_a_provider(facts: ProviderFacts, state: str) -> None:
    found = provider(facts)
    assert (found.state, bool(found.do)) == (state, state != "good")
    assert english(facts.error) in english(found.found)
    assert facts.failing in english(found.found)


@pytest.mark.parametrize(
    ("seen", "behind", "state"),
    [
        (None, True, "unknown"),
        (SeenFacts(0, 5, {}), False, "good"),
        (SeenFacts(100, 3, {}, "203.0.113.7"), True, "good"),
        (SeenFacts(0, 19, {}), True, "good"),
        (SeenFacts(0, 20, {}), True, "warning"),
        (SeenFacts(100, 3, {"10.0.0.5": 7}), True, "warning"),
    ],
)
def test_proxies_are_judged_by_what_requests_show(seen: SeenFacts | None, behind: bool, state: str) -> None:
    (found,) = proxies(seen, behind_a_proxy=behind)
    assert (found.state, bool(english(found.found))) == (state, True)


@pytest.mark.parametrize(
    ("chargers", "behind", "state"),
    [
        (SeenFacts(0, 500, {}), False, "good"),
        (SeenFacts(0, 500, {}), True, "warning"),
        (SeenFacts(0, 19, {}), True, "good"),
        (SeenFacts(40, 3, {}, "203.0.113.8"), True, "good"),
        (SeenFacts(0, 3, {"10.0.0.5": 7}), False, "warning"),
    ],
)
def test_chargers_are_judged_by_what_their_handshakes_show(chargers: SeenFacts, behind: bool, state: str) -> None:
    of_requests, of_chargers = proxies(
        SeenFacts(100, 3, {}, "203.0.113.7"), chargers, behind_a_proxy=True, chargers_behind=behind
    )
    assert (of_requests.state, of_chargers.state) == ("good", state)
    assert "sockets of chargers" in english(of_chargers.found)


def test_a_proxy_that_is_not_trusted_is_named() -> None:
    (found,) = proxies(SeenFacts(0, 0, {"10.0.0.5": 7}), behind_a_proxy=False)
    assert english(found.found).startswith("10.0.0.5 names others in X-Forwarded-For (7 requests)")
    assert "http.trusted_proxies" in english(found.do)
