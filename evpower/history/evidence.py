"""What a bill can be checked by: the ledger's postings, the registers, and what the station's meter signed.

Signed values are kept as received; what they are (OCMF, or OCA's wrapper with a key beside it) is looked at only when
they are shown (contract/roadmap/history-favorites-push §1, ocpp-duties 29).
"""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

import msgspec

OCMF = "OCMF"
#: How OCA's paper on signed values writes a key.
KEY_PREFIX = "oca:base16:asn1:"


@dataclass(frozen=True)
class ChargePosting:
    """One side of an entry of a charge."""

    kind: str
    key: str
    account: str
    amount_tyiyn: int
    created_at: datetime
    #: Who had it posted; for operators alone.
    actor: str


@dataclass(frozen=True)
class RegisterFact:
    """A register that the bill stands on, in Wh, by the station's clock."""

    context: Literal["Transaction.Begin", "Sample.Periodic", "Transaction.End"]
    register_wh: int
    measured_at: datetime | None


@dataclass(frozen=True)
class SignedValue:
    """A value as a station sent it, and the context it was sent with."""

    context: str | None
    value: str


#: The signed values of a stored message, whatever version of OCPP it came in.
ReadSigned: TypeAlias = Callable[[str], Iterable[SignedValue]]


@dataclass(frozen=True)
class SignedReading:
    """The same, read: `encoding_method` and `public_key` are None where nobody says them."""

    context: str | None
    encoding_method: str | None
    signed_data: str
    public_key: str | None


def read_signed(signed: SignedValue, station_key: str | None) -> SignedReading:
    """What a value is; `station_key` is the key that the station gave of its meter, for values without their own."""
    if signed.value.startswith(f"{OCMF}|"):
        return SignedReading(signed.context, OCMF, signed.value, station_key)
    try:
        wrapper = msgspec.json.decode(signed.value)
    except msgspec.DecodeError:
        wrapper = None
    if not isinstance(wrapper, dict) or not isinstance(wrapper.get("signedMeterData"), str):
        return SignedReading(signed.context, None, signed.value, station_key)
    data, method, key = wrapper["signedMeterData"], wrapper.get("encodingMethod"), wrapper.get("publicKey")
    return SignedReading(
        signed.context,
        method if isinstance(method, str) else None,
        _text_of(data),
        plain_key(_text_of(key)) if isinstance(key, str) and key else station_key,
    )


def plain_key(key: str) -> str:
    """The key itself, in hexadecimal or base64."""
    return key.strip().removeprefix(KEY_PREFIX)


def _text_of(value: str) -> str:
    """Base64 of a text is that text; anything else stays as it is."""
    try:
        text = b64decode(value, validate=True).decode()
    except (binascii.Error, ValueError):
        return value
    return text if text.startswith((f"{OCMF}|", KEY_PREFIX)) else value
