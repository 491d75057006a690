"""The shape of the settings, read from the model: what may stand at a path, and how to say so."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, TypeAlias

from bawn.config.document import Path
from bawn.config.model import Config

Kind: TypeAlias = Literal["section", "map", "list", "text", "integer", "number", "boolean"]
_KINDS: dict[str, Kind] = {
    "array": "list",
    "string": "text",
    "integer": "integer",
    "number": "number",
    "boolean": "boolean",
}


@dataclass(frozen=True, slots=True)
class Shape:
    """What may stand in one place. `node` is its JSON Schema, references resolved, null set aside."""

    node: dict[str, Any]
    nullable: bool = False

    @property
    def kind(self) -> Kind:
        """How the value is written."""
        if self.node["type"] == "object":
            return "section" if "properties" in self.node else "map"
        return _KINDS[self.node["type"]]

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of a section; empty for everything else."""
        return tuple(self.node.get("properties", ()))

    @property
    def required(self) -> tuple[str, ...]:
        """The keys of a section that have no default."""
        return tuple(self.node.get("required", ()))

    def child(self, step: str | int) -> Shape | None:
        """What may stand below a key, a chosen name or an index."""
        if isinstance(step, int):
            return _shape(self.node["items"]) if self.kind == "list" else None
        if self.kind == "section":
            inner = self.node["properties"].get(step)
            return None if inner is None else _shape(inner)
        return _shape(self.node["additionalProperties"]) if self.kind == "map" else None

    @property
    def expected(self) -> str:
        """What is expected here, as a phrase: `an integer of at least 1`."""
        phrase = self._phrase()
        return f"{phrase}, or null" if self.nullable else phrase

    def _phrase(self) -> str:
        match self.kind:
            case "section":
                return "a mapping of settings"
            case "map":
                return f"a mapping of names to {_plural(_shape(self.node['additionalProperties']))}"
            case "list":
                return f"a list{_bounds(self.node)} of {_plural(_shape(self.node['items']))}"
            case "text":
                choices = self.node.get("enum")
                return f"one of {', '.join(choices)}" if choices else f"text{_bounds(self.node)}"
            case "integer":
                return f"an integer{_bounds(self.node)}"
            case "number":
                return f"a number{_bounds(self.node)}"
            case "boolean":
                return "true or false"


@cache
def root() -> Shape:
    """The shape of the whole file."""
    return _shape(Config.model_json_schema())


def at(path: Path) -> Shape | None:
    """What may stand at a path, or None if nothing may."""
    shape: Shape | None = root()
    for step in path:
        shape = shape.child(step) if shape else None
    return shape


def walk(
    shape: Shape | None = None, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], Shape]]:
    """Every place of the file in the model's order; `*` is a chosen name, `[]` an item of a list."""
    shape = shape or root()
    if path:
        yield path, shape
    if shape.kind == "section":
        for key in shape.keys:
            yield from walk(shape.child(key), (*path, key))
    elif shape.kind in {"map", "list"}:
        step, inner = ("*", shape.child("")) if shape.kind == "map" else ("[]", shape.child(0))
        if inner is not None and inner.kind == "section":
            yield from walk(inner, (*path, step))


def _shape(node: dict[str, Any]) -> Shape:
    """Resolve references and take `or null` apart; what the outer node says of itself wins."""
    nullable = False
    if "anyOf" in node:
        (inner,) = (option for option in node["anyOf"] if option.get("type") != "null")
        node = {**inner, **{key: value for key, value in node.items() if key != "anyOf"}}
        nullable = True
    if "$ref" in node:
        name = node["$ref"].rpartition("/")[2]
        node = {
            **_definitions()[name],
            **{key: value for key, value in node.items() if key != "$ref"},
        }
    return Shape(node, nullable)


@cache
def _definitions() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = Config.model_json_schema()["$defs"]
    return found


def _plural(shape: Shape) -> str:
    return "mappings" if shape.kind == "section" else shape.expected


def _bounds(node: dict[str, Any]) -> str:
    words = (
        ("minimum", "of at least {}"),
        ("exclusiveMinimum", "above {}"),
        ("maximum", "at most {}"),
        ("minItems", "of length at least {}"),
        ("maxItems", "of length at most {}"),
        ("maxLength", "of at most {} characters"),
        ("pattern", "matching `{}`"),
    )
    found = [words_.format(node[key]) for key, words_ in words if key in node]
    return f" {' and '.join(found)}" if found else ""
