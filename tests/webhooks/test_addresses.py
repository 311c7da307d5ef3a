"""Where a webhook may go: to public addresses alone, in whatever form others are written."""

from __future__ import annotations

import pytest

from evpower.webhooks.addresses import NotPublic, host_of, is_public, public_address


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946", "64:ff9b::5db8:d822"])
def test_a_public_address_is_one(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.9.9.9",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "240.0.0.1",
        "::1",
        "::",
        "fe80::1",
        "fe80::1%eth0",
        "fd00::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "2002:7f00:1::1",
        "2001:0:7f00:1::1",
        "not an address",
        "",
    ],
)
def test_no_other_address_is_reached(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("https://example.org/hook?a=1", ("example.org", 443)),
        ("https://example.org:8443/", ("example.org", 8443)),
        ("https://[2606::1]/", ("2606::1", 443)),
        ("http://example.org/", None),
        ("ftp://example.org/", None),
        ("https:///hook", None),
        ("https://user@example.org/", None),
        ("https://user:secret@example.org/", None),
        ("https://example.org/#part", None),
        ("https://example.org:99999/", None),
        ("https://example.org/a b", None),
        ("https://example.org\\@127.0.0.1/", None),
        ("https://пример.рф/", None),
        ("https://[::1", None),
        ("https://e.org/" + "a" * 2000, None),
        ("", None),
    ],
)
def test_what_may_be_an_endpoint(url: str, found: tuple[str, int] | None) -> None:
    assert host_of(url) == found


async def test_one_private_address_among_public_ones_is_enough_to_refuse() -> None:
    async def both(host: str, port: int) -> list[str]:
        assert (host, port) == ("example.org", 443)
        return ["93.184.216.34", "10.0.0.1"]

    with pytest.raises(NotPublic, match=r"10\.0\.0\.1 is not public"):
        await public_address("example.org", 443, both)


async def test_a_name_that_leads_nowhere_is_refused() -> None:
    async def nowhere(host: str, port: int) -> list[str]:
        raise OSError

    async def nothing(host: str, port: int) -> list[str]:
        return []

    for look_up in (nowhere, nothing):
        with pytest.raises(NotPublic, match="no address"):
            await public_address("example.org", 443, look_up)
