"""Roles: the built-in policy engine. Deny is the default; a role only ever adds.

An administrator is no exception to the choke point: `admin` is a role whose patterns match
everything. Management rights (`may_manage`) are apart from what a role may use of the servers.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from bawn.config import RoleRule
from bawn.model import Decision, Item, Kind, Principal

BUILT_IN: Final[Mapping[str, RoleRule]] = {
    "viewer": RoleRule(prompts=("*",), resources=("*",)),
    "developer": RoleRule(tools=("*",), prompts=("*",), resources=("*",), methods=("*",)),
    "operator": RoleRule(servers=()),
    "auditor": RoleRule(servers=()),
    "admin": RoleRule(tools=("*",), prompts=("*",), resources=("*",), methods=("*",)),
}

_MANAGEMENT: Final[Mapping[str, frozenset[str]]] = {
    "status": frozenset({"operator", "auditor", "admin"}),
    "metrics": frozenset({"operator", "auditor", "admin"}),
}

_CACHED: Final = 65_536
_LONGEST_KEY: Final = 512


def may_manage(principal: Principal, what: str) -> bool:
    """Whether this principal may see `status` or `metrics` in detail."""
    return not principal.roles.isdisjoint(_MANAGEMENT[what])


@dataclass(frozen=True, slots=True)
class _Patterns:
    """A rule with its patterns compiled, one alternation for each kind."""

    servers: re.Pattern[str]
    names: Mapping[Kind, re.Pattern[str]]

    def match(self, item: Item) -> bool:
        named = self.names[item.kind].fullmatch(item.name)
        return named is not None and self.servers.fullmatch(item.server) is not None


def _compiled(rule: RoleRule) -> _Patterns:
    def either(patterns: tuple[str, ...]) -> re.Pattern[str]:
        # an empty alternation would match the empty string: nothing may match no pattern
        alternatives = "|".join(fnmatch.translate(p) for p in patterns)
        return re.compile(alternatives or r"(?!)", re.DOTALL)

    resources = either(rule.resources)
    return _Patterns(
        either(rule.servers),
        {
            Kind.TOOL: either(rule.tools),
            Kind.PROMPT: either(rule.prompts),
            Kind.RESOURCE: resources,
            Kind.TEMPLATE: resources,
            Kind.METHOD: either(rule.methods),
        },
    )


class Roles:
    """Decides by roles; equal role sets share one cached decision for each item."""

    def __init__(self, configured: Mapping[str, RoleRule]) -> None:
        rules = {**BUILT_IN, **configured}
        self._patterns = {role: _compiled(rule) for role, rule in rules.items()}
        self._decided: dict[frozenset[str], dict[str, Decision]] = {}
        self._count = 0

    def decide(self, principal: Principal, item: Item) -> Decision:
        """Whether a role of this principal allows the item."""
        decided = self._decided.get(principal.roles)
        decision = decided.get(item.key) if decided is not None else None
        return decision or self._remember(principal.roles, item)

    def permission_set(self, principal: Principal) -> str:
        """The known roles: principals with the same ones may do the same."""
        return repr(sorted(principal.roles & self._patterns.keys()))  # names may hold any separator

    def _remember(self, roles: frozenset[str], item: Item) -> Decision:
        if self._count >= _CACHED:
            self._decided.clear()
            self._count = 0
        decision = self._judge(roles, item)
        if len(item.key) > _LONGEST_KEY:  # a caller may ask for any URI: what stays must be small
            return decision
        self._count += 1
        self._decided.setdefault(roles, {})[item.key] = decision
        return decision

    def _judge(self, roles: frozenset[str], item: Item) -> Decision:
        for role in sorted(roles):
            patterns = self._patterns.get(role)
            if patterns is not None and patterns.match(item):
                return Decision(True, f"role {role}")
        return Decision(False, "no role allows it")
