"""A URL is shown without its password."""

from __future__ import annotations

import pytest

from evpower.urls import without_password


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("ftp://user:secret@host/path", "ftp://user:***@host/path"),
        ("https://:secret@host", "https://:***@host"),
        ("ftp://user:a:b@host", "ftp://user:***@host"),
        ("https://host:8443/a@b", "https://host:8443/a@b"),
        ("ftp://user@host", "ftp://user@host"),
        ("redis://:p@ss@host/0", "redis://:***@host/0"),
        ("postgresql://host/db?user=u&password=secret&x=1", "postgresql://host/db?user=u&password=***&x=1"),
        ("host=h password=secret user=u", "host=h password=*** user=u"),
        ("two: a://b:c@d and e://f:g@h.", "two: a://b:***@d and e://f:***@h."),
        ("plain text", "plain text"),
    ],
)
def test_a_password_in_a_url_is_not_shown(url: str, shown: str) -> None:
    """Safe by default 11: `stations --json` showed one."""
    assert without_password(url) == shown
    assert without_password(shown) == shown
