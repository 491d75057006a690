from __future__ import annotations

from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bawn.protocol.templates import EXPRESSIONS, matches

_literal = st.text("ab/:", max_size=3)
_value = st.text("ab:", min_size=1, max_size=4)


@pytest.mark.parametrize(
    ("template", "uri"),
    [
        ("file:///a", "file:///a"),
        ("file:///{name}", "file:///a.txt"),
        ("file:///{+path}", "file:///a/b/c.txt"),
        ("file:///{+path}", "file:///"),
        ("file:///{path*}", "file:///a/b"),
        ("repo://{owner}/{repo}/contents{/path*}", "repo://o/r/contents/a/b"),
        ("repo://{owner}/{repo}/contents{/path*}", "repo://o/r/contents"),
        ("search://items{?q,limit}", "search://items?q=a/b&limit=3"),
        ("search://items{?q,limit}", "search://items"),
        ("test://template/{id}/data", "test://template/7/data"),
        ("a{x}b{y}b", "a-b-bb"),
        ("{a}{b}", "xy"),
    ],
)
def test_a_uri_that_can_come_from_the_template_matches(template: str, uri: str) -> None:
    assert matches(template, uri)


@pytest.mark.parametrize(
    ("template", "uri"),
    [
        ("file:///a", "file:///ab"),
        ("file:///a", "file:///A"),
        ("file:///{name}", "file:///a/b"),
        ("file:///{name}", "file:///"),
        ("file:///{name}", "file://a"),
        ("file:///{name}", "xfile:///a"),
        ("test://template/{id}/data", "test://template/7/data2"),
        ("test://template/{id}/data", "test://template/7/8/data"),
        ("test://template/{id}/data", "test://template//data"),
        ("{a}{b}", "x"),
        ("{a}/x", "/x"),
    ],
)
def test_a_uri_that_cannot_come_from_the_template_does_not(template: str, uri: str) -> None:
    assert not matches(template, uri)


@given(st.lists(st.tuples(_literal, _value), max_size=4), _literal)
def test_a_template_matches_what_it_expands_to(parts: list[tuple[str, str]], tail: str) -> None:
    template = "".join(f"{literal}{{v}}" for literal, _ in parts) + tail
    uri = "".join(literal + value for literal, value in parts) + tail
    # a literal that also occurs within a value is ambiguous for any reader from left to right
    if not any(literal and literal in value for literal, _ in parts for _, value in parts):
        assert matches(template, uri)


@given(st.lists(st.tuples(_literal, st.text("ab/:", max_size=4)), max_size=4), _literal)
def test_freedom_without_bounds_matches_every_expansion(
    parts: list[tuple[str, str]], tail: str
) -> None:
    template = "".join(f"{literal}{{+v}}" for literal, _ in parts) + tail
    uri = "".join(literal + value for literal, value in parts) + tail
    assert matches(template, uri)


@given(st.text(max_size=20), st.text(max_size=20))
def test_any_template_and_any_uri_are_judged(template: str, uri: str) -> None:
    assert matches(template, uri) in {True, False}


@given(st.text("ab/:?", max_size=20), st.text("ab/:?", max_size=20))
def test_without_expressions_only_the_uri_itself_matches(template: str, uri: str) -> None:
    assert matches(template, uri) == (template == uri)


def _seconds(template: str, uri: str) -> float:
    started = process_time()
    assert not matches(template, uri)
    return process_time() - started


@pytest.mark.parametrize(
    "template",
    ["{a}" * 200 + "x", "a{x}" * 200 + "b", "{+x}a" * 200 + "b", "a{+x}aa{y}" * 60 + "b"],
)
def test_the_time_grows_with_the_uri_and_not_faster(template: str) -> None:
    small = min(_seconds(template, "a" * 10_000) for _ in range(5))
    large = min(_seconds(template, "a" * 80_000) for _ in range(5))
    assert large < 40 * max(small, 20e-6)  # eight times the length: a square would take 64 times


def test_ten_thousand_of_the_worst_templates_offered_hold_nobody_up() -> None:
    worst = [f"{'{a}' * EXPRESSIONS}{number}" for number in range(10_000)]
    for template in worst:
        matches(template, "x" * 500)
    began = process_time()
    assert not any(matches(template, "x" * 500) for template in worst)
    assert process_time() - began < 1.0
