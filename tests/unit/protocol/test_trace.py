from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bawn.protocol.trace import trace_id

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = f"00-{TRACE}-b7ad6b7169203331-01"
OTHER = f"00-{'1' * 32}-b7ad6b7169203331-01"


def _fresh() -> int:
    return 7


FRESH = f"{7:032x}"


def test_the_callers_trace_is_kept() -> None:
    assert trace_id({"traceparent": PARENT}, {}, _fresh) == TRACE
    assert trace_id({}, {b"traceparent": PARENT.encode()}, _fresh) == TRACE


def test_the_body_goes_before_the_header() -> None:
    assert trace_id({"traceparent": PARENT}, {b"traceparent": OTHER.encode()}, _fresh) == TRACE


def test_without_a_trace_there_is_a_fresh_one() -> None:
    assert trace_id({}, {}, _fresh) == FRESH


@pytest.mark.parametrize(
    "parent",
    [
        "",
        TRACE,
        PARENT[:-1],
        PARENT.upper(),
        PARENT.replace("-", "_"),
        f"00-{'0' * 32}-b7ad6b7169203331-01",
        f"00-{'g' * 32}-b7ad6b7169203331-01",
        f'00-{TRACE[:-1]}"-b7ad6b7169203331-01',
    ],
)
def test_a_malformed_trace_is_replaced(parent: str) -> None:
    assert trace_id({"traceparent": parent}, {}, _fresh) == FRESH
    assert trace_id({}, {b"traceparent": parent.encode()}, _fresh) == FRESH


def test_a_trace_of_another_type_is_as_none() -> None:
    assert trace_id({"traceparent": [PARENT]}, {}, _fresh) == FRESH


@given(st.text(max_size=80) | st.integers(), st.binary(max_size=80))
def test_whatever_comes_in_32_hex_digits_come_out(body: object, header: bytes) -> None:
    trace = trace_id({"traceparent": body}, {b"traceparent": header}, lambda: 2**128 - 1)
    assert len(trace) == 32
    assert set(trace) <= set("0123456789abcdef")
    assert int(trace, 16)
