"""What can be told of rules without knowing any server: names, types and what never matches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from difflib import get_close_matches
from typing import Final

from bawn.config.server import SERVER_ID
from bawn.model import Json, Label
from bawn.policy import actions
from bawn.policy.cedar.uids import Uid
from bawn.policy.files import expressions, schema, validation
from bawn.policy.rules import Rule

_TOGETHER: Final = 32
_OF_ENTITIES: Final = frozenset({".", "has", "in", "hasTag", "getTag"})
_OF_SETS: Final = frozenset({"contains", "containsAny", "containsAll"})
_ITEMS_LABELS: Final[Json] = {".": {"left": {"Var": "resource"}, "attr": "labels"}}
_TYPES: Final = (*schema.CALLERS, *schema.OTHERS, *schema.ITEMS, "Action")


def problems(rules: Sequence[Rule]) -> list[str]:
    """Everything that is wrong with these rules, whichever servers there are, each with its place."""
    found: list[str] = []
    sound: list[Rule] = []
    for rule in rules:
        wrong = list(dict.fromkeys(_own(rule.ast)))
        found += (f"{rule.place}: {problem}" for problem in wrong)
        if not wrong:
            sound.append(rule)
    for start in range(0, len(sound), _TOGETHER):
        found += _types(sound[start : start + _TOGETHER])
    return found


def _types(rules: Sequence[Rule]) -> Iterator[str]:
    """What Cedar's validator says of rules, arguments aside; it tries every rule with every action."""
    texts = [validation.without_arguments(rule) for rule in rules]
    calls = {schema.ANY_TOOL: schema.NOTHING, **dict.fromkeys(called(rules), schema.NOTHING)}
    for number, problem in validation.problems(texts, schema.of(calls)):
        yield f"{rules[number].place}: {problem}"


def called(rules: Iterable[Rule]) -> list[str]:
    """The actions of single tools that rules name, in order."""
    named = {one.id for rule in rules for one in expressions.literals(rule.ast) if _is_call(one)}
    return sorted(named)


def _own(ast: Json) -> Iterator[str]:
    for named in expressions.literals(ast):
        yield from _named(named)
    scope = ast["action"]
    if scope["op"] == "==":
        yield from _group_alone(Uid("Action", scope["entity"]["id"]))
    for node in expressions.everything(ast):
        yield from _compared(node)
        yield from _of_literal(node)
        yield from _labels(node)


def _named(one: Uid) -> Iterator[str]:
    match one.type:
        case "Action":
            yield from _action(one.id)
        case "Server" if not SERVER_ID.fullmatch(one.id):
            yield f'{_shown(one)}: expected the id of a server, such as Server::"files"'
        case type_ if type_ in schema.ITEMS and not _is_item(one.id):
            yield f'{_shown(one)}: expected SERVER/NAME, such as {type_}::"files/read"'
        case type_ if type_ not in _TYPES:
            yield f"{_shown(one)}: unknown type{_close(type_, _TYPES)}; expected one of {', '.join(_TYPES)}"


def _action(id_: str) -> Iterator[str]:
    if id_.startswith("call "):
        if not _is_item(id_.removeprefix("call ")):
            yield f'Action::"{id_}": expected Action::"call SERVER/TOOL", such as "call files/read"'
    elif id_ not in schema.ACTIONS:
        known = ", ".join(f'"{each}"' for each in schema.ACTIONS)
        yield (
            f'Action::"{id_}": unknown{_close(id_, schema.ACTIONS)}; expected one of {known} or '
            '"call SERVER/TOOL" (lists follow from what may be used)'
        )


def _compared(node: Json) -> Iterator[str]:
    name, body = expressions.operator(node)
    if name in {"==", "!="} and {"Var": "action"} in (body["left"], body["right"]):
        for each in (body["left"], body["right"]):
            if (named := expressions.literal(each)) is not None:
                yield from _group_alone(named)


def _group_alone(one: Uid) -> Iterator[str]:
    if one.type == "Action" and one.id in {actions.USE, actions.CALL}:
        yield (
            f'never matches: Action::"{one.id}" is a group of actions; write '
            f'`action in Action::"{one.id}"`'
        )


def _of_literal(node: Json) -> Iterator[str]:
    """Entities are given to Cedar for the caller, the item and what they are in alone."""
    name, body = expressions.operator(node)
    if name not in _OF_ENTITIES:
        return
    for each in _results(body["left"]):
        if (named := expressions.literal(each)) is not None and named.type != "Action":
            yield (
                f"{_shown(named)}: nothing is known of an entity that is only named; ask what "
                "`principal` or `resource` is, has or is in"
            )


def _results(node: Json) -> Iterator[Json]:
    match node:
        case {"if-then-else": {"then": yes, "else": no}}:
            yield from _results(yes)
            yield from _results(no)
        case _:
            yield node


def _labels(node: Json) -> Iterator[str]:
    name, body = expressions.operator(node)
    if name not in _OF_SETS or body["left"] != _ITEMS_LABELS:
        return
    for each in (body["right"], *expressions.operands(body["right"])):
        text = each.get("Value")
        if isinstance(text, str) and text not in tuple(Label):
            hint = _close(text, list(Label))
            yield f'"{text}": unknown label{hint}; expected one of {", ".join(Label)}'


def _is_call(one: Uid) -> bool:
    return one.type == "Action" and one.id.startswith("call ")


def _is_item(id_: str) -> bool:
    server, slash, name = id_.partition("/")
    return bool(slash and name) and SERVER_ID.fullmatch(server) is not None


def _close(text: str, known: Sequence[str]) -> str:
    close = get_close_matches(text, known, 1)
    return f" (did you mean {close[0]}?)" if close else ""


def _shown(one: Uid) -> str:
    return f'{one.type}::"{one.id}"'
