"""The rules of the detectors, from the files in which they are data."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from importlib.resources import files
from typing import Final

from bawn.detectors.rule import Rule, load
from bawn.inspection.guard.places import PLACES

_HEAD: Final = """\
# Rules

<!-- Generated from src/bawn/detectors/rules and src/bawn/inspection/guard/places.py by `make docs`. -->

What is looked for, by the id that findings, the audit and `bawn why` name. From `medium` on something is done about
a finding, as `inspection` says; `low` is recorded alone. [Inspection](inspection.md) tells how a rule is suppressed, with a
reason and for a time, and [detection](detection.md) at which rate all of it together detects.

A rule is data: each has texts that it hits and misses, which run as tests, and one that is hit stands here (with
`{a-z*8}` for eight letters, so that nothing here looks like a secret). What is read is the text in every form in which
it may be hidden, and what a pattern hits counts only if check digits, entropy and what stands around it agree. These have
no rule of their own:

| rule | severity | what it is |
|---|---|---|
| `definition/…`, `output/…` beyond those below | medium, high | what the models that ship with bawn, and checks of how a definition is built, find |
| `canary/NAME` | critical | a planted value of `inspection.canaries` |
| `judge/NAME/…` | as the judge says | what an external judge finds |
| `secret/token-refused` | high | a token that stands for a secret came from somebody else, or too late |
| `argument/schema` | low | arguments are not as the schema wants them, where `inspection.schemas` is `pass` |
| `forged/mark`, `forged/note` | medium | a server speaks in the gate's own voice: its marks, its words, its notes in `_meta` |
| `inspection/partial` | medium | a message is larger than what is looked at, or has more findings than are told |
"""

_TITLES: Final = {
    "arguments": "Arguments, by their kind",
    "definitions": "Definitions of tools, prompts and instructions",
    "hidden": "What nobody sees",
    "outputs": "What servers answer",
    "personal": "Personal data",
    "questions": "What servers ask",
    "secrets": "Secrets",
}
_AGENT: Final = """\
## Agents' configuration

Critical, in arguments: whatever would write, move, patch or link one of these places. `{a,b}` stands for each, `*` for any
part of a name, `**` for all below; every place counts wherever it lies, and case never does.
"""

_LONGEST: Final = 72  # characters of an example


def rules() -> str:
    """The whole of docs/rules.md: a table for each file of rules, and the guarded places."""
    return "\n".join([_HEAD, *(_section(name) for name in names()), _agent()])


def names() -> list[str]:
    """The files of rules, without their ending."""
    found = (each.name for each in files("bawn.detectors.rules").iterdir())
    return sorted(name.removesuffix(".toml") for name in found if name.endswith(".toml"))


def _section(name: str) -> str:
    several = load(name)
    columns = {
        "rule": [f"`{rule.id}`" for rule in several],
        "severity": [rule.severity for rule in several],
        "in": [_where(rule) for rule in several],
        "why": [rule.rationale for rule in several],
        "for example": [_example(rule) for rule in several],
    }
    where = ""
    if len(set(columns["in"])) == 1:
        where = f"In {columns.pop('in')[0]}.\n\n"
    if not any(columns["for example"]):
        del columns["for example"]
    rows = list(zip(*columns.values(), strict=True))
    return f"## {_TITLES.get(name, name.capitalize())}\n\n{where}{_table(list(columns), rows)}"


def _where(rule: Rule) -> str:
    return ", ".join(f"{surface}s" for surface in sorted(rule.surfaces))


def _example(rule: Rule) -> str:
    """The first text that is hit and can be shown on one line, a short one first; nothing where none can."""
    shown = [text for text in rule.hit if text.isascii() and text.isprintable() and "`" not in text]
    short = [text for text in shown if len(text) <= _LONGEST]
    text = next(iter(short or shown), "")
    return f"`{text if len(text) <= _LONGEST else text[: _LONGEST - 1] + '…'}`" if text else ""


def _agent() -> str:
    """The guarded places, by rule and reason."""
    places: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for place in PLACES:
        places[place.rule, place.reason].append(f"`{place.pattern}`")
    rows = [[f"`{rule}`", why, ", ".join(several)] for (rule, why), several in places.items()]
    return f"{_AGENT}\n{_table(['rule', 'why', 'places'], rows)}"


def _table(heading: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return "".join(_lines(heading, rows))


def _lines(heading: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    for line in (heading, ["---"] * len(heading), *rows):
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n"
