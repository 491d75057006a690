"""What a policy directory declares beside its rules: who belongs where, and what tools do."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from graphlib import CycleError, TopologicalSorter
from typing import Any, Final

from bawn.config import document
from bawn.config.document import Document, Path, dotted, kind_of
from bawn.config.server import SERVER_ID
from bawn.errors import Misconfigured
from bawn.model import Json, Label
from bawn.policy.cedar.uids import Uid
from bawn.policy.files.source import ENTITIES, LABELS
from bawn.policy.rules import ToolLabels

_PARENTS: Final = {
    "User": ("Group", "Role"),
    "Agent": ("Group", "Role"),
    "Group": ("Group", "Role"),
    "Role": ("Group", "Role"),
}
_MAX_ENTITIES: Final = 10_000
_COST: Final = 1_000_000
_HINTS: Final = {
    "readOnly": "read_only",
    "destructive": "destructive",
    "idempotent": "idempotent",
    "openWorld": "open_world",
}
_KEYS: Final = ("labels", "cost", *_HINTS)
_EXAMPLE: Final = '{"uid": {"type": "User", "id": "ann"}, "attrs": {}, "parents": []}'


def entities(text: str) -> tuple[Json, ...]:
    """Users, agents, groups and roles with what they are in, from the text of entities.json.

    Raises:
        Misconfigured: every problem, by the number of its entry.
    """
    try:
        found = json.loads(text, object_pairs_hook=_once)
    except Misconfigured:
        raise
    except RecursionError:
        raise Misconfigured(f"{ENTITIES}: nested too deeply; expected a list of entities") from None
    except ValueError as problem:
        line = getattr(problem, "lineno", 1)
        what = getattr(problem, "msg", problem)
        raise Misconfigured(f"{ENTITIES}:{line}: not valid JSON: {what}") from None
    if not isinstance(found, list) or len(found) > _MAX_ENTITIES:
        raise Misconfigured(
            f"{ENTITIES}: expected a list of at most {_MAX_ENTITIES} entities, such as [{_EXAMPLE}]"
        )
    problems: list[str] = []
    parents: dict[Uid, tuple[Uid, ...]] = {}
    for number, entry in enumerate(found, 1):
        try:
            own, above = _entity(entry)
        except ValueError as problem:
            problems.append(f"{ENTITIES}: entry {number}: {problem}")
            continue
        if own in parents:
            problems.append(f"{ENTITIES}: entry {number}: {_shown(own)} stands here a second time")
        parents[own] = above
    problems += _cycles(parents)
    if problems:
        raise Misconfigured(*problems)
    return tuple(_written(own, above) for own, above in parents.items())


def _once(pairs: list[tuple[str, Any]]) -> Json:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise Misconfigured(f"{ENTITIES}: the key {twice!r} stands twice in one object; remove one")
    return found


def _entity(entry: Any) -> tuple[Uid, tuple[Uid, ...]]:
    if not isinstance(entry, dict) or not {"uid"} <= entry.keys() <= {"uid", "attrs", "parents"}:
        raise ValueError(f"expected `uid`, `attrs` and `parents` alone, as in {_EXAMPLE}")
    own = _uid(entry["uid"], tuple(_PARENTS))
    if entry.get("attrs", {}) != {}:
        raise ValueError(
            f"{_shown(own)} has attributes; expected none, for what is known of callers comes from "
            "their tokens: use groups and roles"
        )
    above = entry.get("parents", [])
    if not isinstance(above, list):
        raise ValueError(f"{_shown(own)}: expected a list of parents")
    found = tuple(_uid(each, _PARENTS[own.type]) for each in above)
    if len(set(found)) < len(found):
        raise ValueError(f"{_shown(own)} names a parent twice")
    return own, found


def _uid(given: Any, types: tuple[str, ...]) -> Uid:
    match given:
        case {"type": str(type_), "id": str(id_), **more} if not more and id_:
            if type_ in types:
                if id_.isprintable() and len(id_) <= 512:
                    return Uid(type_, id_)
                raise ValueError("an id has characters that do not print, or more than 512")
            hint = get_close_matches(type_, types, 1)
            raise ValueError(
                f"the type {type_!r} is not expected here; expected one of {', '.join(types)}"
                + (f" (did you mean {hint[0]}?)" if hint else "")
            )
    raise ValueError(f'expected a type and an id, as in {{"type": "{types[0]}", "id": "ann"}}')


def _cycles(parents: Mapping[Uid, tuple[Uid, ...]]) -> Iterator[str]:
    try:
        TopologicalSorter(parents).prepare()
    except CycleError as problem:
        ring = " in ".join(_shown(each) for each in reversed(problem.args[1]))
        yield f"{ENTITIES}: {ring}: that is a circle; remove one of these parents"


def _written(own: Uid, above: Iterable[Uid]) -> Json:
    return {
        "uid": own._asdict(),
        "attrs": {},
        "parents": [each._asdict() for each in above],
    }


def _shown(named: Uid) -> str:
    return f'{named.type}::"{named.id}"'


def labels(text: str) -> dict[tuple[str, str], ToolLabels]:
    """What labels.yaml says, by server and pattern of a tool's own name, in the order of the file.

    Raises:
        Misconfigured: every problem with its line.
    """
    found = document.read(text.encode(), LABELS)
    problems: list[tuple[Path, str]] = []
    labelled: dict[tuple[str, str], ToolLabels] = {}
    for server, entry in _sections(found.tree, (), ("servers",), problems):
        at: Path = ("servers", server)
        if not SERVER_ID.fullmatch(server):
            problems.append((at, "expected the id of a server: 1 to 32 of a-z, 0-9 and hyphen"))
        if not isinstance(entry, dict):
            problems.append((at, f"expected `tools:`, got {kind_of(entry)}"))
            continue
        for pattern, said in _sections(entry, at, ("tools",), problems):
            labelled[server, pattern] = _tool(said, (*at, "tools", pattern), problems)
    if problems:
        raise Misconfigured(*_told(found, problems))
    return labelled


def _sections(
    tree: Json, at: Path, known: tuple[str], problems: list[tuple[Path, str]]
) -> Iterator[tuple[str, Any]]:
    """The entries of the one section that a mapping may have."""
    problems += [((*at, key), _expected(key, known)) for key in tree if key not in known]
    inner = tree.get(known[0])
    if isinstance(inner, dict):
        yield from inner.items()
    elif inner is not None:
        problems.append(((*at, known[0]), f"expected a mapping, got {kind_of(inner)}"))


def _tool(said: Any, at: Path, problems: list[tuple[Path, str]]) -> ToolLabels:
    if not isinstance(said, dict):
        problems.append(
            (at, f"expected a mapping such as {{labels: [sends]}}, got {kind_of(said)}")
        )
        return ToolLabels()
    hints: dict[str, bool] = {}
    problems += [((*at, key), _expected(key, _KEYS)) for key in said if key not in _KEYS]
    for key, field in _HINTS.items():
        if key in said and not isinstance(said[key], bool):
            problems.append(((*at, key), f"expected true or false, got {kind_of(said[key])}"))
        elif key in said:
            hints[field] = said[key]
    if hints.get("read_only") and hints.get("destructive"):
        problems.append((at, "readOnly and destructive exclude each other; remove one"))
    return ToolLabels(
        _labels(said["labels"], (*at, "labels"), problems) if "labels" in said else None,
        _cost(said.get("cost", 1), (*at, "cost"), problems),
        **hints,
    )


def _labels(given: Any, at: Path, problems: list[tuple[Path, str]]) -> frozenset[Label]:
    known = tuple(Label)
    if not isinstance(given, list):
        problems.append((at, f"expected a list of {', '.join(known)}, got {kind_of(given)}"))
        return frozenset()
    problems += [
        ((*at, number), _expected(str(each), known))
        for number, each in enumerate(given)
        if each not in known
    ]
    return frozenset(label for label in Label if label in given)


def _cost(given: Any, at: Path, problems: list[tuple[Path, str]]) -> int:
    if isinstance(given, int) and not isinstance(given, bool) and 0 <= given <= _COST:
        return given
    problems.append((at, f"expected a whole number from 0 to {_COST}"))
    return 1


def _expected(key: str, known: tuple[str, ...]) -> str:
    close = get_close_matches(key, known, 1)
    hint = f" (did you mean {close[0]}?)" if close else ""
    return f"not known here{hint}; expected {'one of ' if len(known) > 1 else ''}{', '.join(known)}"


def _told(found: Document, problems: list[tuple[Path, str]]) -> list[str]:
    ordered = sorted(problems, key=lambda problem: found.line(problem[0]) or 1)
    return [f"{LABELS}:{found.line(at) or 1}: {dotted(at)}: {what}" for at, what in ordered]
