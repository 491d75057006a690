"""An expectation is met by what it describes, and by nothing else."""

from __future__ import annotations

import pytest

from bawn.demo.expected import Noted, Passes, Refused, Seen, notes, seen
from bawn.model import Json


def said(text: str, *found: Json, **more: object) -> Json:
    meta = {"_meta": {"bawn/inspection": list(found)}} if found else {}
    return {"id": 1, "result": {"content": [{"type": "text", "text": text}], **meta, **more}}


def note(rule: str, action: str, severity: str = "high") -> Json:
    place = {"place": "/content/0/text", "span": [0, 1]}
    return {"rule": rule, "severity": severity, "action": action, **place}


def refused(reason: str) -> Json:
    data = {"reason": reason, "trace": "abc"}
    return {"id": 1, "error": {"code": 31001, "message": "No", "data": data}}


REFUSED = refused("integrity.drift")
MARKED = said("⟦bawn⟧ page", note("output/directive", "mark"))


def test_an_untouched_answer_passes() -> None:
    assert Passes("rain").problem(said("much rain")) == ""


@pytest.mark.parametrize("answer", [said("sun"), REFUSED, said("rain", isError=True)])
def test_another_answer_does_not_pass(answer: Json) -> None:
    assert "'rain'" in Passes("rain").problem(answer)


def test_an_answer_in_which_something_was_found_does_not_pass() -> None:
    assert "output/directive" in Passes("page").problem(MARKED)


def test_a_refusal_is_one_with_its_reason() -> None:
    assert Refused("integrity.drift").problem(REFUSED) == ""
    for answer in (refused("integrity.checking"), said("done"), {"id": 1, "error": {"code": 1}}):
        assert "integrity.drift was expected" in Refused("integrity.drift").problem(answer)


def test_a_mark_is_one_of_its_rules_and_leaves_the_rest() -> None:
    assert Noted("output/", "mark", present=("page",)).problem(MARKED) == ""
    assert "bread" in Noted("output/", "mark", present=("bread",)).problem(MARKED)
    for other in (Noted("secret/", "mark"), Noted("output/", "redact")):
        assert "was expected" in other.problem(MARKED)
    assert "was expected" in Noted("output/", "mark").problem(said("page"))
    assert "was expected" in Noted("output/", "mark").problem(REFUSED)


def test_what_was_to_be_taken_out_is_nowhere_in_the_answer() -> None:
    redacted = note("secret/token", "redact")
    wanted = Noted("secret/", "redact", absent="s3cret")
    assert wanted.problem(said("[token]", redacted)) == ""
    assert "taken out" in wanted.problem(said("s3cret", redacted))
    hidden = said("[token]", redacted, structuredContent={"deep": ["a s3cret"]})
    assert "taken out" in wanted.problem(hidden)


def test_the_reason_is_that_of_the_refusal_or_of_the_gravest_finding() -> None:
    assert seen(REFUSED) == Seen("integrity.drift", "No", "abc")
    several = said("x", note("output/a", "pass", "low"), note("output/b", "mark", "critical"))
    assert seen(several).reason == "output/b"
    assert "critical" in seen(several).message
    assert seen(said("x")) == Seen()
    assert seen({"id": 1, "error": {"code": 1, "message": "odd"}}) == Seen("", "odd")


@pytest.mark.parametrize("meta", [None, {}, {"bawn/inspection": "?"}])
def test_an_answer_without_notes_has_none(meta: Json | None) -> None:
    assert notes({"result": {"_meta": meta}}) == []
    assert notes({"error": {}}) == []
