"""Settings from environment variables: `BAWN_LIMITS__BODY=1048576` stands for `limits.body`.

Two underscores separate levels. Names match without regard to case, and an underscore also matches
the hyphen of an id. Text is taken as it stands; everything else is read as YAML.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Final

from bawn.config import shape as shapes
from bawn.config.document import read
from bawn.config.shape import Shape
from bawn.errors import Misconfigured

PREFIX: Final = "BAWN_"
NOT_SETTINGS: Final = frozenset({"BAWN_CONFIG"})
# What Kubernetes puts into every container beside a Service that is named `bawn`.
_KUBERNETES = re.compile(
    r"BAWN_(SERVICE_HOST|SERVICE_PORT(_.+)?|PORT(_[0-9]+_(TCP|UDP|SCTP)(_.+)?)?)"
)


@dataclass(frozen=True, slots=True)
class Override:
    """One variable, the place it stands for, and the value it puts there."""

    name: str
    path: tuple[str, ...]
    value: Any


def apply(
    tree: dict[str, Any], environ: Mapping[str, str]
) -> tuple[tuple[Override, ...], list[str]]:
    """Put every override into the tree, the shallow before the deep; also returns the problems."""
    overrides: list[Override] = []
    problems: list[str] = []
    for name in sorted(filter(is_setting, environ), key=lambda name: (name.count("__"), name)):
        try:
            override = _override(tree, name, environ[name])
            _put(tree, override)
            overrides.append(override)
        except Misconfigured as problem:
            problems.extend(f"environment variable {name}: {what}" for what in problem.problems)
    return tuple(overrides), problems


def is_setting(name: str) -> bool:
    """Whether an environment variable claims to be a setting of bawn."""
    known = name in NOT_SETTINGS or _KUBERNETES.fullmatch(name)
    return name.startswith(PREFIX) and not known


def variable(path: tuple[str, ...]) -> str | None:
    """The variable that stands for a setting, `ID` for a chosen name; None within lists, set whole."""
    if "[]" in path:
        return None
    return PREFIX + "__".join("ID" if step == "*" else step.upper() for step in path)


def _override(tree: dict[str, Any], name: str, text: str) -> Override:
    shape = shapes.root()
    path: tuple[str, ...] = ()
    inside: Any = tree
    for step in name.removeprefix(PREFIX).split("__"):
        known = tuple(inside) if isinstance(inside, dict) else ()
        key = _key(step, shape, known)
        if key is None or (child := shape.child(key)) is None:
            raise Misconfigured(f"unknown setting{_suggestion(name)}")
        shape, path = child, (*path, key)
        inside = inside.get(key) if isinstance(inside, dict) else None
    return Override(name, path, _value(text, shape))


def _key(step: str, shape: Shape, known: tuple[str, ...]) -> str | None:
    """The key of a section, or the name within a map, that one step of a variable stands for."""
    if not step:
        return None
    if shape.kind == "section":
        return next((key for key in shape.keys if key == step.lower()), None)
    if shape.kind != "map":
        return None
    if step in known:
        return step
    alike = [key for key in known if _folded(key) == _folded(step)]
    if len(alike) > 1:
        raise Misconfigured(f"stands for more than one of {', '.join(alike)}; set it in the file")
    if alike:
        return alike[0]
    inner = shape.child(step)
    # New ids are written the way ids are; names of a server's own variables stay as they are.
    return _folded(step) if inner is not None and inner.kind == "section" else step


def _folded(key: str) -> str:
    return key.lower().replace("_", "-")


def _value(text: str, shape: Shape) -> Any:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise Misconfigured("not UTF-8; expected plain text") from None
    if shape.kind == "text":
        # Addresses, patterns and secrets would often mean something else in YAML.
        return None if shape.nullable and text == "null" else text
    try:
        found = read(b"value: " + text.encode(), "value").tree
    except Misconfigured:
        return text  # refused by its type, with a better message than the parser's
    return found["value"] if set(found) == {"value"} else text


def _put(tree: dict[str, Any], override: Override) -> None:
    inside = tree
    for step in override.path[:-1]:
        if inside.get(step) is None:
            inside[step] = {}
        inside = inside[step]
        if not isinstance(inside, dict):
            raise Misconfigured("the file has no mapping there to put it in")
    inside[override.path[-1]] = override.value


def _suggestion(name: str) -> str:
    known = filter(None, (variable(path) for path, _ in shapes.walk()))
    close = get_close_matches(name, known, 1, 0.8)
    return f"; did you mean {close[0]}?" if close else "; docs/configuration.md lists every one"
