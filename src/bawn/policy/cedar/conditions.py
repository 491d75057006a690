"""Rules in two parts: their conditions up to the first that looks further, and what follows.

Cedar evaluates scope and conditions in order and stops at the first that is false, so the first part of
a rule settles it whenever that part is false, and where it is true the second part is all that is left.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, Final

from bawn.model import Json, Label
from bawn.policy.cedar.scan import Scan
from bawn.policy.rules import Rule

_CHAINS: Final = ("&&", "||")
_LABELS: Final = frozenset(Label)
_TEXTS: Final = frozenset({"method", "agent", "endpoint"})  # parts of every context
_ANY: Final = {name: {"op": "All"} for name in ("principal", "action", "resource")}


def by_context(rule: Rule) -> tuple[Rule, Rule | None]:
    """The rule up to where it looks at the context, and what follows, if it does."""
    return _split(rule, lambda scan: scan.looks_at_context)


def despite_context(rule: Rule) -> Rule | None:
    """The rule as far as it is settled whatever the context; None when that is no more than the first part.

    A term after others that look at the context and cannot fail still settles the rule where it is
    false, as it then is whether the others hold or not. Where it is true or fails, nothing is settled.
    """
    kept: list[Json] = []
    passed = more = False
    for part in terms(rule.ast):
        if not Scan.of_expression(part["body"]).looks_at_context:
            kept.append(part)
            more = more or passed
        elif _never_fails(part["body"]):
            passed = True
        else:
            break
    return replace(rule, ast={**rule.ast, "conditions": kept}) if more else None


def before(rule: Rule, *parts: str) -> tuple[Rule, bool]:
    """The rule up to where it looks at one of these parts of the context, and whether that is less."""
    first, after = _split(rule, lambda scan: any(map(scan.looks_at, parts)))
    return first, after is not None


def whatever_the_arguments(rules: Iterable[Rule]) -> list[Rule]:
    """The rules of calls without arguments, for a use that only has to be possible.

    Permits count as far as they do not look at arguments, forbids that look at them do not count.
    """
    known = [(before(rule, "arguments"), rule.effect) for rule in rules]
    return [first for (first, cut), effect in known if not cut or effect == "permit"]


def terms(ast: Json) -> list[Json]:
    """The conditions of a policy, each as small as can be; all of them have to hold, in this order."""
    return [
        {"kind": kind, "body": body}
        for condition in ast.get("conditions", ())
        for kind, body in _terms(condition["body"], condition["kind"])
    ]


def _never_fails(body: Any) -> bool:
    """Whether an expression is a boolean in every context: what a conversation has touched, and equality."""
    match body:
        case {
            ".": {"left": {".": {"left": {"Var": "context"}, "attr": "flow"}}, "attr": str(name)}
        }:
            return name in _LABELS
        case {"!": {"arg": arg}}:
            return _never_fails(arg)
        case {"&&": {"left": left, "right": right}} | {"||": {"left": left, "right": right}}:
            return _never_fails(left) and _never_fails(right)
        case {"==": {"left": left, "right": right}} | {"!=": {"left": left, "right": right}}:
            return _is_text(left) and _is_text(right)
    return False


def _is_text(body: Any) -> bool:
    match body:
        case {"Value": str()}:
            return True
        case {".": {"left": {"Var": "context"}, "attr": str(name)}}:
            return name in _TEXTS
    return False


def _split(rule: Rule, stop: Callable[[Scan], bool]) -> tuple[Rule, Rule | None]:
    parts = terms(rule.ast)
    for n, part in enumerate(parts):
        if stop(Scan.of_expression(part["body"])):
            first = replace(rule, ast={**rule.ast, "conditions": parts[:n]})
            return first, replace(rule, ast={**rule.ast, **_ANY, "conditions": parts[n:]})
    return rule, None


def _terms(body: Any, kind: str) -> Iterator[tuple[str, Any]]:
    """The conditions that one is made of: `when` of `&&`, `unless` of `||`, either of `!`."""
    joined = {"when": "&&", "unless": "||"}.get(kind)
    if joined is not None and _is_chain(body, joined):
        for part in _chain(body, joined):
            yield from _terms(part, kind)
        return
    match body:
        case {"!": {"arg": arg}} if joined is not None and len(body) == 1:
            yield from _terms(arg, "unless" if kind == "when" else "when")
        case _:
            yield kind, body


def written(ast: Json) -> Json:
    """The policy for Cedar's parser of JSON, which takes no deep trees: long chains as shallow ones.

    `&&` and `||` may be bracketed at will: order of evaluation, result and errors stay.
    """
    return {**ast, "annotations": {}, "conditions": _shallow(ast.get("conditions", []))}


def _shallow(node: Any) -> Any:
    if isinstance(node, list):
        return [_shallow(each) for each in node]
    if not isinstance(node, dict):
        return node
    for operator in _CHAINS:
        if _is_chain(node, operator):
            return _halved(operator, [_shallow(each) for each in _chain(node, operator)])
    return {name: _shallow(value) for name, value in node.items()}


def _is_chain(node: Any, operator: str) -> bool:
    # a record may have a field of any name: its value is no pair
    if not isinstance(node, dict) or node.keys() != {operator}:
        return False
    body = node[operator]
    return isinstance(body, dict) and body.keys() == {"left", "right"}


def _chain(node: Any, operator: str) -> list[Any]:
    """The operands of a chain, from left to right."""
    found, left = [], [node]
    while left:
        one = left.pop()
        if _is_chain(one, operator):
            left += (one[operator]["right"], one[operator]["left"])
        else:
            found.append(one)
    return found


def _halved(operator: str, operands: Sequence[Json]) -> Json:
    if len(operands) == 1:
        return operands[0]
    half = len(operands) // 2
    left, right = _halved(operator, operands[:half]), _halved(operator, operands[half:])
    return {operator: {"left": left, "right": right}}
