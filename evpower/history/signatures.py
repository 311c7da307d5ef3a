"""Our own check of what meters signed, by pyocmf; and the file that the transparency software opens.

Importing this takes half a second (pydantic): it is imported in a worker thread, by who needs it.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Literal, TypeAlias
from xml.sax.saxutils import escape, quoteattr

from pyocmf import OCMF as OcmfText
from pyocmf.exceptions import PyOCMFError

from evpower.history.evidence import OCMF, SignedReading

Verified: TypeAlias = bool | Literal["unknown_key"]


def verified(reading: SignedReading) -> Verified | None:
    """Whether the signature is that of the key; None for an encoding we do not check."""
    if reading.encoding_method != OCMF:
        return None
    if reading.public_key is None:
        return "unknown_key"
    with warnings.catch_warnings():
        # What deviates from the standard and is still read is no fault of ours.
        warnings.simplefilter("ignore")
        try:
            return OcmfText.from_string(reading.signed_data).verify_signature(reading.public_key)
        except (PyOCMFError, ValueError):
            return False


def transparency_file(readings: Sequence[SignedReading], transaction_id: str) -> bytes:
    """The container of S.A.F.E.'s transparency software: `values`, each a `value` of `signedData` and `publicKey`.

    A text with characters that XML cannot hold is no signed reading, and is left out.
    """
    values = [_value(each, transaction_id) for each in readings if each.signed_data.isprintable()]
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<values>{"".join(values)}</values>'.encode()


def _value(reading: SignedReading, transaction_id: str) -> str:
    context = "" if reading.context is None else f" context={_attribute(reading.context)}"
    form = "" if reading.encoding_method is None else f" format={_attribute(reading.encoding_method)}"
    key = "" if reading.public_key is None else f"<publicKey>{escape(_printable(reading.public_key))}</publicKey>"
    data = f'<signedData{form} encoding="plain">{escape(reading.signed_data)}</signedData>'
    return f"<value transactionId={_attribute(transaction_id)}{context}>{data}{key}</value>"


def _attribute(text: str) -> str:
    return quoteattr(_printable(text))


def _printable(text: str) -> str:
    return "".join(character for character in text if character.isprintable())
