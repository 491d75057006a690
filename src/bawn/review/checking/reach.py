"""Which items a rule can be about, by its scope and those of its conditions that are plain to see."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from bawn.model import Item, Json, Kind, View
from bawn.policy import actions
from bawn.policy.cedar.conditions import terms
from bawn.policy.cedar.entities import TYPES
from bawn.policy.cedar.uids import Uid
from bawn.policy.files import expressions
from bawn.policy.rules import Rule

_ACCOMPANIED: Final[Mapping[Kind, frozenset[str]]] = {
    Kind.TOOL: frozenset({"tasks/get", "tasks/update", "tasks/cancel"}),
    Kind.PROMPT: frozenset({"completion/complete"}),
    Kind.RESOURCE: frozenset({"completion/complete", "resources/subscribe"}),
    Kind.TEMPLATE: frozenset({"completion/complete", "resources/subscribe"}),
    Kind.METHOD: frozenset(),
}
_NAMED: Final = {type_: kind for kind, type_ in TYPES.items()}


def offered(view: View) -> list[Item]:
    """Every item of every server, once."""
    found: dict[str, Item] = {}
    for endpoint in view.endpoints.values():
        for items in endpoint.items.values():
            found.update((item.key, item) for item in items.values())
    return list(found.values())


def servers(view: View) -> frozenset[str]:
    """The servers of a View, those that offer nothing as well."""
    return frozenset(name for name in view.endpoints if name is not None)


def nameable(rules: Iterable[Rule], view: View) -> list[Item]:
    """What no list has and callers can name all the same: URIs, and methods of extensions."""
    known = servers(view)
    made = {(kind, name, "") for kind in (Kind.RESOURCE, Kind.METHOD) for name in known}
    for rule in rules:
        for one in expressions.literals(rule.ast):
            kind, (server, _, name) = _NAMED.get(one.type), one.id.partition("/")
            if kind in {Kind.RESOURCE, Kind.METHOD} and server in known:
                made.add((kind, server, name))
    return [Item(kind, server, name, name, {}) for kind, server, name in sorted(made)]


def about(rule: Rule, items: Iterable[Item]) -> list[Item]:
    """Those of the items that the rule can be about."""
    asked = [each["body"] for each in terms(rule.ast) if each["kind"] == "when"]
    return [item for item in items if _in_scope(rule.ast, item) and _may(asked, item)]


def _in_scope(ast: Json, item: Item) -> bool:
    return _holds(ast["action"], _actions(item)) and _holds(ast["resource"], [_above(item)])


def _holds(scope: Json, each: Iterable[tuple[Uid, frozenset[Uid]]]) -> bool:
    """Whether the scope lets one of these through: entities, each with all that it is in."""
    named = {Uid(one["type"], one["id"]) for one in _entities(scope)}
    if any(one.type == "Tenant" for one in named):  # whose a server is does not stand in a View
        return True
    match scope["op"]:
        case "==":
            return any(own in named for own, _ in each)
        case "in":
            return any(named & above for _, above in each)
        case "is":
            return any(
                own.type == scope["entity_type"] and (not named or bool(named & above))
                for own, above in each
            )
    return True


def _entities(scope: Json) -> Iterator[Json]:
    if "entity" in scope:
        yield scope["entity"]
    yield from scope.get("entities", ())
    if "in" in scope:
        yield scope["in"]["entity"]


def _actions(item: Item) -> list[tuple[Uid, frozenset[Uid]]]:
    found = []
    for id_ in (actions.main(item), *sorted(_ACCOMPANIED[item.kind])):
        groups = {id_, actions.USE, *actions.groups(id_)}
        found.append((Uid("Action", id_), frozenset(Uid("Action", name) for name in groups)))
    return found


def _above(item: Item) -> tuple[Uid, frozenset[Uid]]:
    own = Uid(TYPES[item.kind], f"{item.server}/{item.name}")
    return own, frozenset({own, Uid("Server", item.server)})


def _may(asked: Iterable[Json], item: Item) -> bool:
    return all(_term(body, item) for body in asked)


def _term(body: Json, item: Item) -> bool:
    """Whether a term can hold of the item: False only where that is plain to see."""
    name, of = expressions.operator(body)
    match name, of:
        case "||", _:
            return _term(of["left"], item) or _term(of["right"], item)
        case "&&", _:
            return _term(of["left"], item) and _term(of["right"], item)
        case "==", {
            "left": {".": {"left": {"Var": "resource"}, "attr": attr}},
            "right": {"Value": value},
        }:
            return bool(value == {"server": item.server, "name": item.name}.get(attr, value))
        case "==" | "in", {"left": {"Var": "action" | "resource" as variable}, "right": right}:
            return _named(name, _literals(right), variable, item)
        case "is", {"left": {"Var": "resource"}, "entity_type": type_}:
            literal = _literals(of["in"]) if "in" in of else []
            return type_ == TYPES[item.kind] and (
                literal is None or not literal or _named("in", literal, "resource", item)
            )
    return True


def _literals(node: Json) -> list[Uid] | None:
    """The entities that an expression lists; None when it has others as well."""
    listed: Any = node.get("Set", [node])
    found = [expressions.literal(each) for each in listed]
    return None if None in found else [each for each in found if each is not None]


def _named(operator: str, named: list[Uid] | None, variable: str, item: Item) -> bool:
    if named is None or any(one.type == "Tenant" for one in named):
        return True
    each = _actions(item) if variable == "action" else [_above(item)]
    if operator == "==":
        return any(own in named for own, _ in each)
    return any(above.intersection(named) for _, above in each)
