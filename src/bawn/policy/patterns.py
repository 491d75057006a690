"""Which items a rule of the configuration covers: patterns in shell style, compiled once."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Mapping
from dataclasses import dataclass

from bawn.config import RoleRule
from bawn.model import Item, Kind


@dataclass(frozen=True, slots=True)
class Patterns:
    """A rule with its patterns compiled, one alternation for each kind."""

    servers: re.Pattern[str]
    names: Mapping[Kind, re.Pattern[str]]

    def match(self, item: Item) -> bool:
        """Whether the rule covers this item."""
        named = self.names[item.kind].fullmatch(item.name)
        return named is not None and self.servers.fullmatch(item.server) is not None


def compiled(rule: RoleRule) -> Patterns:
    """The patterns of a rule, ready to match."""
    resources = _either(rule.resources)
    return Patterns(
        _either(rule.servers),
        {
            Kind.TOOL: _either(rule.tools),
            Kind.PROMPT: _either(rule.prompts),
            Kind.RESOURCE: resources,
            Kind.TEMPLATE: resources,
            Kind.METHOD: _either(rule.methods),
        },
    )


def _either(patterns: tuple[str, ...]) -> re.Pattern[str]:
    # an empty alternation would match the empty string: nothing may match no pattern
    alternatives = "|".join(fnmatch.translate(p) for p in patterns)
    return re.compile(alternatives or r"(?!)", re.DOTALL)
