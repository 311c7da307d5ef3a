"""The text of a QR payment code as O!Dengi gives it (ELQR: tag, length, value), and its picture."""

from __future__ import annotations

import hashlib
import io

import segno

QR_TEXT_MAX = 512


def payload(invoice_id: str, amount_tyiyn: int, payee: str = "EVPOWER SANDBOX") -> str:
    """The code for one invoice: currency 417 in tag 53, tyiyn in tag 54, four digits of a SHA-256 in tag 63."""
    account = _field(0, "sandbox.dengi.kg") + _field(1, invoice_id)
    fields = [_field(0, "01"), _field(1, "12"), _field(32, account), _field(52, "5552"), _field(53, "417")]
    if amount_tyiyn:
        fields.append(_field(54, str(amount_tyiyn)))
    fields += [_field(58, "KG"), _field(59, payee), _field(60, "BISHKEK")]
    text = "".join(fields)
    return text + _field(63, hashlib.sha256(text.encode()).hexdigest()[-4:].upper())


def picture(text: str) -> bytes:
    """A PNG that a telephone can read."""
    png = io.BytesIO()
    segno.make(text, error="m", micro=False).save(png, kind="png", scale=6)
    return png.getvalue()


def _field(tag: int, value: str) -> str:
    return f"{tag:02}{len(value):02}{value}"
