"""Hosts: what every resolver might make of them, and which of that nobody outside should reach.

Nothing is looked up: a name is judged as it reads. Where a name really leads is for whoever connects.
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from typing import Final, TypeAlias

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address

_NUMBER: Final = re.compile(r"0[xX][0-9a-fA-F]*|0[oO]?[0-7]*|[0-9]+")
_LABEL: Final = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_DOTS: Final = re.compile("[\u3002\uff0e\uff61\u2024\ufe52]")

_METADATA: Final = frozenset(
    {
        "metadata", "metadata.google.internal", "metadata.goog", "instance-data", "instance-data.ec2.internal",
        "metadata.azure.com", "metadata.azure.internal", "metadata.tencentyun.com", "metadata.packet.net",
        "metadata.platformequinix.com", "metadata.nicloud.com", "rancher-metadata", "169.254.169.254.nip.io",
    }
)  # fmt: skip
_METADATA_ADDRESSES: Final = frozenset(
    ipaddress.ip_address(each)
    for each in ("169.254.169.254", "169.254.170.2", "169.254.170.23", "169.254.169.253", "169.254.169.123", "169.254.0.23", "100.100.100.200",
                 "192.0.0.192", "168.63.129.16", "fd00:ec2::254", "fd00:ec2::23", "fd20:ce::254", "fe80::a9fe:a9fe")
)  # fmt: skip
_LOCAL: Final = frozenset(
    {"localhost", "localhost6", "ip6-localhost", "ip6-loopback", "loopback", "broadcasthost", "kubernetes", "host.docker.internal",
     "gateway.docker.internal", "host.containers.internal", "host.lima.internal", "docker.for.mac.localhost", "docker.for.win.localhost"}
)  # fmt: skip
_LOCAL_ENDS: Final = (
    ".localhost", ".localdomain", ".local", ".internal", ".intranet", ".corp", ".lan", ".home.arpa", ".private", ".svc", ".cluster.local", ".consul",
)  # fmt: skip
_REBINDING: Final = frozenset(
    {
        "127-0-0-1.org.uk",
        "1time.io",
        "1u.ms",
        "42foo.com",
        "backname.io",
        "bugbounty.dod.network",
        "fbi.com",
        "fuf.me",
        "ip6.name",
        "lacolhost.com",
        "lcl.host",
        "local.gd",
        "localdomain.pw",
        "localho.st",
        "localtest.me",
        "lvh.me",
        "nip.cafe",
        "nip.io",
        "rbndr.us",
        "readme.localtest.me",
        "rebind.network",
        "smackaho.st",
        "spoofed.burpcollaborator.net",
        "sslip.io",
        "traefik.me",
        "ulh.us",
        "vcap.me",
        "xip.io",
        "xip.name",
        "yoogle.com",
    }
)
_REBINDING_ENDS: Final = tuple(f".{each}" for each in sorted(_REBINDING))
_EXTRA: Final = tuple(
    ipaddress.ip_network(each)
    for each in (
        "100.64.0.0/10",
        "192.0.0.0/24",
        "198.18.0.0/15",
        "192.88.99.0/24",
        "0.0.0.0/8",
        "240.0.0.0/4",
        "fec0::/10",
        "5f00::/16",
        "100::/64",
        "2001:db8::/32",
    )
)


def plain(host: str) -> str:
    """A host in the letters that it ends up in: full-width, enclosed and other forms folded, no last dot."""
    if host.isascii():
        return host.lower().rstrip(".")
    folded = unicodedata.normalize("NFKC", _DOTS.sub(".", host)).lower()
    return _DOTS.sub(".", folded).replace("\u00ad", "").rstrip(".")


def rule_of(host: str, *, private: bool) -> str | None:
    """The rule that a host breaks: it is in no usual form, or leads where it should not.

    With `private`, this machine and private networks are allowed; metadata services never are.
    """
    name = plain(host)
    if not name or len(name) > 253:
        return "host-form"
    bare = name[1:-1] if name[0] == "[" and name[-1] == "]" else name
    if ":" in bare:
        return _six(bare, private)
    if bare in _METADATA:
        return "host-metadata"
    if _is_numeric(bare):
        address = four(bare)
        if address is None:
            return "host-form"
        grave = _reserved(address)
        if grave == "host-metadata" or (grave and not private):
            return grave
        return None if str(address) == host else "host-form"
    return _named(host, bare, private)


def _named(host: str, name: str, private: bool) -> str | None:
    ascii_ = name if name.isascii() else _idna(name)
    if ascii_ is None or not all(_LABEL.fullmatch(label) for label in ascii_.split(".")):
        return "host-form"
    if not host.isascii() and name.isascii():
        return "host-form"  # letters that only look like others
    if not private and (name in _LOCAL or name.endswith(_LOCAL_ENDS)):
        return "host-private"
    if name in _REBINDING or name.endswith(_REBINDING_ENDS):
        return "host-rebinding"
    return None


def _idna(name: str) -> str | None:
    if not all(
        each.isalnum() or each in ".-_" or unicodedata.category(each)[0] == "M" for each in name
    ):
        return None
    try:
        return name.encode("idna").decode()
    except UnicodeError:
        return None


def _six(text: str, private: bool) -> str | None:
    body, zone, _ = text.partition("%")
    try:
        address = ipaddress.IPv6Address(body)
    except ValueError:
        return "host-form"
    grave = _reserved(address)
    if grave == "host-metadata" or (grave and not private):
        return grave
    return "host-form" if zone and not private else None


def _is_numeric(name: str) -> bool:
    """Whether resolvers that take old forms would read numbers: by its last part (WHATWG URL, 3.5)."""
    return _NUMBER.fullmatch(name.rsplit(".", 1)[-1]) is not None


def four(name: str) -> ipaddress.IPv4Address | None:
    """An IPv4 address in any of the forms of inet_aton: fewer parts, octal, hexadecimal."""
    parts = name.split(".")
    if len(parts) > 4:
        return None
    values: list[int] = []
    for part in parts:
        value = _number(part)
        if value is None:
            return None
        values.append(value)
    *heads, tail = values
    if any(head > 255 for head in heads) or tail >= 256 ** (5 - len(values)):
        return ipaddress.IPv4Address(tail & 0xFFFFFFFF) if len(values) == 1 else None
    number = tail
    for at, head in enumerate(heads):
        number += head << (24 - 8 * at)
    return ipaddress.IPv4Address(number)


def _number(part: str) -> int | None:
    if not part or len(part) > 32 or not _NUMBER.fullmatch(part):
        return None
    lower = part.lower()
    if lower.startswith("0x"):
        return int(lower[2:] or "0", 16)
    if len(lower) > 1 and lower[0] == "0":
        return int(lower.lstrip("0o") or "0", 8)
    return int(lower)


def _reserved(address: Address) -> str | None:
    if address in _METADATA_ADDRESSES:
        return "host-metadata"
    if isinstance(address, ipaddress.IPv6Address):
        inner = _embedded(address)
        if inner is not None:
            return _reserved(inner)
    if not address.is_global or address.is_multicast or address.is_reserved:
        return "host-private"
    return (
        "host-private"
        if any(address in net for net in _EXTRA if net.version == address.version)
        else None
    )


def _embedded(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address in a mapped, compatible, translated (RFC 6052), 6to4 or Teredo one."""
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    number = int(address)
    high = number >> 32
    if high in (0x0064FF9B << 64, 0xFFFF0000) or (high >> 48) == 0x0064FF9B0001:
        return ipaddress.IPv4Address(number & 0xFFFFFFFF)
    if high == 0 and number > 1:
        return ipaddress.IPv4Address(number)
    return None
