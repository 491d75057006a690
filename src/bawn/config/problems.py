"""What pydantic finds wrong, said the way bawn says it: what was expected, and what stood there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Final

import msgspec
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from bawn.config import shape as shapes
from bawn.config.credentials import denotes_credential, may_be_credential
from bawn.config.document import Path, dotted, kind_of

# Values below these keys are never repeated, whatever they look like.
SECRET_KEYS: Final = frozenset({"env", "token", "headers", "auth"})
MAX_SHOWN: Final = 60


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with one setting, without its place in a file."""

    path: Path
    text: str

    def __str__(self) -> str:
        return f"{dotted(self.path)}: {self.text}" if self.path else self.text


def of(error: ValidationError, tree: dict[str, Any]) -> Iterator[Problem]:
    """One problem for each thing pydantic found in `tree`."""
    details = error.errors(include_url=False, include_input=False)
    for detail in details:
        path = tuple(step for step in detail["loc"] if step != "[key]")
        yield Problem(path, _explain(detail, path, tree))


def shown(path: Path, value: Any) -> str:
    """A value as a problem may repeat it: never one that could be a secret, never at length."""
    if isinstance(value, dict | list) or value is None:
        return kind_of(value)
    if _is_secret(path) or (isinstance(value, str) and may_be_credential(value)):
        return kind_of(value)
    text = msgspec.json.encode(value).decode()
    text = text if text.isprintable() else ascii(value)
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}…"


def _is_secret(path: Path) -> bool:
    names = [step for step in path if isinstance(step, str)]
    return any(name in SECRET_KEYS or denotes_credential(name) for name in names)


def _explain(detail: ErrorDetails, path: Path, tree: dict[str, Any]) -> str:
    match detail["type"]:
        case "value_error":
            return str(detail["ctx"]["error"])
        case "extra_forbidden":
            return _unknown(path)
        case "missing":
            place = shapes.at(path)
            return f"missing; expected {place.expected if place else 'a value'}"
    place = shapes.at(path)
    if place is None:
        return detail["msg"]
    value = _value_at(tree, path)
    quoted = place.kind == "text" and isinstance(value, bool | int | float)
    hint = "; write it in quotes" if quoted else ""
    return f"expected {place.expected}, got {shown(path, value)}{hint}"


def _unknown(path: Path) -> str:
    """Names what is allowed instead, the likeliest last."""
    around = shapes.at(path[:-1])
    allowed: Sequence[str] = around.keys if around else ()
    close = get_close_matches(str(path[-1]), allowed, 1, 0.6)
    hint = f"; did you mean `{close[0]}`?" if close else ""
    return f"unknown key; expected one of {', '.join(allowed)}{hint}"


def _value_at(tree: Any, path: Path) -> Any:
    for step in path:
        try:
            tree = tree[step]
        except (LookupError, TypeError):
            return None
    return tree
