"""A policy directory becomes a set of rules, or every problem that it has: never a part of it."""

from __future__ import annotations

from hashlib import sha256
from pathlib import PurePosixPath
from typing import TypeVar

import msgspec

from bawn.errors import Misconfigured
from bawn.model import Json, Label
from bawn.policy.files import declared, source, statements, statics
from bawn.policy.rules import Rule, RuleSet, Source, ToolLabels

T = TypeVar("T")


def ruleset(found: Source | None, within: float) -> RuleSet:
    """The rules of these files, checked; None is for no directory, where roles alone decide.

    A directory without any .cedar file gets the safe default. `within` is how long consent may be given
    where a rule does not say, in seconds.

    Raises:
        Misconfigured: every problem with its place, and what to do.
    """
    files = dict(found.files) if found is not None else {}
    texts = {name: text for name, text in files.items() if PurePosixPath(name).suffix == ".cedar"}
    if not texts:
        texts = dict(source.builtin("roles" if found is None else "safe").files)
    problems: list[str] = []
    rules = _rules(texts, within, problems)
    entities: tuple[Json, ...] = ()
    labels: dict[tuple[str, str], ToolLabels] = {}
    try:
        entities = declared.entities(files.get(source.ENTITIES, "[]"))
    except Misconfigured as problem:
        problems += problem.problems
    try:
        labels = declared.labels(files.get(source.LABELS, ""))
    except Misconfigured as problem:
        problems += problem.problems
    if problems:
        raise Misconfigured(*problems)
    return RuleSet(_version(rules, entities, labels), rules, entities, labels)


def _rules(texts: dict[str, str], within: float, problems: list[str]) -> tuple[Rule, ...]:
    rules: dict[str, Rule] = {}
    for file, text in texts.items():
        for piece in statements.split(text):
            try:
                rule = statements.rule(piece, file, source.tenant_of(file), within)
            except Misconfigured as problem:
                problems += problem.problems
                continue
            if rule.id in rules:
                problems.append(_twice(rule, rules[rule.id]))
            rules.setdefault(rule.id, rule)
    found = tuple(rules.values())
    problems += statics.problems(found)
    return found


def _twice(rule: Rule, first: Rule) -> str:
    if rule.id == rule.place:
        return f"{rule.place}: two statements begin on this line; give them an @id, or lines of their own"
    return f"{rule.place}: the @id {rule.id!r} is that of {first.place} as well; expected another"


def _version(
    rules: tuple[Rule, ...], entities: tuple[Json, ...], labels: dict[tuple[str, str], ToolLabels]
) -> str:
    """A digest of all that decides; each part with its length, so that none can run into another."""
    said = [(rule.id, rule.file, rule.text, _within(rule)) for rule in rules]
    known = [(*key, *_fields(told)) for key, told in labels.items()]
    return sha256(msgspec.json.encode([said, entities, known])).hexdigest()


def _fields(told: ToolLabels) -> tuple[list[Label] | int | bool | None, ...]:
    ordered = None if told.labels is None else sorted(told.labels)  # a set has no order of its own
    hints = (told.read_only, told.destructive, told.idempotent, told.open_world)
    return ordered, told.cost, *hints


def _within(rule: Rule) -> float | None:
    return rule.consent.within if rule.consent else None
