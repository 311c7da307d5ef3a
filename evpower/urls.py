"""A URL as it may be shown: without the password in it, whatever its scheme (safe by default 11)."""

from __future__ import annotations

import re

MASK = "***"
#: `ftp://user:password@host`. A password may hold an `@`, so the last one before the path ends it.
USER_INFO = re.compile(r"(://[^/@\s\"]*?):[^/\s\"]+@")
#: `postgresql://host/database?password=secret`, and the same in libpq's other form.
NAMED = re.compile(r"\b(password|sslpassword|passwd|secret|token)=(?!\*{3})[^&\s\"',;]+", re.IGNORECASE)
#: What the names end in: few texts have any of them, and looking for these is quick.
NAME_ENDS = ("assword=", "asswd=", "ecret=", "oken=", "ASSW", "ECRET=", "OKEN=")


def without_password(text: str) -> str:
    """The text, with asterisks for the password of every URL in it."""
    if "://" in text:
        text = USER_INFO.sub(rf"\1:{MASK}@", text)
    if any(end in text for end in NAME_ENDS):
        text = NAMED.sub(rf"\1={MASK}", text)
    return text
