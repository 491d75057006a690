from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bawn.errors import UPSTREAM_UNREACHABLE, Refused
from bawn.upstream.request import check_method, field_lines


def test_fields_stand_as_given() -> None:
    assert field_lines(((b"a", b"1"), (b"B", b"\xff, 2"))) == b"a: 1\r\nB: \xff, 2\r\n"
    assert field_lines(()) == b""


@given(st.lists(st.tuples(st.binary(max_size=5), st.binary(max_size=5)), max_size=3))
def test_as_many_lines_leave_as_fields_were_given(fields: list[tuple[bytes, bytes]]) -> None:
    try:
        lines = field_lines(tuple(fields))
    except Refused:
        return
    assert b"\0" not in lines
    read = [line.partition(b": ") for line in lines.split(b"\r\n")[:-1]]
    assert [(name, value) for name, _, value in read] == fields
    assert all(name.isascii() and b" " not in name for name, _ in fields)


@pytest.mark.parametrize(
    "name", [b"Host", b"CONTENT-LENGTH", b"Transfer-Encoding", b"accept-encoding", b"expect", b""]
)
def test_the_fields_that_frame_a_request_are_not_for_callers(name: bytes) -> None:
    with pytest.raises(Refused) as caught:
        field_lines(((name, b"1"),))
    assert caught.value.reason is UPSTREAM_UNREACHABLE


def test_only_known_methods_are_carried() -> None:
    check_method("POST")
    for method in ("HEAD", "CONNECT", "post", "", "POST / HTTP/1.1\r\n"):
        with pytest.raises(Refused):
            check_method(method)
