"""Rules checked against a schema by Cedar's own validator, and what it says in words for people."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import cedarpy

from bawn.model import Json
from bawn.policy.files import expressions
from bawn.policy.rules import Rule

_SAID: Final = re.compile(r"(for policy `policy\d+`, )?(.*)", re.DOTALL)
_NOWHERE: Final = "unable to find an applicable action given the policy scope constraints"
_NEVER: Final = (
    "never matches: no action goes with this principal and this resource; expected callers of the "
    "types User and Agent, and a resource of the type that the action is for"
)
_OF_TYPE: Final = re.compile(r"attribute `(.*)` on entity type `(\w+)` not found(.*)", re.DOTALL)
_OF_ACTION: Final = re.compile(r'(.* in context) for (Action::".*") not found(.*)', re.DOTALL)
_SHOWN: Final = 3


def problems(texts: Sequence[str], types: Json) -> list[tuple[int, str]]:
    """What is wrong with policies by this schema: the number of each, and the problem."""
    result = cedarpy.validate_policies("\n".join(texts), types)
    found: dict[int, set[str]] = {}
    for error in result.errors:
        number = error.policy_id.removeprefix("policy")
        if not number.isdigit():
            raise ValueError(f"Cedar cannot check the policies: {error.error}")
        said = _SAID.fullmatch(error.error)
        found.setdefault(int(number), set()).add(said[2] if said is not None else error.error)
    return [(number, text) for number, said in sorted(found.items()) for text in _told(said)]


def without_arguments(rule: Rule) -> str:
    """The text of a rule for a schema that does not know the arguments of tools."""
    if not any(map(expressions.looks_at_arguments, expressions.conditions(rule.ast))):
        return rule.text
    whole = {
        "staticPolicies": {"0": expressions.without_arguments(rule.ast)},
        "templates": {},
        "templateLinks": [],
    }
    return cedarpy.policies_from_json_str(json.dumps(whole))


def _told(said: Iterable[str]) -> Iterator[str]:
    """The problems of one policy, those that differ by type or action alone as one."""
    types: dict[str, list[str]] = {}
    contexts: dict[str, list[str]] = {}
    for text in sorted(said):
        if found := _OF_TYPE.fullmatch(text):
            types.setdefault(found[1], []).append(found[2])
        elif found := _OF_ACTION.fullmatch(text):
            contexts.setdefault(found[1], []).append(found[2])
        else:
            yield _NEVER if text == _NOWHERE else text
    for name, lacking in types.items():
        yield (
            f"`{name}` is no attribute of {' or '.join(lacking)}; correct it, or ask first, as in "
            "`resource is Tool && …`"
        )
    for what, where in contexts.items():
        more = f" and {len(where) - _SHOWN} more" if len(where) > _SHOWN else ""
        yield f"{what} not found for {', '.join(where[:_SHOWN])}{more}"
