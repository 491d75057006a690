from __future__ import annotations

import json
import tracemalloc
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bawn.errors import Refused
from bawn.protocol import strict
from tests.readings import Reading, Unreadable, same

SMALL = strict.JsonLimits(depth=4, nodes=12)
USUAL = strict.JsonLimits()

# ── texts: JSON with every liberty of spelling, and what is nearly JSON ─────────────────────────

_space = st.sampled_from(["", "", "", " ", "\n\t "])
_character = st.sampled_from([
    "a", "é", "€", "😀", " ", ",", "[", "{", "\x7f", "\u2028",
    '\\"', "\\\\", "\\/", "\\n", "\\u0041", "\\u0000", "\\ud83d\\ude00", "\\uD800", "\\udc00",
    "\n", "\\x", "\\u12",
])  # fmt: skip
_string = st.lists(_character, max_size=4).map(lambda parts: '"' + "".join(parts) + '"')
_key = st.sampled_from(['"a"', '"b"', '"\\u0061"', '"A"', '""']) | _string
_number = st.sampled_from([
    "0", "-0", "1", "-1", "01", "1.0", "-0.0", "1e5", "1E+05", "1e400", "-1e999", "5e-324", "1e-999",
    "9223372036854775808", "18446744073709551616", "-9223372036854775809", "1" * 60, "1" * 4300,
    "1" * 4301, "0.1", "0.10000000000000000555", "1.", ".5", "+1", "NaN", "Infinity", "-Infinity",
])  # fmt: skip
_literal = st.sampled_from(["null", "true", "false", "nul", "True"])


def _containers(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    padded = st.tuples(_space, inner, _space).map("".join)
    member = st.tuples(_key, _space, st.just(":"), padded).map("".join)
    return st.one_of(
        st.lists(padded, max_size=4).map(lambda values: "[" + ",".join(values) + "]"),
        st.lists(member, max_size=4).map(lambda members: "{" + ",".join(members) + "}"),
    )


_text = st.recursive(_string | _number | _literal, _containers, max_leaves=12)


@st.composite
def bodies(draw: st.DrawFn) -> bytes:
    """JSON as text, and the same with a wound."""
    body = draw(_text).encode()
    if draw(st.booleans()):
        return body
    at = draw(st.integers(0, len(body)))
    wound = draw(st.binary(max_size=2) | st.sampled_from([b"\xef\xbb\xbf", b"\xed\xa0\x80", b'"']))
    return body[:at] + wound + body[at + draw(st.integers(0, 2)) :]


def _carefully(body: bytes, limits: strict.JsonLimits) -> Any:
    """The tree, or Unreadable for what was refused; nothing else may come out."""
    try:
        return strict.careful(body, limits)
    except Refused as refused:
        if refused.reason.id not in {"message.json", "message.limits"}:
            raise
        return Unreadable


def _oracle(body: bytes, limits: strict.JsonLimits) -> Any:
    try:
        return Reading(body, limits.depth, limits.nodes).value()
    except Unreadable:
        return Unreadable


def _agree(body: bytes, limits: strict.JsonLimits) -> None:
    expected, careful = _oracle(body, limits), _carefully(body, limits)
    assert (careful is Unreadable) == (expected is Unreadable)
    assert careful is Unreadable or same(careful, expected)
    quick = strict.canonical(body, limits)
    if quick is not None:
        assert same(quick, expected)
        assert strict.encode(quick) == body


@settings(max_examples=600, deadline=None)
@given(bodies(), st.sampled_from([SMALL, USUAL]))
@example(b"\xef\xbb\xbf{}", USUAL)
@example("{}".encode("utf-16"), USUAL)
@example(b'{"a":1,"\\u0061":1}', USUAL)
@example(b'"\\ud83d"', USUAL)
@example(b"[[[[[]]]]]", SMALL)
@example(b"[0,0,0,0,0,0,0,0,0,0,0]", SMALL)
@example(b"[0,0,0,0,0,0,0,0,0,0,0,0]", SMALL)
@example(b'"[[[[[[,,,,,,,,,,,,,,,,"', SMALL)
@example(b'["\\\\",[[[["\\"",[]]]]]]', SMALL)
def test_both_readings_agree_with_an_independent_one(
    body: bytes, limits: strict.JsonLimits
) -> None:
    _agree(body, limits)


@settings(max_examples=400, deadline=None)
@given(st.binary(max_size=40))
def test_arbitrary_bytes_are_read_or_refused(body: bytes) -> None:
    _agree(body, USUAL)


_tree = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None)
@given(_tree)
def test_what_we_write_ourselves_takes_the_quick_way(tree: Any) -> None:
    body = strict.encode(tree)
    if tree is not None:
        assert same(strict.canonical(body, USUAL), tree)
    assert same(strict.careful(body, USUAL), tree)


@settings(max_examples=300, deadline=None)
@given(_tree)
def test_what_is_accepted_is_sent_on_with_equal_value(tree: Any) -> None:
    spaced = json.dumps(tree, indent=1).encode()
    accepted = strict.careful(spaced, USUAL)
    assert same(Reading(strict.encode(accepted), 64, 100_000).value(), tree)


@settings(max_examples=300, deadline=None)
@given(bodies())
def test_mending_replaces_lone_surrogates_and_changes_nothing_else(body: bytes) -> None:
    plain = _carefully(body, USUAL)
    try:
        mended = strict.careful(body, USUAL, mend=True)
    except Refused:
        assert plain is Unreadable
        return
    strict.encode(mended)
    if plain is not Unreadable:
        assert same(mended, plain)
    else:
        assert strict.REPLACEMENT.encode() in strict.encode(mended)


def test_keys_that_mending_makes_equal_are_refused() -> None:
    with pytest.raises(Refused, match="same key twice"):
        strict.careful(b'{"\\ud800":1,"\\ud801":2}', USUAL, mend=True)


@pytest.mark.parametrize(
    "body",
    [
        b"[" * (4 << 20),
        b"[[]," * (1 << 20),
        b"[" + b"0," * (2 << 20) + b"0]",
        b'{"a":' * (1 << 19),
        b"[" * 65 + b'"a' * (1 << 21),
        b'["ab",' * (1 << 19),
    ],
    ids=["brackets", "lists", "numbers", "objects", "quotes", "strings"],
)
def test_a_bomb_of_4_mib_is_refused_before_a_tree_is_built(body: bytes) -> None:
    tracemalloc.start()
    try:
        assert strict.canonical(body, USUAL) is None
        with pytest.raises(Refused, match=r"message\.limits"):
            strict.careful(body, USUAL)
        assert tracemalloc.get_traced_memory()[1] < 4 * len(body)
    finally:
        tracemalloc.stop()


def test_a_wide_body_with_few_brackets_is_counted_too() -> None:
    wide = b'{"a":[' + b"0," * 100_000 + b"0]}"
    assert strict.canonical(wide, USUAL) is None
    with pytest.raises(Refused, match="more than 100000 values"):
        strict.careful(wide, USUAL)


def test_brackets_and_commas_inside_strings_count_for_nothing() -> None:
    body = strict.encode({"a": "[{," * 200_000})
    assert strict.canonical(body, USUAL) is None
    assert strict.encode(strict.careful(body, USUAL)) == body


def test_depth_up_to_the_limit_is_read_quickly_and_one_more_is_refused() -> None:
    deep = b"[" * 64 + b"]" * 64
    assert strict.canonical(deep, USUAL) is not None
    wide_and_deep = b"[" + b"[]," * 70 + b"[" * 63 + b"]" * 63 + b"]"
    assert strict.canonical(wide_and_deep, USUAL) is not None
    deeper = b"[" + deep + b"]"
    assert strict.canonical(deeper, USUAL) is None
    with pytest.raises(Refused, match="deeper than 64 levels"):
        strict.careful(deeper, USUAL)


def test_limits_beyond_the_interpreters_own_still_refuse_and_never_crash() -> None:
    vast = strict.JsonLimits(depth=10**6, nodes=10**7)
    deep = b"[" * 200_000 + b"]" * 200_000
    assert strict.canonical(deep, vast) is None
    with pytest.raises(Refused, match=r"message\.limits"):
        strict.careful(deep, vast)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"secret":"s3cr3t"', "Expecting ',' delimiter"),
        (b'{"a":"s3cr3t","a":"s3cr3t"}', "same key twice"),
        (b'["s3cr3t",NaN]', "NaN is not JSON"),
        (b'["s3cr3t\xff"]', "not valid UTF-8"),
        (b'["s3cr3t",1e999]', "number out of range"),
        (b'["s3cr3t\\ud800"]', "lone surrogate"),
        (b'["s3cr3t",' + b"1" * 5000 + b"]", "too many digits"),
    ],
)
def test_a_refusal_says_what_is_wrong_and_quotes_nothing(body: bytes, said: str) -> None:
    with pytest.raises(Refused) as caught:
        strict.careful(body, USUAL)
    assert said in caught.value.message
    assert "s3cr3t" not in str(caught.value)


def test_null_is_answered_by_the_careful_way() -> None:
    assert strict.canonical(b"null", USUAL) is None
    assert strict.careful(b"null", USUAL) is None


@pytest.mark.parametrize("blanks", [" ", "\n\t ", "\r\n"])
def test_blanks_between_tokens_change_nothing(blanks: str) -> None:
    tree = {"a": [1, -2.5, "x y", None, True, {"b": "é\n"}], "c": 2**70}
    body = json.dumps(tree, separators=(f",{blanks}", f":{blanks}"), ensure_ascii=False).encode()
    assert strict.careful(body, strict.JsonLimits()) == tree


@pytest.mark.parametrize(
    "body",
    [b'{"a": 1, "a": 1}', b'{"a": {"b": 1, "b": 2}}', b"[1, 1e400]", b'{"a": NaN}', b"[1, ]"],
)
def test_blanks_hide_nothing(body: bytes) -> None:
    with pytest.raises(Refused):
        strict.careful(body, strict.JsonLimits())
