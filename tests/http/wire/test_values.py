"""Values as they are shown."""

from __future__ import annotations

import pytest

from evpower.http.wire.values import without_password


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("ftp://user:secret@host/path", "ftp://user:***@host/path"),
        ("https://:secret@host", "https://:***@host"),
        ("ftp://user:a:b@host", "ftp://user:***@host"),
        ("https://host:8443/a@b", "https://host:8443/a@b"),
        ("ftp://user@host", "ftp://user@host"),
        ("plain text", "plain text"),
    ],
)
def test_a_password_in_a_url_is_not_shown(url: str, shown: str) -> None:
    """Safe by default 11: `stations --json` showed one."""
    assert without_password(url) == shown
