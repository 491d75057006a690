from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bawn.model import Json
from bawn.protocol import trace
from bawn.protocol.trace import trace_id

TRACE = "0af7651916cd43dd8448eb211c80319c"
SPAN = "b7ad6b7169203331"
PARENT = f"00-{TRACE}-{SPAN}-01"
OTHER = f"00-{'1' * 32}-{SPAN}-01"
CHILD = f"00-{TRACE}-000000000000000b-01"


def _fresh() -> int:
    return 7


def _span() -> int:
    return 11


FRESH = f"{7:032x}"

MALFORMED = [
    "",
    TRACE,
    PARENT[:-1],
    PARENT.upper(),
    PARENT.replace("-", "_"),
    PARENT + "0",
    PARENT + "-00",  # version 00 has nothing more
    f"ff{PARENT[2:]}",
    f"01{PARENT[2:]}00",
    f"00-{'0' * 32}-{SPAN}-01",
    f"00-{'g' * 32}-{SPAN}-01",
    f'00-{TRACE[:-1]}"-{SPAN}-01',
    f"00-{TRACE}-{'0' * 16}-01",
    f"00-{TRACE}-{SPAN[:-1]}x-01",
    f"00-{TRACE}-{SPAN}-0x",
    f"0x-{TRACE}-{SPAN}-01",
    f"00-{TRACE}-{SPAN}_01",
]


# ── the correlation id ──────────────────────────────────────────────────────────────────────────


def test_the_callers_trace_is_kept() -> None:
    assert trace_id({"traceparent": PARENT}, {}, _fresh) == TRACE
    assert trace_id({}, {b"traceparent": PARENT.encode()}, _fresh) == TRACE


def test_the_body_goes_before_the_header() -> None:
    assert trace_id({"traceparent": PARENT}, {b"traceparent": OTHER.encode()}, _fresh) == TRACE


def test_without_a_trace_there_is_a_fresh_one() -> None:
    assert trace_id({}, {}, _fresh) == FRESH


@pytest.mark.parametrize("parent", MALFORMED)
def test_a_malformed_trace_is_replaced(parent: str) -> None:
    assert trace_id({"traceparent": parent}, {}, _fresh) == FRESH
    assert trace_id({}, {b"traceparent": parent.encode()}, _fresh) == FRESH


@pytest.mark.parametrize("parent", [[PARENT], None, 5, {}])
def test_a_trace_of_another_type_is_as_none(parent: object) -> None:
    assert trace_id({"traceparent": parent}, {b"traceparent": OTHER.encode()}, _fresh) == FRESH


@given(st.text(max_size=80) | st.integers(), st.binary(max_size=80))
def test_whatever_comes_in_32_hex_digits_come_out(body: object, header: bytes) -> None:
    made = trace_id({"traceparent": body}, {b"traceparent": header}, lambda: 2**128 - 1)
    assert re.fullmatch("[0-9a-f]{32}", made)
    assert int(made, 16)


# ── what goes on ────────────────────────────────────────────────────────────────────────────────


def test_the_child_has_the_callers_trace_and_flags_and_a_span_of_ours() -> None:
    assert trace.child({"traceparent": PARENT}, {}, _span) == CHILD
    assert trace.child({}, {b"traceparent": PARENT.encode()}, _span) == CHILD
    assert trace.child({"traceparent": PARENT[:-2] + "00"}, {}, _span) == CHILD[:-2] + "00"


def test_the_body_goes_before_the_header_for_the_child_too() -> None:
    assert trace.child({"traceparent": PARENT}, {b"traceparent": OTHER.encode()}, _span) == CHILD
    bad: Json = {"traceparent": "x"}
    assert trace.child(bad, {b"traceparent": PARENT.encode()}, _span) is None


@pytest.mark.parametrize("parent", MALFORMED)
def test_without_a_valid_parent_there_is_no_child(parent: str) -> None:
    assert trace.child({"traceparent": parent}, {}, _span) is None
    assert trace.child({}, {b"traceparent": parent.encode()}, _span) is None
    assert trace.child({}, {}, _span) is None


def test_a_later_version_goes_on_as_the_one_we_know() -> None:
    assert trace.child({"traceparent": f"cc-{TRACE}-{SPAN}-01-what.ever"}, {}, _span) == CHILD
    assert trace.child({"traceparent": f"01-{TRACE}-{SPAN}-01"}, {}, _span) == CHILD


def test_flags_that_nobody_has_defined_are_cleared() -> None:
    assert trace.child({"traceparent": PARENT[:-2] + "ff"}, {}, _span) == CHILD[:-2] + "03"


def test_a_span_is_never_zero() -> None:
    assert trace.child({"traceparent": PARENT}, {}, lambda: 0) == f"00-{TRACE}-{1:016x}-01"


META: Json = {
    "traceparent": PARENT,
    "tracestate": "a=1,b=2",
    "baggage": "user=ada",
    "com.example/own": [1],
}


def test_the_state_stays_and_the_baggage_is_for_the_trusted() -> None:
    kept: Json = {"com.example/own": [1], "traceparent": CHILD, "tracestate": "a=1,b=2"}
    assert trace.carried(META, parent=CHILD, baggage=False) == kept
    assert trace.carried(META, parent=CHILD, baggage=True) == kept | {"baggage": "user=ada"}
    assert META["traceparent"] == PARENT


def test_a_malformed_parent_takes_its_state_with_it() -> None:
    assert trace.carried(META, baggage=False) == {"com.example/own": [1]}
    assert trace.fields(META, {}, parent=None, baggage=False) == ()


def test_a_state_belongs_to_the_parent_it_came_with() -> None:
    headers = {b"traceparent": PARENT.encode(), b"tracestate": b"h=1"}
    assert trace.carried({"tracestate": "a=1"}, parent=CHILD, baggage=True) == {
        "traceparent": CHILD
    }
    assert trace.fields({"tracestate": "a=1"}, headers, parent=CHILD, baggage=False) == (
        (b"traceparent", CHILD.encode()),
        (b"tracestate", b"h=1"),
    )
    assert trace.fields({"traceparent": PARENT}, headers, parent=CHILD, baggage=False) == (
        (b"traceparent", CHILD.encode()),
    )


def test_metadata_without_a_context_is_passed_as_it_is() -> None:
    meta: Json = {"com.example/own": 1}
    assert trace.carried(meta, baggage=True) is meta


def test_the_header_fields_say_the_same() -> None:
    named = {b"baggage": b"user=eve"}
    made = ((b"traceparent", CHILD.encode()), (b"tracestate", b"a=1,b=2"))
    assert trace.fields(META, named, parent=CHILD, baggage=False) == made
    assert trace.fields(META, named, parent=CHILD, baggage=True) == (
        *made,
        (b"baggage", b"user=ada"),
    )
    assert trace.fields({}, named, parent=None, baggage=True) == ((b"baggage", b"user=eve"),)


@pytest.mark.parametrize("value", ["a=1\r\nx: y", "é", "", "a\x7f", None, 5, ["a=1"], "a" * 8193])
def test_what_no_header_can_hold_goes_nowhere(value: object) -> None:
    meta: Json = {"traceparent": PARENT, "tracestate": value, "baggage": value}
    assert trace.carried(meta, parent=CHILD, baggage=True) == {"traceparent": CHILD}
    assert trace.fields(meta, {}, parent=CHILD, baggage=True) == ((b"traceparent", CHILD.encode()),)


@given(
    st.dictionaries(
        st.sampled_from(["traceparent", "tracestate", "baggage", "x"]),
        st.text() | st.integers() | st.just(PARENT),
    ),
    st.dictionaries(st.sampled_from([b"traceparent", b"tracestate", b"baggage"]), st.binary()),
    st.booleans(),
)
def test_whatever_comes_in_the_fields_are_safe(
    meta: Json, headers: dict[bytes, bytes], baggage: bool
) -> None:
    parent = trace.child(meta, headers, _span)
    for _, value in trace.fields(meta, headers, parent=parent, baggage=baggage):
        assert all(0x20 <= byte < 0x7F for byte in value)
    made = trace.carried(meta, parent=parent, baggage=baggage)
    assert made.get("traceparent") == parent
    assert made.get("x") == meta.get("x")
    assert baggage or "baggage" not in made
