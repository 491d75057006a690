"""The lines of a file are what they were, whatever ends them, and indentation is read from its servers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bawn.config.document import read
from bawn.config.layout import Lines, indentation, reads_as, servers_of
from bawn.errors import Misconfigured

TEXT = "servers:\n   a:\n      url: x\n      # deep\n   # shallow\n"


@given(st.text(st.sampled_from("ab #\r\n\x85\u2028"), max_size=30))
def test_lines_join_to_the_same_bytes(text: str) -> None:
    assert Lines(text.encode()).joined() == text.encode()


def test_a_block_ends_after_the_comments_that_are_deeper_than_its_key() -> None:
    document = read(TEXT.encode(), "f")
    assert Lines(TEXT.encode()).end(document.spans[("servers", "a")]) == 4
    assert indentation(document) == (3, 3)


def test_reading_as_meant_is_equal_in_value_and_type() -> None:
    assert reads_as(b"a: 1\nservers: {}\n", {"a": 1})
    assert not reads_as(b"a: 1\n", {"a": True})
    assert not reads_as(b"a: [\n", {"a": 1})


def test_servers_are_a_mapping() -> None:
    with pytest.raises(Misconfigured):
        servers_of(read(b"servers: [a]\n", "f"))
