"""The types of tools' arguments for Cedar, from the JSON Schemas that their servers give."""

from __future__ import annotations

from typing import Any, Final

from bawn.model import Json
from bawn.policy.files import schema

_DEEPEST: Final = 8
_SCALARS: Final = {
    "string": schema.TEXT,
    "boolean": schema.BOOL,
    "integer": schema.LONG,
    "number": schema.DECIMAL,
}


def of_tool(definition: Json) -> Json:
    """The record of a tool's arguments, as `policy/cedar/context.py` gives it to policies.

    What has no one type is `UntypedArgument`: to ask anything of it is a type error.
    """
    given = definition.get("inputSchema")
    return _record(given, 0) if isinstance(given, dict) else schema.NOTHING


def of_prompt(definition: Json) -> Json:
    """The record of a prompt's arguments; all are strings."""
    given = definition.get("arguments")
    entries = [each for each in given if isinstance(each, dict)] if isinstance(given, list) else []
    named = [each for each in entries if isinstance(each.get("name"), str)]
    required = frozenset(each["name"] for each in named if each.get("required") is True)
    return schema.record({each["name"]: schema.TEXT for each in named}, required)


def together(records: list[Json]) -> Json:
    """One record for those of several items under one action; nothing in it is sure to be there."""
    fields: Json = {}
    for each in records:
        for name, type_ in each["attributes"].items():
            plain = {key: value for key, value in type_.items() if key != "required"}
            if fields.setdefault(name, plain) != plain:
                fields[name] = schema.untyped()
    return schema.record(fields, frozenset())


def field(type_: Json, path: tuple[str, ...]) -> Json | None:
    """The type of what a path leads to within a record; None when it has no such thing."""
    for name in path:
        if type_["type"] != "Record" or name not in type_["attributes"]:
            return None
        type_ = type_["attributes"][name]
    return type_


def _record(given: Json, deep: int) -> Json:
    properties = given.get("properties")
    fields = properties if isinstance(properties, dict) else {}
    said = given.get("required")
    required = (
        frozenset(each for each in said if isinstance(each, str))
        if isinstance(said, list)
        else frozenset()
    )
    return schema.record({name: _type(each, deep + 1) for name, each in fields.items()}, required)


def _type(given: Any, deep: int) -> Json:
    if not isinstance(given, dict) or deep > _DEEPEST:
        return schema.untyped()
    said = given.get("type", _of_values(given))
    if isinstance(said, str) and said in _SCALARS:
        return _SCALARS[said]
    if said == "array":
        return schema.set_of(_type(given.get("items"), deep + 1))
    if said == "object" and isinstance(given.get("properties"), dict):
        return _record(given, deep)
    return schema.untyped()


def _of_values(given: Json) -> str | None:
    """The type of what a schema lists, where that is text alone."""
    values = given.get("enum", [given["const"]] if "const" in given else [])
    if isinstance(values, list) and values and all(isinstance(each, str) for each in values):
        return "string"
    return None
