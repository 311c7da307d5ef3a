"""What may be kept of a provider's call: no card number, no personal data (payments §7)."""

from __future__ import annotations

import re

#: Thirteen to nineteen digits, with blanks or dashes between them: whatever else it is, it may be a card number.
CARD_NUMBER = re.compile(r"(?<![0-9])[0-9](?:[ -]?[0-9]){12,18}(?![0-9])")
PERSONAL = "mobile|fname|lname|name|email|user_phone|phone|phone_number|card_pan|card_cvv|cvv|card_name|account"
JSON_MEMBER = re.compile(rf'"({PERSONAL})"\s*:\s*(?:"(?:[^"\\]|\\.)*"|[^,}}\]\s]+)', re.IGNORECASE)
XML_ELEMENT = re.compile(rf"<({PERSONAL})>[^<]*</", re.IGNORECASE)
FORM_FIELD = re.compile(rf"(?<![A-Za-z_])({PERSONAL})=(?:\"[^\"]*\"|'[^']*'|[^&\s]*)", re.IGNORECASE)
#: Kept of one call at most.
CHARS_MAX = 8192


def masked(body: bytes) -> str:
    """The body as text: personal members emptied, digits of card numbers gone but for the first six and last four."""
    text = body.decode("utf-8", "replace").replace("\0", "")[:CHARS_MAX]
    text = JSON_MEMBER.sub(r'"\1":"***"', text)
    text = XML_ELEMENT.sub(r"<\1>***</", text)
    text = FORM_FIELD.sub(r"\1=***", text)
    return CARD_NUMBER.sub(_card, text)


def _card(found: re.Match[str]) -> str:
    digits = re.sub(r"[ -]", "", found[0])
    return f"{digits[:6]}******{digits[-4:]}"
