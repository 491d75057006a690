"""The definitions of one server: whether they are well formed, and what stands out in their words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from bawn.assurance.across.offer import shown
from bawn.assurance.scanning.target import Target
from bawn.drift.cues import LARGEST, NOBODY, Cue, introduced
from bawn.drift.detected import detected
from bawn.drift.said import said
from bawn.findings.finding import Finding, Level
from bawn.model import Json
from bawn.pins.canonical import Uncanonical, canonical
from bawn.pins.listed import name_of
from bawn.pins.record import Aspect

READ: Final = 32_768
"""Characters of a canonical form from which on nobody reads a definition to its end."""

MOST: Final = 500
"""Findings on the definitions of one server that are told."""

_NODES: Final = 100_000
_QUOTED: Final = 3  # cues that are quoted of one kind
_NAME: Final = re.compile(r"[A-Za-z0-9_.-]{1,128}")  # server/tools, "Tool Names" (2026-07-28)
_REFERS: Final = ("$ref", "$dynamicRef", "$recursiveRef")
_SCHEMAS: Final = ("inputSchema", "outputSchema")
_READ_THEM: Final = "Read them before you approve it."
_REFUSE: Final = "Do not approve it unless you can explain what was found; docs/rules.md tells what the rule is for."

_GOALS: Final = ("url", "secret")

_SAYS: Final[Mapping[str, tuple[Level, str]]] = {
    "hidden": ("error", "has characters that no reader sees"),
    "hijack": ("error", "tells the model what to do, and to keep it from the user"),
    "lure": ("warning", "tells the model what to do about an address or a credential"),
    "instruction": ("note", "tells the model what to do"),
    "concealment": ("note", "hides something, or would have it hidden"),
    "url": ("note", "names addresses"),
    "secret": ("note", "speaks of credentials"),
}


def definitions(target: Target) -> Iterator[Finding]:
    """Everything about the definitions of a server; of no more than MOST of them by name."""
    told = 0
    for found in _all(target):
        told += 1
        if told <= MOST:
            yield found
    if told > MOST:
        message = f"{told - MOST} more findings on the definitions of `{target.name}`"
        yield target.finding("note", "definition/more", message, "Mend the first, and look again.")


def _all(target: Target) -> Iterator[Finding]:
    for aspect, several in (target.definitions or {}).items():
        names: set[str] = set()
        for definition in several:
            name = name_of(aspect, definition)
            if name is None:
                yield target.finding(
                    "error", "definition/unnamed", f"a {aspect} has no name",
                    "No client can use it: have its makers mend the server.",
                )  # fmt: skip
                continue
            if name in names:
                yield _duplicate(target, aspect, name)
            names.add(name)
            yield from _form(target, aspect, name, definition)
            yield from _words(target, aspect, name, definition)
            yield from _detected(target, aspect, name, definition)


def _form(target: Target, aspect: Aspect, name: str, definition: Json) -> Iterator[Finding]:
    label = _label(aspect, name)
    try:
        size = len(canonical(aspect, definition))
    except Uncanonical as error:
        yield target.finding(
            "error", "definition/unusable", f"{label} can never be approved: {error}",
            "Reject it.", name,
        )  # fmt: skip
        size = 0
    if size > READ:
        yield target.finding(
            "warning", "definition/large", f"{label} has {size} bytes: more than anybody reads",
            _READ_THEM, name,
        )  # fmt: skip
    if aspect in {"tool", "prompt"} and not _NAME.fullmatch(name):
        yield target.finding(
            "note", "definition/name", f"{label} has a name that some clients do not take",
            "Names are up to 128 of A-Z, a-z, 0-9, `_`, `-` and `.`.", name,
        )  # fmt: skip
    if aspect == "tool":
        yield from _schemas(target, name, definition)


def _schemas(target: Target, name: str, definition: Json) -> Iterator[Finding]:
    schema = definition.get("inputSchema")
    if not isinstance(schema, dict) or schema.get("type") != "object":
        yield target.finding(
            "warning", "definition/schema",
            f"{_label('tool', name)} has no `inputSchema` of type object",
            "What it takes cannot be checked: have its makers mend it.", name,
        )  # fmt: skip
    remote = {each for key in _SCHEMAS for each in _references(definition.get(key))}
    if remote:
        told = ", ".join(f"`{shown(each)}`" for each in sorted(remote)[:_QUOTED])
        yield target.finding(
            "warning", "definition/remote-ref",
            f"the schema of {_label('tool', name)} refers to {told}, which is elsewhere",
            "Nothing is fetched from there; have its makers write the schema out.", name,
        )  # fmt: skip


def _references(schema: Any) -> Iterator[str]:
    """References that lead out of a schema; of a huge one the first parts are looked at."""
    waiting = [schema]
    for _ in range(_NODES):
        if not waiting:
            return
        node = waiting.pop()
        if isinstance(node, dict):
            for key in _REFERS:
                to = node.get(key)
                if isinstance(to, str) and not to.startswith("#"):
                    yield to
            waiting += node.values()
        elif isinstance(node, list):
            waiting += node


def _detected(target: Target, aspect: Aspect, name: str, definition: Json) -> Iterator[Finding]:
    """What detectors find, as the gate does when it first sees a definition."""
    for path, cue in list(detected(None, definition, aspect, NOBODY))[:_QUOTED]:
        message = f"{_label(aspect, name)} has at `{shown(path)}` {shown(cue.found)}"
        yield target.finding("error", "definition/detected", message, _REFUSE, name)


def _words(target: Target, aspect: Aspect, name: str, definition: Json) -> Iterator[Finding]:
    found: dict[str, dict[str, None]] = {}
    left = LARGEST
    for key, value in definition.items():
        texts = list(said(value, key))
        if left > 0:
            for cue in introduced((), texts):
                found.setdefault(_kind(cue), {})[cue.found] = None
        left -= sum(len(each.text) for each in texts)
    if {"instruction", "concealment"} <= found.keys():
        found["hijack"] = {**found.pop("instruction"), **found.pop("concealment")}
    elif "instruction" in found and not found.keys().isdisjoint(_GOALS):
        found["lure"] = found.pop("instruction")
    for kind, quotes in found.items():
        level, says = _SAYS[kind]
        quoted = ", ".join(f"`{shown(each)}`" for each in list(quotes)[:_QUOTED])
        more = f" and {len(quotes) - _QUOTED} more" if len(quotes) > _QUOTED else ""
        yield target.finding(
            level, f"definition/{kind}", f"{_label(aspect, name)} {says}: {quoted}{more}",
            _READ_THEM if level != "note" else "", name,
        )  # fmt: skip


def _kind(cue: Cue) -> str:
    hidden = cue.kind == "concealment" and cue.found.startswith("U+")
    return "hidden" if hidden else cue.kind


def _duplicate(target: Target, aspect: Aspect, name: str) -> Finding:
    return target.finding(
        "error", "definition/duplicate", f"{_label(aspect, name)} is there more than once",
        "Reject both: which of them is called is anybody's guess.", name,
    )  # fmt: skip


def _label(aspect: Aspect, name: str) -> str:
    return f"{aspect} `{shown(name)}`" if name else f"the {aspect}"
