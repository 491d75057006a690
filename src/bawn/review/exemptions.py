"""Settings of bawn.yaml by which the gate would let pass what the inspection refused: the narrowest first."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from glob import escape
from typing import Any, Final

from bawn.model import Item, Kind

_DAYS: Final = 30
"""Days for which a finding is accepted, unless its owner says otherwise."""

_LONGEST: Final = 256  # characters of a pattern
_ARGUMENTS: Final = "/arguments/"
_TYPED: Final = frozenset({Kind.TOOL, Kind.PROMPT})
_SERVERS: Final = {
    "argument/path-outside": ("roots", ["A DIRECTORY THAT HOLDS IT"]),
    "argument/host-pattern": ("hosts", ["ITS HOST"]),
    "argument/host-private": ("private_network", True),
    "argument/sql-class": ("statements", ["read", "write", "define", "grant"]),
}
"""The setting of the server that a rule goes by; what it does not need is to be taken out."""


@dataclass(frozen=True, slots=True)
class Exemption:
    """A setting by its dotted path, and what it has to be, or to have among its entries."""

    path: tuple[str, ...]
    value: Any

    def __str__(self) -> str:
        """As it is told: the path, and the value as YAML on one line."""
        return f"{'.'.join(self.path)}: {_flow(self.value)}"


def exemptions(rule: str, place: str, item: Item, at: float) -> Iterator[Exemption]:
    """What would let pass what a rule found at a place of a call; `at` is in seconds since the epoch.

    Nothing for a planted value: whoever sends one is to be caught.
    """
    family = rule.partition("/")[0]
    if family == "canary":
        return
    server = ("servers", item.server)
    if family == "agent":
        yield Exemption((*server, "configures"), [escape(item.name)])
        return
    if rule in _SERVERS:
        name, value = _SERVERS[rule]
        yield Exemption((*server, name), value)
    elif family == "argument" and rule != "argument/value-prototype":
        argument = _dotted(place)
        if argument and item.kind in _TYPED:
            yield Exemption((*server, "arguments"), {escape(item.name): {argument: "text"}})
    if len(escape(item.name)) <= _LONGEST:
        yield Exemption(("inspection", "suppressions"), [_suppression(rule, item, at)])


def _suppression(rule: str, item: Item, at: float) -> dict[str, Any]:
    last = (datetime.fromtimestamp(at, UTC) + timedelta(days=_DAYS)).date()
    return {
        "rule": escape(rule),
        "server": item.server,
        "tool": escape(item.name),
        "reason": "WHY IT IS ACCEPTED",
        "owner": "WHO ANSWERS FOR IT",
        "expires": last.isoformat(),
    }


def _dotted(place: str) -> str:
    """An argument as `servers.*.arguments` names it: items of a list go by the name of the list."""
    if not place.startswith(_ARGUMENTS):
        return ""
    parts = (each.replace("~1", "/").replace("~0", "~") for each in place.split("/")[2:])
    return ".".join(each for each in parts if not each.isdigit())


def _flow(value: Any) -> str:
    """YAML on one line: strings in quotes wherever they could be read as something else."""
    if isinstance(value, dict):
        return f"{{{', '.join(f'{_flow(key)}: {_flow(each)}' for key, each in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(_flow, value))}]"
    plain = isinstance(value, str) and value.replace("-", "").replace("_", "").isalnum()
    if plain and value[:1].isalpha() and value.lower() not in _WORDS:
        return str(value)
    return value if _is_date(value) else json.dumps(value)


_WORDS: Final = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})


def _is_date(value: Any) -> bool:
    return isinstance(value, str) and len(value) == 10 and value.replace("-", "").isdigit()
