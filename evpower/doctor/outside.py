"""Checks of what others see and are: certificates and their ends, payment providers, proxies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from evpower.doctor.finding import Finding, good, unknown, warning, wrong

#: Before its end a certificate is spoken of: renewals by ACME come 30 days before.
NOTICE = timedelta(days=21)
#: A bank or a CA takes its time.
LONG_NOTICE = timedelta(days=45)
#: Fewer requests say nothing of who is in front.
REQUESTS_MIN = 20


@dataclass(frozen=True)
class CertificateFacts:
    """One certificate of ours: what it is for, its end, or why it cannot be used."""

    what: str
    ends_at: datetime | None = None
    error: str = ""
    renew: str = "renew it"
    notice: timedelta = NOTICE


def certificate(facts: CertificateFacts, now: datetime) -> Finding:
    """Whether it can be used, and for how long."""
    if facts.error or facts.ends_at is None:
        return wrong("certificates", f"{facts.what} cannot be used: {facts.error}", facts.renew)
    found = f"{facts.what} ends at {facts.ends_at:%Y-%m-%d %H:%M} UTC"
    if facts.ends_at <= now:
        return wrong("certificates", found.replace(" ends ", " ended "), facts.renew)
    return (
        warning("certificates", found, facts.renew)
        if facts.ends_at < now + facts.notice
        else good("certificates", found)
    )


def stations_certificates(ending: Sequence[str], days: int) -> list[Finding]:
    """Stations whose certificate ends within these days, or has: afterwards they cannot come in by it."""
    do = "evpower operate STATION renew-certificate; one whose certificate has ended needs a password"
    if not ending:
        return []
    return [
        warning("certificates", f"within {days} days the certificates of these stations end: {', '.join(ending)}", do)
    ]


@dataclass(frozen=True)
class ProviderFacts:
    """A payment provider, or another service we call: is it set up, and why can it not be reached."""

    name: str
    is_on: bool
    error: str = ""
    #: What the running server has seen of it: `failing since …`.
    failing: str = ""


def provider(facts: ProviderFacts) -> Finding:
    """Whether it can be reached from here."""
    if not facts.is_on:
        return good("providers", f"{facts.name} is off: it has no settings")
    do = "check its address, the route, the firewall and our certificate; then call the provider"
    if facts.error:
        return wrong("providers", f"{facts.name} cannot be reached: {facts.error}", do)
    if facts.failing:
        return warning("providers", f"{facts.name} can be reached, and {facts.failing}", do)
    return good("providers", f"{facts.name} can be reached")


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
        return [unknown("proxies", "the server does not run: what requests show is not known", "evpower serve")]
    findings = _door(seen, "requests", behind_a_proxy=behind_a_proxy)
    return (
        findings
        if chargers is None
        else findings + _door(chargers, "sockets of chargers", behind_a_proxy=chargers_behind)
    )


def _door(seen: SeenFacts, what: str, *, behind_a_proxy: bool) -> list[Finding]:
    findings = [
        warning(
            "proxies",
            f"{peer} names others in X-Forwarded-For ({count} {what}) and is not believed: all of them share its"
            " address and its limits",
            "if it is a proxy of yours, add it to http.trusted_proxies; if not, shut it out",
        )
        for peer, count in seen.unbelieved.items()
    ]
    if behind_a_proxy and not seen.named and seen.direct >= REQUESTS_MIN:
        found = f"http.public_url is set, and none of {seen.direct} {what} named its caller"
        do = "have the proxy set X-Forwarded-For to the address it sees (config/nginx.conf, config/Caddyfile)"
        findings.append(warning("proxies", found, do))
    if findings:
        return findings
    if seen.named:
        return [good("proxies", f"{seen.named} {what} came by trusted proxies, the last one of {seen.last_named}")]
    return [good("proxies", f"{seen.direct} {what}, none by a proxy")]
