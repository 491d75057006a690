"""Rules checked against what the servers offer: names, types, and rules that can do nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import Final

from bawn.config.policy import Approver
from bawn.findings.finding import Finding, Level
from bawn.model import Item, Json, Kind, View
from bawn.policy.cedar.conditions import terms
from bawn.policy.cedar.uids import Uid
from bawn.policy.files import expressions
from bawn.policy.rules import Rule, RuleSet
from bawn.review.checking import arguments, overlap, reach

_LISTED: Final = {"Tool": Kind.TOOL, "Prompt": Kind.PROMPT, "Template": Kind.TEMPLATE}


def check(
    ruleset: RuleSet,
    view: View | None,
    roles: Collection[str],
    approvers: Sequence[Approver] = (),
) -> list[Finding]:
    """Everything that is worth knowing of these rules, in the order of their places.

    `roles` are those that somebody is known to have or to be given. Without a View the names and
    arguments of tools are not checked, and a note says so.
    """
    rules = ruleset.rules
    known = {*roles, *_declared(ruleset), *(role for each in approvers for role in each.roles)}
    found = [*overlap.findings(rules), *_of_rules(rules, known, approvers)]
    if view is None:
        found.append(
            Finding(
                "note",
                "policy/unchecked",
                "",
                "",
                0,
                "no gate runs on this configuration, so the names and arguments of tools were not checked",
                "Start it with `bawn up`, and check again.",
            )
        )
    else:
        found += _of_view(ruleset, view)
    return sorted(
        dict.fromkeys(found), key=lambda each: (each.file, each.line, each.level, each.message)
    )


def _declared(ruleset: RuleSet) -> Iterator[str]:
    for entity in ruleset.entities:
        if entity["uid"]["type"] == "Role":
            yield entity["uid"]["id"]


def _of_rules(
    rules: Iterable[Rule], roles: Collection[str], approvers: Sequence[Approver]
) -> Iterator[Finding]:
    for rule in rules:
        if rule.shadow:
            yield _told("note", "shadow", rule, "in shadow: it is told of, and counts for nothing")
        if _is_constant(rule.ast):
            yield _told(
                "warning",
                "unreachable",
                rule,
                "never matches: a condition is false whatever is asked",
                "Remove the rule, or correct the condition.",
            )
        for role in sorted(_roles(rule.ast) - set(roles)):
            yield _told(
                "note",
                "role",
                rule,
                f'nobody is known to have the role "{role}"{_close(role, roles)}',
                "That is fine where tokens bring it; else correct it.",
            )
        yield from _asks(rule, roles, approvers)


def _is_constant(ast: Json) -> bool:
    """Whether a condition keeps the rule from ever being satisfied."""
    return any(
        expressions.constant(each["body"]) is (each["kind"] == "unless") for each in terms(ast)
    )


def _roles(ast: Json) -> set[str]:
    """The roles that a rule asks for, as entities or among the caller's."""
    found = {one.id for one in expressions.literals(ast) if one.type == "Role"}
    own = {".": {"left": {"Var": "principal"}, "attr": "roles"}}
    for node in expressions.everything(ast):
        name, body = expressions.operator(node)
        if name in {"contains", "containsAny", "containsAll"} and body["left"] == own:
            listed = [body["right"], *expressions.operands(body["right"])]
            found |= {text for each in listed if isinstance(text := each.get("Value"), str)}
    return found


def _asks(rule: Rule, roles: Collection[str], approvers: Sequence[Approver]) -> Iterator[Finding]:
    consent = rule.consent
    if consent is None or not consent.roles:
        return
    named = ", ".join(sorted(consent.roles))
    if consent.roles.isdisjoint(roles) and not consent.confirm:
        yield _told(
            "warning" if approvers else "note",
            "ask",
            rule,
            f"asks {named}, and nobody is known who could consent",
            "Name them under `approvals.approvers`, or ask a role that somebody has.",
        )
        return
    able = [each for each in approvers if consent.roles.intersection(each.roles)]
    if able and consent.count > len(able) + consent.confirm:
        yield _told(
            "note",
            "ask",
            rule,
            f"asks for {consent.count} of {named}, and `approvals.approvers` has {len(able)}",
            "That is fine where others have the role by their tokens; else name more of them.",
        )


def _of_view(ruleset: RuleSet, view: View) -> Iterator[Finding]:
    offered = reach.offered(view)
    nameable = reach.nameable(ruleset.rules, view)
    sound: list[tuple[Rule, list[Item]]] = []
    for rule in ruleset.rules:
        unknown = list(_unknown(rule, offered, reach.servers(view)))
        yield from unknown
        about = reach.about(rule, [*offered, *nameable])
        if not about and not unknown:
            yield _told(
                "warning",
                "unreachable",
                rule,
                "never matches: no server offers anything that it could be about",
                "Correct the names, or remove the rule.",
            )
        if not unknown:
            sound.append((rule, about))
    yield from arguments.findings(sound)
    for server, pattern in ruleset.labels:
        yield from _label(server, pattern, offered, reach.servers(view))


def _unknown(rule: Rule, offered: Iterable[Item], servers: Collection[str]) -> Iterator[Finding]:
    """The servers and items that a rule names and nobody offers."""
    known: dict[tuple[Kind, str], list[str]] = {}
    for item in offered:
        known.setdefault((item.kind, item.server), []).append(item.name)
    for one in dict.fromkeys(_pointed(rule.ast)):
        server, _, name = one.id.partition("/")
        names = known.get((_LISTED[one.type], server), []) if one.type in _LISTED else [name]
        if server not in servers:
            what, hint = f'no server "{server}" is known', _close(server, servers)
        elif name not in names:
            what, hint = f'{server} offers no {one.type.lower()} "{name}"', _close(name, names)
        else:
            continue
        fix = "Correct the name; if the server is only away now, check again."
        yield _told("warning", "unknown", rule, what + hint, fix)


def _pointed(ast: Json) -> Iterator[Uid]:
    for one in expressions.literals(ast):
        if one.type == "Action" and one.id.startswith("call "):
            yield Uid("Tool", one.id.removeprefix("call "))
        elif one.type in {*_LISTED, "Resource", "Method", "Server"}:
            yield one


def _label(
    server: str, pattern: str, offered: Iterable[Item], servers: Collection[str]
) -> Iterator[Finding]:
    if server not in servers:
        what = f'no server "{server}" is known{_close(server, servers)}'
    elif not any(each.server == server and fnmatchcase(each.name, pattern) for each in offered):
        what = f'{server} offers nothing that "{pattern}" matches'
    else:
        return
    yield Finding("warning", "policy/unknown", "", "labels.yaml", 0, what, "Correct the name.")


def _told(level: Level, kind: str, rule: Rule, message: str, fix: str = "") -> Finding:
    return Finding(level, f"policy/{kind}", rule.id, rule.file, rule.line, message, fix)


def _close(text: str, known: Iterable[str]) -> str:
    close = get_close_matches(text, list(known), 1)
    return f" (did you mean {close[0]}?)" if close else ""
