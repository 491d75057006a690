"""Arguments held against the approved `inputSchema` of their tool.

JSON Schema 2020-12 unless `$schema` names another draft (server/tools, 2026-07-28). Nothing is fetched,
patterns run on a linear engine, and `format` is an annotation, as 2020-12 has it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Self

import jsonschema_rs
from jsonschema_rs import RegexOptions, ValidationError, ValidationErrorKind

from bawn.inspection.arguments import effort
from bawn.model import Json

_PATTERNS: Final = RegexOptions(size_limit=1 << 20, dfa_size_limit=1 << 20)
_LONGEST: Final = 200
"""Characters of a problem, and of a pointer in it."""
_DEEPEST: Final = 64
_DEFAULT: Final = jsonschema_rs.Draft202012

_DRAFTS: Final = {
    "http://json-schema.org/draft-04/schema": jsonschema_rs.Draft4,
    "http://json-schema.org/draft-06/schema": jsonschema_rs.Draft6,
    "http://json-schema.org/draft-07/schema": jsonschema_rs.Draft7,
    "https://json-schema.org/draft/2019-09/schema": jsonschema_rs.Draft201909,
    "https://json-schema.org/draft/2020-12/schema": jsonschema_rs.Draft202012,
}
_VALIDATORS: Final = {
    jsonschema_rs.Draft4: jsonschema_rs.Draft4Validator,
    jsonschema_rs.Draft6: jsonschema_rs.Draft6Validator,
    jsonschema_rs.Draft7: jsonschema_rs.Draft7Validator,
    jsonschema_rs.Draft201909: jsonschema_rs.Draft201909Validator,
    jsonschema_rs.Draft202012: jsonschema_rs.Draft202012Validator,
}


@dataclass(frozen=True, slots=True)
class Schema:
    """A compiled schema. `dropped` are patterns that need a backtracking engine, and are not asserted.

    With a `problem` the schema cannot be compiled, and nothing is held against it: what to do about
    that is for whoever asks.
    """

    validator: jsonschema_rs.Validator | None
    dropped: tuple[str, ...] = ()
    problem: str | None = None

    @classmethod
    def of(cls, schema: Any) -> Self:
        """A schema, compiled; None and absent ones accept any object."""
        if schema is None or schema is True or schema == {}:
            return cls(None)
        if not isinstance(schema, (dict, bool)):
            return cls(None, problem="the schema is not an object")
        dropped: list[str] = []
        try:
            tame = _tame(schema, dropped, 0)
            if isinstance(tame, dict):
                effort.check(tame)
            return cls(_compiled(tame), tuple(dropped))
        except ValidationError as error:
            where = _pointer(error.instance_path)
            return cls(
                None, tuple(dropped), f"the schema is not valid at {where or 'its root'}"[:_LONGEST]
            )
        except (jsonschema_rs.ReferencingError, ValueError, RecursionError) as error:
            return cls(None, tuple(dropped), f"the schema cannot be used: {error}"[:_LONGEST])

    def invalid(self, arguments: Any) -> str | None:
        """What is wrong with arguments, without any value of theirs; None when they are valid.

        Null counts as left out: clients send it for what is optional (x-mcp-header, 2026-07-28, says so of
        headers), and servers take it so.
        """
        validator = self.validator
        if validator is None or validator.is_valid(arguments):
            return None
        if isinstance(arguments, dict) and None in arguments.values():
            given = {name: value for name, value in arguments.items() if value is not None}
            if validator.is_valid(given):
                return None
        try:
            validator.validate(arguments)  # stops at the first
        except ValidationError as error:
            return _told(error)
        return "the arguments are not valid"


def _compiled(schema: Any) -> jsonschema_rs.Validator:
    named = schema.get("$schema") if isinstance(schema, dict) else None
    draft = _DRAFTS.get(str(named).rstrip("#"), _DEFAULT) if named is not None else _DEFAULT
    if isinstance(schema, dict):
        schema = {key: value for key, value in schema.items() if key != "$schema"}
    return _VALIDATORS[draft](
        schema, validate_formats=False, offline=True, pattern_options=_PATTERNS
    )


def _tame(schema: Any, dropped: list[str], depth: int) -> Any:
    """The schema without patterns that the linear engine does not have."""
    if depth > _DEEPEST:
        raise ValueError(f"it is nested deeper than {_DEEPEST}")
    if isinstance(schema, list):
        return [_tame(each, dropped, depth + 1) for each in schema]
    if not isinstance(schema, dict):
        return schema
    return dict(_members(schema, dropped, depth))


def _members(schema: Json, dropped: list[str], depth: int) -> Iterator[tuple[str, Any]]:
    for key, value in schema.items():
        if key == "pattern" and isinstance(value, str) and not _linear(value):
            dropped.append(value[:_LONGEST])
        elif key == "patternProperties" and isinstance(value, dict):
            kept = {name: each for name, each in value.items() if _linear(name)}
            dropped += [name[:_LONGEST] for name in value if name not in kept]
            yield key, _tame(kept, dropped, depth + 1)
            if len(kept) < len(value):
                # what these would have covered must not fall to additionalProperties
                yield "additionalProperties", True
        elif key == "additionalProperties" and _is_open(schema):
            continue
        elif key in ("const", "enum", "default", "examples"):
            yield key, value
        else:
            yield key, _tame(value, dropped, depth + 1)


def _is_open(schema: Json) -> bool:
    named = schema.get("patternProperties")
    return isinstance(named, dict) and not all(_linear(name) for name in named)


def _linear(pattern: str) -> bool:
    try:
        jsonschema_rs.Draft202012Validator(
            {"pattern": pattern}, offline=True, pattern_options=_PATTERNS
        )
    except (ValidationError, ValueError):
        return False
    return True


def _told(error: ValidationError) -> str:
    where = _pointer(error.instance_path)
    return f"{where or 'the arguments'}: expected {_expected(error.kind)}"[:_LONGEST]


def _pointer(path: list[str | int]) -> str:
    """RFC 6901, bounded: keys may be a caller's own."""
    text = "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)
    return text if len(text) <= _LONGEST // 2 else text[: _LONGEST // 2] + "…"


_PLAIN: Final = {
    "additionalProperties": "no properties that the schema does not name",
    "anyOf": "one of the forms that the schema allows",
    "oneOf": "exactly one of the forms that the schema allows",
    "not": "what the schema does not rule out",
    "uniqueItems": "each item once",
    "contains": "an item that the schema asks for",
    "falseSchema": "nothing here",
    "unevaluatedProperties": "no properties that the schema does not name",
    "unevaluatedItems": "no further items",
    "propertyNames": "property names as the schema wants them",
    "const": "the one value that the schema allows",
}


def _expected(kind: ValidationErrorKind) -> str:
    """What the schema wants, in words of the schema alone."""
    match kind:
        case ValidationErrorKind.Required(property=name):
            return f"property {str(name)[:64]!r}"
        case ValidationErrorKind.Type(types=types):
            return "type " + " or ".join(str(each) for each in types)
        case ValidationErrorKind.Enum(options=options):
            return f"one of {str(options)[:120]}"
        case ValidationErrorKind.Pattern(pattern=pattern):
            return f"a text that matches {pattern[:100]!r}"
        case _:
            limit = kind.as_dict().get("limit")
            said = _PLAIN.get(kind.name, f"what {kind.name} asks for")
            return said if limit is None else f"{kind.name} {limit}"
