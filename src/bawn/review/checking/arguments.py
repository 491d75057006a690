"""What rules ask of arguments, held against the schemas that tools give of theirs."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any, Final

from bawn.findings.finding import Finding
from bawn.model import Item, Json, Kind
from bawn.policy import actions
from bawn.policy.cedar.entities import TYPES
from bawn.policy.files import expressions, schema, statics, validation
from bawn.policy.rules import Rule
from bawn.review.checking import schema as schemas

_TAKING: Final = {Kind.TOOL, Kind.PROMPT}


def findings(rules: Sequence[tuple[Rule, list[Item]]]) -> Iterator[Finding]:
    """Type errors and unknown arguments of rules, each with the items that it can be about."""
    groups: dict[str, tuple[Json, list[Rule]]] = {}
    for rule, items in rules:
        if not items or not any(
            map(expressions.looks_at_arguments, expressions.conditions(rule.ast))
        ):
            continue  # was checked when it was read, whatever the servers
        named = set(statics.called([rule]))
        calls, prompts = _types(items, named)
        if any(item.kind in _TAKING for item in items):
            yield from _lacking(rule, [*calls.values(), prompts])
        kinds = {TYPES[item.kind] for item in items}
        types = schema.of(calls, prompts, kinds, named - calls.keys())
        groups.setdefault(json.dumps(types, sort_keys=True), (types, []))[1].append(rule)
    for types, group in groups.values():
        for number, problem in validation.problems([rule.text for rule in group], types):
            yield _finding(group[number], problem)


def _types(items: Iterable[Item], named: Collection[str]) -> tuple[dict[str, Json], Json]:
    """The types of arguments by action, and those of prompts.

    Of tools with the same types one stands for all, besides those that are named.
    """
    calls: dict[str, Json] = {}
    seen: set[str] = set()
    prompts: list[Json] = []
    for item in items:
        if item.kind is Kind.PROMPT:
            prompts.append(schemas.of_prompt(item.definition))
        elif item.kind is Kind.TOOL:
            types = schemas.of_tool(item.definition)
            action, said = actions.main(item), json.dumps(types, sort_keys=True)
            if action in named or said not in seen:
                calls[action] = types
                seen.add(said)
    return calls, schemas.together(prompts)


def _lacking(rule: Rule, types: Iterable[Json]) -> Iterator[Finding]:
    """Arguments that nothing the rule is about has: to ask whether they are there is always false."""
    known = list(types)
    for path in sorted(set(_paths(rule.ast))):
        if all(schemas.field(each, path) is None for each in known):
            yield Finding(
                "warning",
                "policy/argument",
                rule.id,
                rule.file,
                rule.line,
                f"nothing that it is about declares the argument `{'.'.join(path)}`",
                "Correct the name; a condition that asks whether it is there is false otherwise.",
            )


def _paths(ast: Json) -> Iterator[tuple[str, ...]]:
    """The arguments that a rule asks for, whether they are there or what they are."""
    for node in expressions.everything(ast):
        name, _ = expressions.operator(node)
        if name == "has" and (path := _path(node)):
            yield path


def _path(node: Json) -> tuple[str, ...] | None:
    """Where an expression leads to below `context.arguments`; None when elsewhere."""
    steps: list[str] = []
    body: Any = node
    while True:
        name, of = expressions.operator(body)
        if name not in {".", "has"}:
            return None
        if of["left"] == {"Var": "context"}:
            return tuple(reversed(steps)) if of["attr"] == "arguments" else None
        steps.append(of["attr"])
        body = of["left"]


def _finding(rule: Rule, problem: str) -> Finding:
    unsure = schema.UNTYPED in problem
    return Finding(
        "warning" if unsure else "error",
        "policy/type",
        rule.id,
        rule.file,
        rule.line,
        problem,
        "The tool's schema allows several types there, and a call with another one is refused."
        if unsure
        else "A call for which the rule cannot be evaluated is refused: ask with `has` first, name "
        "the tools that it is for, or correct the type.",
    )
