"""The two providers together, and everything somebody may do to them: tests in Python, others over `control.py`."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from evpower.clock import Clock
from evpower.simulator.providers.obank import certificates, operations
from evpower.simulator.providers.obank import server as obank
from evpower.simulator.providers.obank.certificates import Authority
from evpower.simulator.providers.obank.operations import CardOperation
from evpower.simulator.providers.obank.server import ObankServer
from evpower.simulator.providers.odengi import server as odengi
from evpower.simulator.providers.odengi.invoices import PAID, Attempt, Invoice
from evpower.simulator.providers.odengi.server import Merchant, OdengiServer
from evpower.simulator.providers.surroundings.clock import ProviderClock
from evpower.simulator.providers.surroundings.courier import Courier
from evpower.simulator.providers.surroundings.doors import SandboxDoor
from evpower.simulator.providers.surroundings.faults import Faults, Provider, Sleep, WrongControl
from evpower.simulator.providers.surroundings.received import Log
from evpower.simulator.providers.surroundings.surroundings import Surroundings

POINT_FILE, AUTHORITY_FILE = "point.p12", "ca.pem"


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxSettings:
    """Where it listens and what it is called; port 0 is any free one, None is made from the seed.

    `directory` is where the certificates for OBANK's client are written, readable by this user alone.
    """

    directory: Path
    host: str = "127.0.0.1"
    odengi_port: int = 0
    obank_port: int = 0
    page_port: int = 0
    seed: int = 0
    sid: str = "1000000042"
    secret: str | None = None
    point: str = "4354"
    service: str = "1331"
    certificate_password: str | None = None


class Sandbox:
    """Running providers; `run_sandbox` makes it."""

    def __init__(
        self, settings: SandboxSettings, authority: Authority, doors: dict[str, SandboxDoor], clock: Clock, sleep: Sleep
    ) -> None:
        self.settings = settings
        self.authority = authority
        self.secret = settings.secret or _secret(settings.seed, "secret")
        self.certificate_password = settings.certificate_password or _secret(settings.seed, "certificate")
        self.clock = ProviderClock(clock)
        self.faults, self.received, self.courier = Faults(), Log(), Courier(sleep)
        self._doors = doors
        around = Surroundings(self.clock, self.faults, self.received, self.courier.send, sleep, self.page_url)
        merchant = Merchant(settings.sid, self.secret)
        self.odengi = OdengiServer(merchant, around, random.Random(f"{settings.seed}/odengi"))
        self.obank = ObankServer(settings.point, settings.service, around, random.Random(f"{settings.seed}/obank"))

    @property
    def page_url(self) -> str:
        """Where people pay, and where /control is."""
        return self._doors["page"].url

    @property
    def odengi_url(self) -> str:
        """O!Dengi's endpoint."""
        return self._doors["odengi"].url + odengi.PATH

    @property
    def obank_url(self) -> str:
        """OBANK's base URL."""
        return self._doors["obank"].url + obank.PATH

    @property
    def point_file(self) -> Path:
        """The client's certificate and key, PKCS#12 under `certificate_password`."""
        return self.settings.directory / POINT_FILE

    @property
    def authority_file(self) -> Path:
        """What the client trusts, PEM."""
        return self.settings.directory / AUTHORITY_FILE

    def environment(self) -> dict[str, str]:
        """The settings of a server that uses these providers."""
        return {
            "EVPOWER_ODENGI_URL": self.odengi_url,
            "EVPOWER_ODENGI_SID": self.settings.sid,
            "EVPOWER_ODENGI_SECRET": self.secret,
            "EVPOWER_OBANK_URL": self.obank_url,
            "EVPOWER_OBANK_POINT": self.settings.point,
            "EVPOWER_OBANK_SERVICE": self.settings.service,
            "EVPOWER_OBANK_CERTIFICATE": str(self.point_file),
            "EVPOWER_OBANK_CERTIFICATE_PASSWORD": self.certificate_password,
            "EVPOWER_OBANK_CA_CERTIFICATE": str(self.authority_file),
        }

    def write_certificates(self) -> None:
        """What the bank would hand out."""
        point = self.authority.point(self.settings.point, self.certificate_password)
        certificates.write_private(self.point_file, point)
        certificates.write_private(self.authority_file, self.authority.pem())

    async def outage(self, provider: Provider, *, on: bool = True) -> None:
        """The provider's port refuses connections, until it is switched off again."""
        await self._doors[provider].switch(is_open=not on)

    async def heal(self) -> None:
        """No more faults and outages. Payments and behaviour stay as they are."""
        self.faults.clear()
        self.courier.faults.clear()
        for door in self._doors.values():
            await door.switch(is_open=True)

    def behave(self, **wishes: Any) -> dict[str, Any]:
        """Change what a provider does where its manual is silent; all of it as it is now. Raises WrongControl."""
        for name, value in wishes.items():
            if name not in _BEHAVIOUR or not _BEHAVIOUR[name](value):
                raise WrongControl(f"{name} cannot be {value!r}; there are {', '.join(_BEHAVIOUR)}")
        for name, value in wishes.items():
            setattr(self._owner(name), name, value)
        return {name: getattr(self._owner(name), name) for name in _BEHAVIOUR}

    def _owner(self, name: str) -> object:
        owners = (self.odengi, self.obank, self.obank.book, self.clock)
        return next(owner for owner in owners if hasattr(owner, name))

    def act_on_invoice(
        self,
        action: str,
        *,
        order_id: str | None = None,
        invoice_id: str | None = None,
        trans_id: str | None = None,
        amount: int | None = None,
        currency: str = "KGS",
        without_amount: bool = False,
    ) -> dict[str, Any]:
        """What a payer or O!Dengi's own staff does; sums in tyiyn. Raises WrongControl and `invoices.Refused`.

        `pay` once more is a second payment of the same invoice; `forge` is a stranger who only claims one.
        """
        book = self.odengi.book
        if action == "refund" and trans_id is not None:
            return asdict(book.refund(trans_id, amount))
        invoice = book.find(invoice_id, order_id)
        paid = None if without_amount else invoice.amount_tyiyn if amount is None else amount
        match action:
            case "scan":
                return asdict(book.scan(invoice))
            case "pay":
                return asdict(book.pay(invoice, paid, currency))
            case "refuse":
                return asdict(book.refuse(invoice))
            case "cancel":
                book.cancel(invoice)
                return {"status": invoice.status}
            case "forge":
                return self._forge(invoice, paid, currency)
        raise WrongControl(f"unknown action {action!r}; there are scan, pay, refuse, cancel, refund (trans_id), forge")

    def _forge(self, invoice: Invoice, amount: int | None, currency: str) -> dict[str, Any]:
        claimed = Attempt("66600001", "666000000001", "approved", amount, currency, self.clock.now())
        letter = self.odengi.letter(invoice, claimed, PAID, forged=True)
        if letter is None:
            raise WrongControl("the invoice has no result_url")
        self.courier.send(letter)
        return asdict(claimed)

    def act_on_operation(self, action: str, *, id: int, sum: int | None = None) -> dict[str, Any]:
        """What a payer or the bank's own staff does. Raises WrongControl and `operations.Refused`."""
        operation = self.obank.book.by_number.get(id)
        if operation is None:
            raise WrongControl(f"no operation has id {id}")
        match action:
            case "approve":
                self.obank.book.approve(operation, at_once=True)
            case "decline":
                self.obank.book.decline(operation)
            case "cancel" | "refund":
                self.obank.book.cancel(operation, sum)
            case _:
                raise WrongControl(f"unknown action {action!r}; there are approve, decline, cancel, refund")
        return _operation(operation)

    def shown(self) -> dict[str, Any]:
        """All there is, JSON-ready."""
        return {
            "invoices": [{**asdict(each), "status": each.status} for each in self.odengi.book.by_id.values()],
            "operations": [_operation(each) for each in self.obank.book.by_number.values()],
            "faults": [asdict(each) for each in self.faults.pending],
            "webhook_faults": [asdict(each) for each in self.courier.faults],
            "behaviour": self.behave(),
        }


#: What `behave` may change, and which values it may have.
_BEHAVIOUR: dict[str, Callable[[Any], bool]] = {
    "repeats_order": lambda value: isinstance(value, bool),
    "progress": lambda value: (
        isinstance(value, list | tuple)
        and len(value) > 0
        and value[-1] == operations.DONE
        and all(state in (operations.NEW, 10, 20, operations.RUNNING, operations.DONE) for state in value)
    ),
    "point_has_funds": lambda value: isinstance(value, bool),
    "notice_shape": lambda value: value in obank.NOTICE_SHAPES,
    "status_misses": lambda value: isinstance(value, int) and value >= 0,
    "skew_s": lambda value: isinstance(value, int | float) and abs(value) <= 10 * 365 * 86400,
}


def _operation(operation: CardOperation) -> dict[str, Any]:
    return {**asdict(operation), "status": operation.status_text}


def _secret(seed: int, what: str) -> str:
    """The same for the same seed, so that a server's settings outlive the sandbox's restart."""
    return f"sandbox-{random.Random(f'{seed}/{what}').getrandbits(96):024x}"
