"""Hosts: what any resolver makes of them decides."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bawn.inspection.arguments.hosts import four, rule_of

PRIVATE = st.sampled_from(
    [
        "10.0.0.0/8",
        "127.0.0.0/8",
        "192.168.0.0/16",
        "172.16.0.0/12",
        "169.254.0.0/16",
        "100.64.0.0/10",
        "0.0.0.0/8",
        "224.0.0.0/4",
    ]
).flatmap(lambda net: st.ip_addresses(network=net))


def _forms(address: ipaddress.IPv4Address) -> list[str]:
    a, b, c, d = address.packed
    number = int(address)
    return [
        str(address), str(number), hex(number), oct(number).replace("o", ""), f"{a:#x}.{b:#x}.{c:#x}.{d:#x}", f"0{a:o}.0{b:o}.0{c:o}.0{d:o}", f"{a}.{number & 0xFFFFFF}",
        f"{a}.{b}.{number & 0xFFFF}", f"{address}.", f"::ffff:{address}", f"[::ffff:{a:02x}{b:02x}:{c:02x}{d:02x}]", f"64:ff9b::{a:02x}{b:02x}:{c:02x}{d:02x}",
        f"2002:{a:02x}{b:02x}:{c:02x}{d:02x}::1", str(address).translate({48 + n: 0xFF10 + n for n in range(10)}), str(address).replace(".", "。"),
    ]  # fmt: skip


@given(PRIVATE)
def test_private_addresses_are_found_in_every_form(address: ipaddress.IPv4Address) -> None:
    for form in _forms(address):
        assert rule_of(form, private=False) in ("host-private", "host-metadata"), form


@given(st.ip_addresses(v=4).filter(lambda each: each.is_global and not each.is_multicast))
def test_odd_forms_of_public_addresses_are_refused_as_odd(address: ipaddress.IPv4Address) -> None:
    assert rule_of(hex(int(address)), private=False) is not None


@pytest.mark.parametrize(
    "host",
    [
        "8.8.8.8",
        "example.com",
        "sub.example.co.uk",
        "bücher.example",
        "2606:4700:4700::1111",
        "_dmarc.example.com",
        "1password.com",
        "example.com.",
    ],
)
def test_public_hosts_pass(host: str) -> None:
    assert rule_of(host, private=False) is None


@pytest.mark.parametrize("host", ["localhost", "10.1.2.3", "db.internal", "::1", "nas.local"])
def test_private_hosts_pass_where_they_may(host: str) -> None:
    assert rule_of(host, private=True) is None
    assert rule_of(host, private=False) == "host-private"


@pytest.mark.parametrize(
    "host",
    [
        "169.254.169.254",
        "metadata.google.internal",
        "fd00:ec2::254",
        "2852039166",
        "100.100.100.200",
    ],
)
def test_metadata_services_never_pass(host: str) -> None:
    assert rule_of(host, private=True) == "host-metadata"


@pytest.mark.parametrize(
    "host",
    [
        "",
        ".",
        "a..b",
        "-a.example",
        "a b",
        "1.2.3.4.5",
        "256.1.1.1",
        "0x",
        "exаmple.com\u2044x",
        "[::1",
        "a_b!c",
    ],
)
def test_what_is_no_host_is_refused(host: str) -> None:
    assert rule_of(host, private=False) is not None


def test_old_forms_of_addresses_are_read_as_inet_aton_does() -> None:
    assert four("127.1") == ipaddress.IPv4Address("127.0.0.1")
    assert four("0x7f.0.0.01") == ipaddress.IPv4Address("127.0.0.1")
    assert four("1.2.3.999") is None


@given(st.text(max_size=80))
def test_any_text_is_judged(host: str) -> None:
    rule_of(host, private=False)
