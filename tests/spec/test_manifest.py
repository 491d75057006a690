from __future__ import annotations

from collections import Counter
from pathlib import Path

import msgspec
import pytest

from tests.named import expected_to_fail, missing, written_in
from tests.spec.manifest import Requirement, pages, requirements

HERE = Path(__file__)
ALL = requirements()
PAGES = pages()


def test_every_promise_is_tested_or_says_why_not() -> None:
    assert [each.id for each in ALL if each.status == "open"] == []


def test_every_test_that_is_named_exists() -> None:
    gone = {each.id: missing(each.tests) for each in ALL}
    assert {id_: nodes for id_, nodes in gone.items() if nodes} == {}


def test_no_promise_rests_on_a_test_that_is_expected_to_fail() -> None:
    assert [each.id for each in ALL if expected_to_fail(each.tests)] == []


def test_every_test_of_this_folder_is_named_by_a_promise() -> None:
    named = frozenset(node for each in ALL for node in each.tests)
    files = [file for file in sorted(HERE.parent.glob("test_*.py")) if file != HERE]
    assert [node for file in files for node in written_in(file) if node not in named] == []


def test_no_id_stands_twice_and_no_promise_names_a_test_twice() -> None:
    assert [id_ for id_, count in Counter(each.id for each in ALL).items() if count > 1] == []
    assert [each.id for each in ALL if len(set(each.tests)) != len(each.tests)] == []


def test_every_page_is_known_and_every_known_page_obliges() -> None:
    assert {each.page for each in ALL} == set(PAGES.pages)
    assert set(PAGES.left_out).isdisjoint(PAGES.pages.values())


def test_what_is_not_ours_is_neither_tested_nor_a_divergence() -> None:
    foreign = [each for each in ALL if each.not_ours]
    assert [each.id for each in foreign if each.tests or each.divergence] == []


def test_only_what_the_specification_says_can_diverge() -> None:
    differing = [each for each in ALL if each.divergence]
    assert [each.id for each in differing if each.strength == "OURS"] == []


# ── the manifest's own teeth ────────────────────────────────────────────────────────────────────


def _promise(**changes: object) -> Requirement:
    plain: dict[str, object] = {"id": "BI-99", "strength": "MUST", "side": "both"}
    return msgspec.convert(plain | {"text": "It does something."} | changes, Requirement)


def test_a_test_that_is_gone_is_noticed() -> None:
    here = f"tests/spec/{HERE.name}::test_a_test_that_is_gone_is_noticed"
    assert missing([here]) == []
    for gone in (here + "_for_ever", "tests/spec/test_none.py::test_x"):
        assert missing([here, gone]) == [gone]
    assert here in written_in(HERE)
    assert _promise().status == "open"


@pytest.mark.parametrize(
    "changes",
    [
        {"id": "bi-1"},
        {"strength": "MAY"},
        {"side": "all"},
        {"text": ""},
        {"tests": ["test_x"]},
        {"tests": ["tests/spec/test_x.py::test_x[1]"]},
        {"excuse": "none"},
    ],
)
def test_what_has_another_shape_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError):
        _promise(**changes)
