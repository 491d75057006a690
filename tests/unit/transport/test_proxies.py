from __future__ import annotations

import pytest

from bawn.transport.proxies import Proxies

PROXIES = Proxies(["10.0.0.0/8", "2001:db8::/32"])


@pytest.mark.parametrize(
    ("address", "trusted"),
    [
        ("10.1.2.3", True),
        ("::ffff:10.1.2.3", True),
        ("2001:db8::1", True),
        ("11.0.0.1", False),
        ("::ffff:11.0.0.1", False),
        ("unix", False),
        ("", False),
    ],
)
def test_proxies_are_listed_by_network(address: str, trusted: bool) -> None:
    assert PROXIES.trusts(address) is trusted


def test_nobody_is_trusted_unless_listed() -> None:
    assert not Proxies().trusts("127.0.0.1")


@pytest.mark.parametrize(
    ("forwarded", "caller"),
    [
        (b"192.0.2.1", "192.0.2.1"),
        (b"203.0.113.1, 192.0.2.1", "192.0.2.1"),
        (b"192.0.2.1, 10.0.0.2,10.0.0.3", "192.0.2.1"),
        (b"10.0.0.2", "10.0.0.2"),
        (b"192.0.2.1, nonsense, 10.0.0.2", "10.0.0.2"),
        (b"192.0.2.1:80", "10.9.9.9"),
        (b"", "10.9.9.9"),
        (b"192.0.2.1,", "10.9.9.9"),
        (b"\xff", "10.9.9.9"),
        (b"::ffff:192.0.2.1", "192.0.2.1"),
        (b"2001:DB9::1", "2001:db9::1"),
    ],
)
def test_the_caller_is_the_nearest_that_is_no_proxy(forwarded: bytes, caller: str) -> None:
    assert PROXIES.caller(forwarded, "10.9.9.9") == caller
