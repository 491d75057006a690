"""Bytes into bounded lines."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from bawn.runner.lines import TAIL, LineSplitter, Overlong

LIMIT = 20


def split(chunks: list[bytes], limit: int = LIMIT, keep: int = 5) -> list[bytes | Overlong]:
    splitter = LineSplitter(limit, keep)
    return [line for chunk in chunks for line in splitter.feed(chunk)]


@given(st.lists(st.binary(max_size=60).map(lambda b: b.replace(b"\n", b"")), max_size=8), st.data())
def test_chunks_never_change_the_lines(lines: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(line + b"\n" for line in lines)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=10)))
    edges = [0, *cuts, len(stream)]
    chunks = [stream[a:b] for a, b in itertools.pairwise(edges)]
    expected = [line if len(line) <= LIMIT else Overlong(line[:5], line[-TAIL:]) for line in lines]
    assert split(chunks) == expected


def test_a_line_that_has_not_ended_is_kept_back() -> None:
    assert split([b"a\nb"]) == [b"a"]


def test_a_line_at_the_limit_is_whole() -> None:
    assert split([b"x" * LIMIT, b"\n"]) == [b"x" * LIMIT]


def test_what_is_skipped_is_not_held() -> None:
    splitter = LineSplitter(100)
    for _ in range(1_000):
        assert splitter.feed(b"y" * 1_000) == []
    (overlong,) = splitter.feed(b"the end\n")
    assert isinstance(overlong, Overlong)
    assert overlong.head == b"y" * 100
    assert overlong.tail == b"y" * (TAIL - 7) + b"the end"
    assert splitter.feed(b"next\n") == [b"next"]
