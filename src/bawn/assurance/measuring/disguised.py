"""Disguises whole rows: what stands at the row's surface is said otherwise, or in two fields."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any, Final

import msgspec

from bawn.assurance.measuring.rows import Row
from bawn.assurance.measuring.subject import blocks
from bawn.assurance.measuring.transforms import SPLIT, TRANSFORMS, Transform, halves
from bawn.model import Json

TRACKS: Final = frozenset({"tools", "outputs"})
"""Where texts are read by a model. A command or path in disguise is another one, or none."""

_PROSE: Final = frozenset({"description", "title"})
_REST: Final = "more"


def disguises(track: str, row: Row) -> Iterator[tuple[str, Row]]:
    """The row in each disguise that changes it."""
    if track not in TRACKS:
        return
    for name, transform in TRANSFORMS.items():
        made = _output(row, transform) if track == "outputs" else _tool(row, transform)
        if made is not None:
            yield name, made
    split = _split_output(row) if track == "outputs" else _split_tool(row)
    if split is not None:
        yield SPLIT, split


def _output(row: Row, transform: Transform) -> Row | None:
    text = transform(row.text or "")
    return msgspec.structs.replace(row, text=text) if text != row.text else None


def _split_output(row: Row) -> Row:
    return msgspec.structs.replace(row, text=blocks(*halves(row.text or "")))


def _tool(row: Row, transform: Transform) -> Row | None:
    if not isinstance(row.tool, dict):
        return None
    tool: Json = _mapped(row.tool, row.surface or "", transform)
    return msgspec.structs.replace(row, tool=tool) if tool != row.tool else None


def _mapped(tool: Json, surface: str, transform: Transform) -> Json:
    """The tool with what stands at a surface said otherwise; of none that is known, all its prose."""
    tool = deepcopy(tool)
    if surface in {"title", "description"}:
        _member(tool, surface, transform)
    elif surface in _WITHIN:
        part = tool.get(_WITHIN[surface])
        if part is not None:
            tool[_WITHIN[surface]] = _strings(part, transform, surface == "annotations")
    else:
        _schema(tool.get("inputSchema"), surface, transform)
        if surface not in _SURFACES:
            _member(tool, "description", transform)
    return tool


_WITHIN: Final = {"annotations": "annotations", "output_schema": "outputSchema"}
_SURFACES: Final = frozenset(
    {"param_description", "param_name", "default", "enum", "examples", "defs"}
)


def _member(node: Json, key: str, transform: Transform) -> None:
    if isinstance(node.get(key), str):
        node[key] = transform(node[key])


def _strings(node: Any, transform: Transform, every: bool) -> Any:
    """What is said in a value: every string of it, or descriptions and titles alone."""
    if isinstance(node, str):
        return transform(node) if every else node
    if isinstance(node, list):
        return [_strings(each, transform, every) for each in node]
    if isinstance(node, dict):
        return {
            key: _strings(each, transform, every or (key in _PROSE and isinstance(each, str)))
            for key, each in node.items()
        }
    return node


def _schema(schema: Any, surface: str, transform: Transform) -> None:
    if not isinstance(schema, dict):
        return
    if surface == "defs":
        for key in ("$defs", "definitions"):
            if key in schema:
                schema[key] = _strings(schema[key], transform, every=False)
        return
    properties = schema.get("properties")
    if not isinstance(properties, dict):
        return
    if surface == "param_name":
        schema["properties"] = {transform(key): each for key, each in properties.items()}
        if isinstance(schema.get("required"), list):
            schema["required"] = [transform(str(each)) for each in schema["required"]]
        return
    for each in properties.values():
        if isinstance(each, dict):
            _property(each, surface, transform)


def _property(node: Json, surface: str, transform: Transform) -> None:
    if surface in {"default", "enum", "examples"}:
        if surface in node:
            node[surface] = _strings(node[surface], transform, every=True)
    else:
        _member(node, "description", transform)
        if surface != "param_description":
            _member(node, "title", transform)
    for below in (node, node.get("items")):  # what is nested in it
        if isinstance(below, dict) and isinstance(below.get("properties"), dict):
            _schema(below, surface, transform)


def _split_tool(row: Row) -> Row | None:
    """The first half of each text stays, and the second halves stand in a field of their own."""
    seconds: list[str] = []

    def first(text: str) -> str:
        one, other = halves(text)
        seconds.append(other)
        return one

    made = _tool(row, first)
    if made is None or not isinstance(made.tool, dict):
        return None
    _FIELDS.get(row.surface or "", _description)(made.tool, seconds)
    return made


def _description(tool: Json, seconds: list[str]) -> None:
    """In the description of a further parameter."""
    schema = tool.setdefault("inputSchema", {"type": "object"})
    properties = schema.setdefault("properties", {}) if isinstance(schema, dict) else {}
    properties[_REST] = {"type": "string", "description": " ".join(seconds).strip()}


def _names(tool: Json, seconds: list[str]) -> None:
    """In the names of further parameters."""
    schema = tool["inputSchema"]
    schema["properties"].update({each.strip(" _"): {"type": "string"} for each in seconds})


def _output_schema(tool: Json, seconds: list[str]) -> None:
    """In the description of a further member of the result."""
    properties = tool["outputSchema"].setdefault("properties", {})
    properties[_REST] = {"type": "string", "description": " ".join(seconds).strip()}


def _values(tool: Json, seconds: list[str]) -> None:
    """Among the examples of a further parameter."""
    properties = tool["inputSchema"]["properties"]
    properties[_REST] = {"type": "string", "examples": [each.strip() for each in seconds]}


_FIELDS: Final[dict[str, Callable[[Json, list[str]], None]]] = {
    "param_name": _names,
    "output_schema": _output_schema,
    "default": _values,
    "enum": _values,
    "examples": _values,
}
