"""Check digits and contents of secrets: they make a finding surer, and tell what everybody knows."""

from __future__ import annotations

import hashlib
from base64 import b32decode
from collections.abc import Callable, Mapping
from typing import Final
from zlib import crc32

from bawn.detectors.secrets.values import words

_DIGITS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_ACCOUNTS: Final = 10**12

_PUBLISHED: Final = words("""
    0b476bdf9acf2123 2037abcaffb2b777 27a9a42931dff7eb 2f21fd9c81678e39 37f8f09bdf12c2f2
    3a8b61d0f636b007 3f370c9dd8225c63 49f777db995e8260 4c98242dcadc8b29 8731261cb72d8626
    a19f89ab3555eac1 a6c814bc555ae62c dc0fcf046c61640c e4a5542bb7fd7b67 ea9bb1082cf95663
    eb540d2b6ee2a0a4 f56e323494a6ffc2
    """)
"""Digests of values that are printed in manuals and public pages, and open nothing."""


def published(value: str) -> bool:
    """Whether everybody knows this value from a manual."""
    return hashlib.sha256(value.encode("utf-8", "replace")).hexdigest()[:16] in _PUBLISHED


def crc_of(token: str) -> str:
    """The six characters that GitHub and npm put behind a token's thirty: a CRC-32 in base 62."""
    number = crc32(token.encode())
    written = ""
    for _ in range(6):
        number, digit = divmod(number, 62)
        written = _DIGITS[digit] + written
    return written


def _checked(value: str) -> bool:
    _, _, body = value.partition("_")
    return len(body) == 36 and body.isascii() and crc_of(body[:30]) == body[30:]


def _names_account(value: str) -> bool:
    """Whether the number of an account that an AWS key id holds is one: twelve digits."""
    number = int.from_bytes(b32decode(value[4:])[:6], "big")
    return (number & 0x7FFFFFFFFF80) >> 7 < _ACCOUNTS


_LONGEST: Final = {"secret/azure-client-secret": 40}


def too_long(rule: str, value: str) -> bool:
    """Whether a value that a format was found in is longer than its issuer's are."""
    return len(value) > _LONGEST.get(rule, len(value))


SURE: Final[Mapping[str, Callable[[str], bool]]] = {
    "secret/github-token": _checked,
    "secret/npm-token": _checked,
    "secret/aws-access-key": _names_account,
}
"""Checks by rule. What fails is still told, for issuers change what they issue."""
