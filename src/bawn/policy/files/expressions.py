"""The expressions of a rule, walked: each is an object of one key, its operator, in Cedar's JSON form.

Source: docs.cedarpolicy.com, "JSON policy format".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final, TypeAlias

from bawn.model import Json
from bawn.policy.cedar.uids import Uid, uid

Operator: TypeAlias = tuple[str, Any]

_OPERANDS: Final = ("left", "right", "arg", "if", "then", "else", "in")
_ARGUMENTS: Final[Json] = {".": {"left": {"Var": "context"}, "attr": "arguments"}}
_LOGICAL: Final = ("&&", "||", "!", "if-then-else")
_SOME_BOOL: Final[Json] = {
    "==": {"left": {".": {"left": {"Var": "context"}, "attr": "method"}}, "right": {"Value": ""}}
}


def conditions(ast: Json) -> Iterator[Json]:
    """The bodies of a policy's conditions."""
    for condition in ast.get("conditions", ()):
        yield condition["body"]


def walk(node: Json) -> Iterator[Json]:
    """An expression and everything within it."""
    left = [node]
    while left:
        one = left.pop()
        yield one
        left.extend(operands(one))


def everything(ast: Json) -> Iterator[Json]:
    """Every expression of a policy's conditions."""
    for body in conditions(ast):
        yield from walk(body)


def operator(node: Json) -> Operator:
    """The operator of an expression, and what it has."""
    ((name, body),) = node.items()
    return name, body


def operands(node: Json) -> list[Json]:
    """The expressions that one is directly made of."""
    name, body = operator(node)
    if name in {"Value", "Var"}:
        return []
    if isinstance(body, list):
        return body
    if name == "Record":
        return list(body.values())
    return [body[key] for key in _OPERANDS if key in body]


def literal(node: Json) -> Uid | None:
    """The entity that an expression names, if it is a literal."""
    match node:
        case {"Value": {"__entity": named}}:
            return uid(named)
    return None


def literals(ast: Json) -> Iterator[Uid]:
    """Every entity that a policy names, in its scope and its conditions."""
    for variable in ("principal", "action", "resource"):
        yield from scope_literals(ast, variable)
    for node in everything(ast):
        if (named := literal(node)) is not None:
            yield named


def scope_literals(ast: Json, variable: str) -> list[Uid]:
    """The entities that the scope names for one variable."""
    scope = ast[variable]
    named = [scope["entity"]] if "entity" in scope else [*scope.get("entities", ())]
    if isinstance(scope.get("in"), dict):
        named.append(scope["in"]["entity"])
    return [uid(each) for each in named]


def argument(node: Json) -> Any:
    """The argument whose presence or value an expression asks for directly."""
    name, body = operator(node)
    return body["attr"] if name in {".", "has"} and body["left"] == _ARGUMENTS else None


def looks_at_arguments(node: Json) -> bool:
    """Whether an expression looks at `context.arguments`."""
    return any(each == _ARGUMENTS for each in walk(node))


def without_arguments(ast: Json) -> Json:
    """The policy with some boolean wherever a term looks at arguments, to be checked without them."""
    kept = [{**each, "body": _blank(each["body"])} for each in ast.get("conditions", ())]
    return {**ast, "conditions": kept}


def _blank(node: Json) -> Json:
    if not looks_at_arguments(node):
        return node
    name, body = operator(node)
    if name not in _LOGICAL:
        return _SOME_BOOL
    return {name: {key: _blank(each) for key, each in body.items()}}


def constant(node: Json) -> bool | None:
    """Whether an expression is true or false whatever is asked; None when that is not plain to see."""
    name, body = operator(node)
    match name:
        case "Value":
            return body if isinstance(body, bool) else None
        case "!":
            inner = constant(body["arg"])
            return None if inner is None else not inner
        case "&&":
            return _chain(body, all, stop=False)
        case "||":
            return _chain(body, any, stop=True)
    return None


def _chain(body: Json, join: Callable[[list[bool]], bool], *, stop: bool) -> bool | None:
    sides = [constant(body["left"]), constant(body["right"])]
    if stop in sides:
        return stop
    return None if None in sides else join([side for side in sides if side is not None])
