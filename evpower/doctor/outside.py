"""Checks of what others see and are: certificates and their ends, payment providers, proxies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from evpower.doctor.finding import Finding, Sentence, Value, good, sentence, unknown, warning, wrong

#: Before its end a certificate is spoken of: renewals by ACME come 30 days before.
NOTICE = timedelta(days=21)
#: A bank or a CA takes its time.
LONG_NOTICE = timedelta(days=45)
#: Fewer requests say nothing of who is in front.
REQUESTS_MIN = 20


#: What to do about the end of each certificate.
RENEW_TLS = sentence("certificates.renew_tls")
RENEW_AUTHORITY = sentence("certificates.renew_authority")
RENEW_CA = sentence("certificates.renew_ca")
RENEW_OBANK = sentence("certificates.renew_obank")
RENEW_PUBLIC = sentence("certificates.renew_public")


@dataclass(frozen=True)
class CertificateFacts:
    """One certificate of ours: what it is for, its end, or why it cannot be used."""

    what: Value
    ends_at: datetime | None = None
    error: Value = ""
    renew: Sentence = field(kw_only=True)
    notice: timedelta = NOTICE


def certificate(facts: CertificateFacts, now: datetime) -> Finding:
    """Whether it can be used, and for how long."""
    if facts.error or facts.ends_at is None:
        return wrong("certificates", sentence("certificates.useless", what=facts.what, error=facts.error), facts.renew)
    at = f"{facts.ends_at:%Y-%m-%d %H:%M} UTC"
    if facts.ends_at <= now:
        return wrong("certificates", sentence("certificates.ended", what=facts.what, at=at), facts.renew)
    found = sentence("certificates.ends", what=facts.what, at=at)
    return (
        warning("certificates", found, facts.renew)
        if facts.ends_at < now + facts.notice
        else good("certificates", found)
    )


def stations_certificates(ending: Sequence[str], days: int) -> list[Finding]:
    """Stations whose certificate ends within these days, or has: afterwards they cannot come in by it."""
    if not ending:
        return []
    found = sentence("certificates.of_stations", days=days, stations=", ".join(ending))
    return [warning("certificates", found, sentence("certificates.renew_stations"))]


@dataclass(frozen=True)
class ProviderFacts:
    """A payment provider, or another service we call: is it set up, and why can it not be reached."""

    name: Value
    is_on: bool
    error: Value = ""
    #: What the running server has seen of it: `fails since …`.
    failing: str = ""


def provider(facts: ProviderFacts) -> Finding:
    """Whether it can be reached from here."""
    if not facts.is_on:
        return good("providers", sentence("providers.off", name=facts.name))
    do = sentence("providers.call")
    if facts.error:
        return wrong("providers", sentence("providers.away", name=facts.name, error=facts.error), do)
    if facts.failing:
        return warning("providers", sentence("providers.failing", name=facts.name, failing=facts.failing), do)
    return good("providers", sentence("providers.good", name=facts.name))


@dataclass(frozen=True)
class SeenFacts:
    """At one door since the server started: how many callers a trusted proxy named, how many came without a proxy, and
    by which addresses callers were named that are no trusted proxies."""

    named: int
    direct: int
    unbelieved: Mapping[str, int]
    last_named: str = ""


def proxies(
    seen: SeenFacts | None, chargers: SeenFacts | None = None, *, behind_a_proxy: bool, chargers_behind: bool = False
) -> list[Finding]:
    """Whether the real addresses of phones and providers are seen, and those of chargers.

    `chargers_behind`: nothing but a proxy on this machine can bring a charger's socket.
    """
    if seen is None:
        return [unknown("proxies", sentence("proxies.no_server"), sentence("proxies.serve"))]
    findings = _door(seen, sentence("proxies.requests"), behind_a_proxy=behind_a_proxy)
    if chargers is None:
        return findings
    return findings + _door(chargers, sentence("proxies.sockets"), behind_a_proxy=chargers_behind)


def _door(seen: SeenFacts, what: Sentence, *, behind_a_proxy: bool) -> list[Finding]:
    findings = [
        warning(
            "proxies",
            sentence("proxies.unbelieved", peer=peer, count=count, what=what),
            sentence("proxies.trust"),
        )
        for peer, count in seen.unbelieved.items()
    ]
    if behind_a_proxy and not seen.named and seen.direct >= REQUESTS_MIN:
        found = sentence("proxies.unnamed", count=seen.direct, what=what)
        findings.append(warning("proxies", found, sentence("proxies.forward")))
    if findings:
        return findings
    if seen.named:
        return [good("proxies", sentence("proxies.named", count=seen.named, what=what, last=seen.last_named))]
    return [good("proxies", sentence("proxies.direct", count=seen.direct, what=what))]
