"""What the hostile server says: a secret that is none, and stands nowhere."""

from __future__ import annotations

from pathlib import Path

import bawn
from bawn.demo import bait
from bawn.detectors.secrets.checks import crc_of


def test_the_secret_has_the_format_and_the_check_digits_of_a_token() -> None:
    prefix, _, body = bait.secret().partition("_")
    assert prefix == "ghp"
    assert len(body) == 36
    assert set(body) <= set(bait.ALPHABET)
    assert body[30:] == crc_of(body[:30])
    assert bait.secret() == bait.secret()


def test_the_settings_hold_the_secret_and_no_file_of_bawn_does() -> None:
    assert bait.secret() in bait.settings()
    for file in Path(bawn.__file__).parent.rglob("*"):
        if file.is_file():
            assert bait.secret().encode() not in file.read_bytes(), file


def test_addresses_belong_to_nobody() -> None:
    for word in bait.PAGE.split():
        if "@" in word:
            assert word.strip(",.").endswith(".example")
