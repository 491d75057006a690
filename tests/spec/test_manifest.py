from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import msgspec
import pytest

from tests.spec.manifest import Requirement, pages, requirements

ROOT = Path(__file__).parents[2]
HERE = Path(__file__)
ALL = requirements()
PAGES = pages()


def _expected_to_fail(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether the whole function is marked so; one case of a parametrised test may be."""
    return any("mark.xfail" in ast.unparse(each) for each in function.decorator_list)


@cache
def _tests_in(path: str) -> Mapping[str, bool]:
    """The test functions of a file, parametrised or not, and which are expected to fail.

    None when the file is not there.
    """
    file = ROOT / path
    if not file.is_file():
        return {}
    body = ast.parse(file.read_text("utf-8")).body
    functions = [each for each in body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)]
    return {
        each.name: _expected_to_fail(each) for each in functions if each.name.startswith("test_")
    }


def _missing(requirement: Requirement) -> list[str]:
    """The tests that a requirement names and that do not exist."""
    split = [(node, *node.split("::")) for node in requirement.tests]
    return [node for node, path, name in split if name not in _tests_in(path)]


def _unnamed(file: Path, named: frozenset[str]) -> list[str]:
    """The tests of a file that no requirement names."""
    path = file.relative_to(ROOT).as_posix()
    return sorted(f"{path}::{name}" for name in _tests_in(path) if f"{path}::{name}" not in named)


def test_every_promise_is_tested_or_says_why_not() -> None:
    assert [each.id for each in ALL if each.status == "open"] == []


def test_every_test_that_is_named_exists() -> None:
    missing = {each.id: _missing(each) for each in ALL}
    assert {id_: nodes for id_, nodes in missing.items() if nodes} == {}


def test_no_promise_rests_on_a_test_that_is_expected_to_fail() -> None:
    named = {(each.id, *node.split("::")) for each in ALL for node in each.tests}
    assert sorted(id_ for id_, path, name in named if _tests_in(path).get(name)) == []


def test_every_test_of_this_folder_is_named_by_a_promise() -> None:
    named = frozenset(node for each in ALL for node in each.tests)
    files = [file for file in sorted(HERE.parent.glob("test_*.py")) if file != HERE]
    assert [node for file in files for node in _unnamed(file, named)] == []


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
    assert _missing(_promise(tests=[here])) == []
    for gone in (here + "_for_ever", "tests/spec/test_none.py::test_x"):
        assert _missing(_promise(tests=[gone])) == [gone]
    assert _promise().status == "open"


def test_a_test_that_no_promise_names_is_noticed() -> None:
    assert f"tests/spec/{HERE.name}::test_a_test_that_is_gone_is_noticed" in _unnamed(
        HERE, frozenset()
    )


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
