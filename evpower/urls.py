"""A URL as it may be shown: without the password in it, whatever its scheme (safe by default 11)."""

from __future__ import annotations

import re

MASK = "***"
#: `ftp://user:password@host`. A password may hold an `@`, so the last one before the path ends it.
USER_INFO = re.compile(r"(://[^/@\s\"]*?):[^/\s\"]+@")
#: `postgresql://host/database?password=secret`, and the same in libpq's other form.
NAMED = re.compile(r"\b((?:ssl)?password|passwd|secret|token)=(?!\*{3})[^&\s\"',;]+", re.IGNORECASE)


def without_password(text: str) -> str:
    """The text, with asterisks for the password of every URL in it."""
    return NAMED.sub(rf"\1={MASK}", USER_INFO.sub(rf"\1:{MASK}@", text))
