"""What is wrong with a file of test cases, with the line of each problem."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from typing import Any, Final, TypeAlias

from pydantic import BaseModel, ValidationError

from bawn.config.document import Document, Path, dotted
from bawn.config.problems import shown
from bawn.errors import Misconfigured
from bawn.review.trials.case_file import (
    Caller,
    CaseEntry,
    CaseFile,
    Definition,
    Given,
    ServerEntry,
    Software,
    Target,
)

Problem: TypeAlias = tuple[Path, str]

_EXPECTED: Final = {
    "string_type": "text",
    "tuple_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
}
_SECTIONS: Final[dict[str, type[BaseModel]]] = {
    "as": Caller,
    "call": Target,
    "given": Given,
    "client": Software,
}


def told(found: Document, name: str, wrong: Iterable[Problem]) -> Misconfigured:
    """The problems in the order of the file."""
    ordered = sorted(wrong, key=lambda problem: found.line(problem[0]) or 1)
    return Misconfigured(*(_line(found, name, *problem) for problem in ordered))


def _line(found: Document, name: str, path: Path, text: str) -> str:
    return f"{name}:{found.line(path) or 1}: {dotted(path)}{': ' if path else ''}{text}"


def of(error: ValidationError, tree: Any) -> Iterator[Problem]:
    """One problem for each thing that pydantic found in `tree`."""
    for detail in error.errors(include_url=False, include_input=False):
        path = tuple(step for step in detail["loc"] if step != "[key]")
        match detail["type"]:
            case "value_error":
                yield path, str(detail["ctx"]["error"])
            case "extra_forbidden":
                yield path, _unknown(path)
            case "missing":
                yield path, "missing; expected a value"
            case "literal_error" | "enum":
                yield path, f"expected {detail['ctx']['expected']}, got {_value(tree, path)}"
            case kind:
                expected = _EXPECTED.get(kind)
                got = f"expected {expected}, got {_value(tree, path)}"
                yield path, got if expected else detail["msg"]


def _unknown(path: Path) -> str:
    allowed = _keys(path[:-1])
    near = get_close_matches(str(path[-1]), allowed, 1, 0.6)
    hint = f"; did you mean `{near[0]}`?" if near else ""
    return f"unknown key; expected one of {', '.join(allowed)}{hint}"


def _keys(path: Path) -> list[str]:
    """The keys that may stand at a path where a section is expected."""
    model: type[BaseModel] = CaseFile
    for step in path:
        if isinstance(step, int):
            model = CaseEntry if path[0] == "cases" else Definition
        elif path[0] == "cases":
            model = _SECTIONS.get(step, CaseEntry)
        else:
            model = ServerEntry
    return [field.alias or name for name, field in model.model_fields.items()]


def _value(tree: Any, path: Path) -> str:
    for step in path:
        try:
            tree = tree[step]
        except (LookupError, TypeError):
            return "nothing"
    return shown(path, tree)
