from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bawn.audit.entries import VERSION, Close, Intent, Outcome, Record, decode, encode, hash_of


def test_a_line_tells_its_kind_first_and_its_version() -> None:
    line = encode(Close(VERSION, 7, "ab", 1, more=False))
    assert line == b'{"kind":"close","v":1,"seq":7,"prev":"ab","at":1,"more":false}'


def test_the_hash_is_sha_256_of_the_line() -> None:
    assert hash_of(b"abc").startswith("ba7816bf")
    assert len(hash_of(b"abc")) == 64


@given(st.builds(Intent, *[st.integers(0, 2**62)] * 2, st.text(), st.integers(0, 2**62), *[st.text()] * 9,
                 name=st.none() | st.text(), uri=st.none() | st.text()) |
       st.builds(Outcome, st.just(1), st.integers(1, 9), st.text(), st.integers(0, 9), st.integers(0, 9),
                 st.text(), st.text(), st.integers(0, 9), st.integers(0, 9)))  # fmt: skip
def test_what_is_encoded_is_read_back_and_is_one_line(record: Record) -> None:
    record.v = VERSION
    line = encode(record)
    assert b"\n" not in line
    assert decode(line) == record


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{",
        b"[]",
        b"{}",
        b'{"kind":"other"}',
        b'{"kind":"close"}',
        b"\xff",
        b'{"kind":"\xff"}',
    ],
)
def test_what_is_no_record_is_said_to_be_none(line: bytes) -> None:
    with pytest.raises(ValueError, match="not an audit record"):
        decode(line)


def test_a_later_version_is_not_guessed_at() -> None:
    line = msgspec.json.encode(
        {"kind": "close", "v": 2, "seq": 1, "prev": "", "at": 1, "more": True}
    )
    with pytest.raises(ValueError, match="version 2; expected version 1"):
        decode(line)
