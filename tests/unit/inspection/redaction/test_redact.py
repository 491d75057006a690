from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from bawn.detectors.personal.detector import Personal
from bawn.detectors.rule import load
from bawn.detectors.secrets.detector import Secrets
from bawn.inspection.redaction.redact import KEY, STYLES, label, redact, redact_tree, shape
from bawn.model import Detection, Severity, Surface
from tests.spelled import spelled

DETECTORS = (Secrets(), Personal())
HITS = [text for name in ("secrets", "personal") for rule in load(name) for text in rule.hit]
planted = st.builds(
    lambda before, text, seed, after: f"{before} {spelled(text, seed)} {after}",
    st.text(max_size=30),
    st.sampled_from(HITS),
    st.integers(0, 50),
    st.text(max_size=30),
)


def found(text: str) -> list[Detection]:
    return [each for some in DETECTORS for each in some.detect(text, Surface.OUTPUT)]


def at(start: int, end: int, rule: str = "secret/x") -> Detection:
    return Detection(rule, Severity.HIGH, start, end, "")


@given(planted, st.sampled_from(list(STYLES.values())))
@settings(max_examples=300, deadline=None)
def test_redaction_leaves_nothing_that_is_detected(text: str, mask: Any) -> None:
    redacted = redact(text, found(text), mask)
    assert found(redacted) == []
    assert redact(redacted, found(redacted), mask) == redacted


@given(planted)
@settings(max_examples=150, deadline=None)
def test_shape_keeps_length_and_kinds_of_characters(text: str) -> None:
    redacted = redact(text, found(text), shape)
    assert len(redacted) == len(text)
    for before, after in zip(text, redacted, strict=True):
        assert before.isdigit() == after.isdigit()
        assert before.isalpha() == after.isalpha()
        assert before == after or before.isalnum()


def test_a_label_says_what_it_was() -> None:
    assert redact("a SECRET b", [at(2, 8, "secret/github-token")]) == "a [secret:github-token] b"


def test_of_a_card_the_last_four_digits_stay() -> None:
    card = at(5, 24, "personal/card")
    assert redact("card 4111 1111 1111 1234", [card], shape) == "card 0000 0000 0000 1234"


def test_spans_that_overlap_are_one() -> None:
    assert redact("abcdefgh", [at(1, 4), at(3, 6), at(3, 3)], label) == "a[secret:x]gh"


def test_a_tree_is_redacted_in_values_and_names_and_nowhere_else() -> None:
    tree = {"a/b": ["keep", "SECRET", 7, None], "SECRET": {"x~": "SECRET"}, "[secret:x]": True}
    where = {
        "/a~1b/1": [at(0, 6)],
        "/SECRET" + KEY: [at(0, 6)],
        "/SECRET/x~0": [at(0, 6)],
    }
    assert redact_tree(tree, where) == {
        "a/b": ["keep", "[secret:x]", 7, None],
        "[secret:x]2": {"x~": "[secret:x]"},
        "[secret:x]": True,
    }
