from __future__ import annotations

from hashlib import blake2b

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bawn.audit.entries import (
    Close,
    Context,
    Intent,
    Outcome,
    Record,
    decode,
    hash_of,
    line_of,
    write_of,
)

NUMBERS = st.integers(0, 2**62)


def test_a_write_chains_its_first_line_alone() -> None:
    write = write_of(line_of(Close(at=1, more=False)), line_of(Close(at=2, more=True)), prev="ab")
    assert write == (
        b'{"prev":"ab","kind":"close","more":false,"at":1}\n{"kind":"close","more":true,"at":2}\n'
    )


def test_the_hash_is_that_of_all_bytes_of_a_write() -> None:
    assert hash_of(b"abc") == blake2b(b"abc", digest_size=32).hexdigest()
    assert hash_of(b"abc") != hash_of(b"abd")


@given(
    st.builds(Intent, at=NUMBERS, number=NUMBERS, context=NUMBERS, trace=st.text(),
              arguments=st.text(), uri=st.none() | st.text()) |
    st.builds(Context, at=NUMBERS, number=NUMBERS,
              **{name: st.text() for name in ("subject", "who", "method", "server", "rule", "client", "version")},
              name=st.none() | st.text()) |
    st.builds(Outcome, at=NUMBERS, intent=NUMBERS, trace=st.text(), status=st.text(),
              duration_us=NUMBERS, size=NUMBERS))  # fmt: skip
def test_what_is_encoded_is_read_back_and_is_one_line(record: Record) -> None:
    write = write_of(line_of(record), prev="")
    assert write.count(b"\n") == 1
    assert decode(write[:-1]) == record


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


def test_another_version_is_not_guessed_at() -> None:
    begun = {"kind": "segment", "v": 1, "at": 1, "name": "n", "writer": "w", "pid": 1, "after": {}}
    with pytest.raises(ValueError, match="version 1; expected version 2"):
        decode(msgspec.json.encode(begun))
