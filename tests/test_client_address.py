"""Whose address it is: only what a trusted proxy says is believed, and nobody can pass for another."""

from __future__ import annotations

from contextlib import ExitStack
from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evpower.client_address import LOOPBACK, PerAddress, client_address, is_within, neighbourhood

PHONE, BALANCER, PROXY = "198.51.100.1", "10.0.0.5", "127.0.0.1"
PROXIES = (*LOOPBACK, ip_network("10.0.0.0/8"))


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        (PHONE, [], PHONE),
        (PHONE, ["203.0.113.9"], PHONE),
        (PROXY, [], PROXY),
        (PROXY, [PHONE], PHONE),
        (PROXY, [f"203.0.113.9, {PHONE}"], PHONE),
        (PROXY, ["203.0.113.9", PHONE], PHONE),
        (PROXY, [f"203.0.113.9, {PHONE}, {BALANCER}"], PHONE),
        (BALANCER, [f"{PHONE},{PROXY}"], PHONE),
        (PROXY, [f"{PHONE}, unknown"], PROXY),
        (PROXY, [f"{PHONE}, "], PROXY),
        (PROXY, ["[2001:db8::1]:4711"], PROXY),
        ("::1", ["2001:db8::1"], "2001:db8::1"),
        (f"::ffff:{PROXY}", [f"::ffff:{PHONE}"], PHONE),
        (f"::ffff:{PHONE}", [], PHONE),
        ("local", [PHONE], "local"),
        ("", [PHONE], ""),
    ],
)
def test_the_last_hop_that_no_trusted_proxy_vouches_for_is_the_client(
    peer: str, forwarded: list[str], address: str
) -> None:
    assert client_address(peer, forwarded, PROXIES) == address


def test_without_trusted_proxies_it_is_the_peer() -> None:
    assert client_address(PROXY, [PHONE], ()) == PROXY


@given(st.text(max_size=60))
def test_what_a_client_writes_before_the_proxy_adds_it_changes_nothing(written: str) -> None:
    assert client_address(PROXY, [written, PHONE], PROXIES) == PHONE
    assert client_address(PROXY, [f"{written}, {PHONE}"], PROXIES) == PHONE
    assert client_address(PHONE, [written], PROXIES) == PHONE


@pytest.mark.parametrize(
    ("address", "within"), [(BALANCER, True), ("::ffff:10.1.2.3", True), (PHONE, False), ("local", False)]
)
def test_an_address_is_within_a_network(address: str, within: bool) -> None:
    assert is_within(address, PROXIES) is within


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("198.51.100.1", "198.51.100.2", False),
        ("2001:db8::1", "2001:db8::ffff", True),
        ("2001:db8:0:1::1", "2001:db8:0:2::1", False),
        (f"::ffff:{PHONE}", PHONE, True),
    ],
)
def test_a_customers_whole_network_is_counted_as_one(one: str, other: str, same: bool) -> None:
    """Safe by default 4: one line has 2^64 addresses of IPv6."""
    assert (neighbourhood(one) == neighbourhood(other)) is same


@pytest.mark.parametrize(("peer", "most"), [(PHONE, 2), (PROXY, 3), ("2001:db8::1", 2)])
def test_an_address_has_so_many_at_once_and_a_proxy_more(peer: str, most: int) -> None:
    counted = PerAddress(2, 3)
    with ExitStack() as stack:
        for _ in range(most):
            assert not counted.is_full(peer)
            stack.enter_context(counted.one(peer))
        assert counted.is_full(peer)
        assert not counted.is_full("203.0.113.77")
        assert not counted.is_full("")
    assert not counted.is_full(peer)
    assert not counted._open
