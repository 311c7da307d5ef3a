"""The settings of payments: what a top-up may be, and each provider's own.

A provider is on when what it cannot work without (`ESSENTIAL`) is set; half of it is an error, never half a provider.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from evpower.client_address import Network
from evpower.money import TYIYN_PER_SOM
from evpower.settings.addresses import Bind, Networks, Url
from evpower.settings.values import Flag, Number, OneOf, Text, Whole, setting

#: What each provider cannot work without, by section.
ESSENTIAL = {"odengi": ("url", "sid", "secret"), "obank": ("url", "point", "service", "certificate")}
#: The longest value OBANK's platform promises to take (contract/payments §3.2).
OBANK_VALUE_CHARACTERS_MAX = 100
#: What follows `public_url` in the address OBANK calls: the path and a token of 32 characters.
OBANK_NOTICE_PATH = "/api/v1/payment/webhook/obank/"
OBANK_TOKEN_CHARACTERS = 32


@dataclass(frozen=True)
class PaymentsSettings:
    """Top-ups, the same for every provider (design §9.1-3)."""

    public_url: str = setting("", Url(("https", "http"), needs_host=True))
    poll_interval_s: float = setting(15, Number(0.1, 600))
    slow_interval_s: float = setting(600, Number(1, 86_400))
    max_checks: int = setting(20, Whole(1, 1000))
    invoice_lifetime_s: int = setting(300, Whole(10, 86_400))
    minimum_som: int = setting(10, Whole(1, 1_000_000))
    maximum_som: int = setting(100_000, Whole(1, 1_000_000))
    webhook_per_minute: int = setting(300, Whole(0, 10_000))
    webhook_allow: tuple[Network, ...] = setting((), Networks())
    allow_test_money: bool = setting(False, Flag())

    @property
    def minimum_tyiyn(self) -> int:
        return self.minimum_som * TYIYN_PER_SOM

    @property
    def maximum_tyiyn(self) -> int:
        return self.maximum_som * TYIYN_PER_SOM


@dataclass(frozen=True)
class OdengiSettings:
    """O!Dengi: invoices paid by QR code (contract/payments §2)."""

    url: str = setting("", Url(("https", "http"), needs_host=True, plain_only_here=True))
    sid: str = setting("", Text())
    secret: str = setting("", Text(), secret=True)
    test: bool = setting(False, Flag())
    webhook_secret: str = setting("", Text(), secret=True)

    @property
    def is_on(self) -> bool:
        return _is_on("odengi", self)


@dataclass(frozen=True)
class ObankSettings:
    """OBANK: cards (contract/payments §3)."""

    url: str = setting("", Url(("https",), needs_host=True))
    point: str = setting("", Text())
    service: str = setting("", Text())
    certificate: str = setting("", Text())
    certificate_password: str = setting("", Text(), secret=True)
    ca_certificate: str = setting("", Text())
    minor_units_per_som: int = setting(100, OneOf((100, 1000)))
    h2h: bool = setting(False, Flag())
    notify_key: str = setting("", Text(), secret=True)

    @property
    def is_on(self) -> bool:
        return _is_on("obank", self)


def _is_on(section: str, settings: object) -> bool:
    return all(getattr(settings, name) for name in ESSENTIAL[section])


def contradictions(payments: PaymentsSettings, odengi: OdengiSettings, obank: ObankSettings) -> list[str]:
    """What each value allows and all together do not; a secret is named, never shown."""
    problems = []
    if payments.minimum_som > payments.maximum_som:
        problems.append("payments.minimum_som: must not be above payments.maximum_som")
    sections: dict[str, Any] = {"odengi": odengi, "obank": obank}
    for section, settings in sections.items():
        if settings != type(settings)():
            problems += [
                f"{section}.{name}: must be set, because other settings of [{section}] are"
                for name in ESSENTIAL[section]
                if not getattr(settings, name)
            ]
    return problems


def dangers(payments: PaymentsSettings, odengi: OdengiSettings, obank: ObankSettings) -> list[str]:
    """What may not be while others reach the server: money that nobody paid (safe by default 9)."""
    problems = []
    if odengi.is_on and odengi.test and not payments.allow_test_money:
        problems.append(
            "odengi.test: credits money that nobody paid; to accept that set payments.allow_test_money = true"
        )
    for section, provider in (("odengi", odengi), ("obank", obank)):
        host = urlsplit(provider.url).hostname or ""
        if provider.is_on and Bind(host, 0).is_loopback and not payments.allow_test_money:
            problems.append(
                f"{section}.url: is on this machine, where whoever listens says what was paid; to accept that set"
                " payments.allow_test_money = true"
            )
    return problems


def doubts(public_url: str, odengi: OdengiSettings, obank: ObankSettings) -> list[str]:
    """What works and may surprise."""
    doubts = []
    if (odengi.is_on or obank.is_on) and not public_url:
        doubts.append("payments.public_url is empty: providers cannot call us, payments are found by asking them")
    if obank.is_on and not obank.notify_key:
        doubts.append("obank.notify_key is empty: OBANK is not asked to call us, payments are found by asking it")
    longest = OBANK_VALUE_CHARACTERS_MAX - len(OBANK_NOTICE_PATH) - OBANK_TOKEN_CHARACTERS
    if obank.is_on and len(public_url.rstrip("/")) > longest:
        doubts.append(
            f"payments.public_url is longer than {longest} characters: OBANK may cut the address it is to call"
        )
    return doubts
