"""Puts poison into honest definitions, at every surface that a definition has."""

from __future__ import annotations

import copy
from random import Random
from typing import Any, Final

from training.corpus import Json
from training.definitions.grammar import capital

SURFACES: Final = (
    "description", "param_description", "param_name", "default", "enum", "examples", "title",
    "annotations", "output_schema", "defs", "instructions", "meta", "prompt",
)  # fmt: skip


def graft(tool: Json, surface: str, text: str, chance: Random) -> tuple[Json, str]:
    """A copy of a tool with poison at one surface, and the whole text in which it now stands."""
    poisoned = copy.deepcopy(tool)
    if surface == "description":
        said = among(str(poisoned.get("description") or ""), text, chance)
        poisoned["description"] = said
        return poisoned, said
    if surface == "instructions":
        said = among(str(poisoned.get("description") or ""), text, chance)
        return {"text": said}, said
    if surface == "prompt":
        said = among(str(poisoned.get("description") or ""), text, chance)
        return {"name": poisoned["name"], "description": said, "arguments": []}, said
    if surface in {"title", "annotations", "meta"}:
        return _beside(poisoned, surface, text, chance), text
    return _in_schema(poisoned, surface, text, chance)


def _beside(poisoned: Json, surface: str, text: str, chance: Random) -> Json:
    if surface == "meta":
        poisoned["_meta"] = {"example.test/note": text}
    elif surface == "title" and chance.random() < 0.5:
        poisoned["title"] = text
    else:
        key = (
            "title" if surface == "title" else chance.choice(("note", "usage", "hint", "audience"))
        )
        poisoned["annotations"] = {**(poisoned.get("annotations") or {}), key: text}
    return poisoned


def _in_schema(poisoned: Json, surface: str, text: str, chance: Random) -> tuple[Json, str]:
    if surface == "output_schema":
        poisoned["outputSchema"] = _output(text, chance)
        return poisoned, text
    schema = poisoned.setdefault("inputSchema", {"type": "object"})
    if surface == "defs":
        schema["$defs"] = {"Options": {"type": "object", "description": text}}
        return poisoned, text
    properties = schema.setdefault("properties", {})
    if surface == "param_name":
        properties[text] = {"type": "string"}
        if chance.random() < 0.3:
            schema["required"] = [*schema.get("required", []), text]
        return poisoned, text
    return poisoned, _in_property(properties, surface, text, chance)


def _in_property(properties: Json, surface: str, text: str, chance: Random) -> str:
    named = sorted(key for key, value in properties.items() if isinstance(value, dict))
    key = chance.choice(named) if named and chance.random() < 0.7 else chance.choice(
        ("options", "context", "mode", "notes", "session", "format")
    )  # fmt: skip
    parameter: dict[str, Any] = properties.setdefault(key, {"type": "string"})
    if surface == "param_description":
        text = among(str(parameter.get("description") or ""), text, chance)
        parameter["description"] = text
    elif surface == "enum":
        parameter["enum"] = [*parameter.get("enum", ["auto"]), text]
    elif surface == "examples":
        parameter["examples"] = [text]
    else:
        parameter["default"] = text
    return text


def _output(text: str, chance: Random) -> Json:
    if chance.random() < 0.3:
        return {"type": "object", "description": text}
    return {"type": "object", "properties": {"result": {"type": "string", "description": text}}}


def among(honest: str, text: str, chance: Random) -> str:
    """Poison behind, before or amid what is said honestly."""
    if not honest or chance.random() < 0.05:
        return text
    turn = chance.random()
    seam = chance.choice((" ", " ", " ", "\n", "\n\n", ". ", "\n\nNote: "))
    if turn < 0.7:
        return f"{honest.rstrip()}{seam}{text}"
    if turn < 0.85:
        return f"{text} {honest}"
    parts = honest.split(". ")
    place = chance.randrange(len(parts))
    return ". ".join((*parts[:place], capital(text).rstrip("."), *parts[place:]))
