"""Tests as data names them, by file and function: which there are is read from the source, and nothing runs."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Final

import msgspec

ROOT: Final = Path(__file__).parents[1]

Node = Annotated[str, msgspec.Meta(pattern=r"^tests/[a-z0-9_/]+\.py::test_[a-z0-9_]+$")]
"""A test function, as pytest names it; a case of a parametrised one cannot be named."""


def missing(nodes: Iterable[str]) -> list[str]:
    """Those that do not exist."""
    split = [(node, *node.split("::")) for node in nodes]
    return [node for node, path, name in split if name not in _tests_in(path)]


def expected_to_fail(nodes: Iterable[str]) -> list[str]:
    """Those that are marked so as a whole; one case of a parametrised test may be."""
    split = [(node, *node.split("::")) for node in nodes]
    return [node for node, path, name in split if _tests_in(path).get(name)]


def written_in(file: Path) -> list[str]:
    """Every test of a file, in its order."""
    path = file.relative_to(ROOT).as_posix()
    return [f"{path}::{name}" for name in _tests_in(path)]


@cache
def _tests_in(path: str) -> Mapping[str, bool]:
    """The test functions of a file, and which are expected to fail; of no file, none."""
    file = ROOT / path
    if not file.is_file():
        return {}
    body = ast.parse(file.read_text("utf-8")).body
    functions = [each for each in body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)]
    return {each.name: _marked(each) for each in functions if each.name.startswith("test_")}


def _marked(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return any("mark.xfail" in ast.unparse(each) for each in function.decorator_list)
