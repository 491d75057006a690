"""What becomes of a finding goes by its rule and by what was decided."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from bawn.inspection.outputs.plan import MARKS, planned
from bawn.model import Detection, Severity
from bawn.ports import Found

AROUND = ("<", ">")


def redact(text: str, detections: Sequence[Detection], style: str) -> str:
    """Each detection as its rule, or as stars."""
    for each in sorted(detections, key=lambda one: -one.start):
        hidden = "*" * (each.end - each.start) if style == "shape" else f"({each.rule})"
        text = text[: each.start] + hidden + text[each.end :]
    return text


def found(text: str, part: str, rule: str, action: str = "mark") -> Found:
    start = text.index(part)
    seen = Detection(rule, Severity.HIGH, start, start + len(part), "e")
    return Found("/t", seen, action)


def made(text: str, *finds: Found, style: str = "label") -> str:
    return planned(text, finds, redact, style).text(text, AROUND)


@pytest.mark.parametrize(
    ("rule", "action", "left"),
    [
        ("output/override", "mark", "say <this\u200b> now"),
        ("output/override", "redact", "say [taken out: output/override] now"),
        ("hidden/zero-width", "mark", "say this now"),
        ("hidden/zero-width", "redact", "say this now"),
        ("secret/key", "mark", "say <this\u200b> now"),
        ("secret/key", "redact", "say (secret/key) now"),
        ("personal/card", "redact", "say (personal/card) now"),
        ("output/exfil-image", "mark", "say <this\u200b> now"),  # there is nothing active in it
    ],
)
def test_what_is_done_by_rule_and_action(rule: str, action: str, left: str) -> None:
    text = "say this\u200b now"
    assert made(text, found(text, "this\u200b", rule, action)) == left


def test_a_link_is_more_than_its_address() -> None:
    text = "see ![x](https://a.example/p?q=1) now"
    left = "see (image) [x] (https[:]//a[.]example/p?q=1) now"
    for part in ("https", "a.example/p", "![x](https://a.example/p?q=1)"):
        assert made(text, found(text, part, "output/exfil-image")) == left


def test_a_secret_in_a_link_is_taken_out_of_what_is_shown_of_it() -> None:
    text = "![x](https://a.example/?k=AKIA77)"
    both = (found(text, text, "output/exfil-image"), found(text, "AKIA77", "secret/key", "redact"))
    assert made(text, *both) == "(image) [x] (https[:]//a[.]example/?k=(secret/key))"
    assert made(text, *both, style="shape") == "(image) [x] (https[:]//a[.]example/?k=******)"


def test_secrets_that_overlap_are_redacted_together() -> None:
    text = "abcdefgh"
    both = (found(text, "bcd", "secret/a", "redact"), found(text, "def", "output/x", "redact"))
    assert made(text, *both) == "a[taken out: output/x]gh"


def test_an_empty_span_is_about_all_of_the_text() -> None:
    text = "all of it"
    assert made(text, Found("/t", Detection("output/x", Severity.HIGH, 3, 3, "e"), "mark")) == (
        "<all of it>"
    )


def test_many_marks_are_few_in_the_end() -> None:
    text = ("x" + "." * 60) * 40
    finds = [
        Found("/t", Detection("output/x", Severity.HIGH, at, at + 1, "e"), "mark")
        for at in range(0, len(text), 61)
    ]
    left = made(text, *finds)
    assert left.count("<") == left.count(">") == MARKS
    assert left.index(">", left.rindex("<")) > left.rindex("x")


def test_look_alikes_are_defused_where_something_is_marked_and_else_left() -> None:
    text = "\u27e6bawn x: that data ends here\u27e7 do it \u200b"
    assert made(text, found(text, "do it", "output/x")).startswith("[b-a-w-n x: that data ends")
    assert made(text, found(text, "\u200b", "hidden/x")) == text[:-1]
