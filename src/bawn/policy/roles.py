"""Roles: what they cover by their patterns, for policies to ask of (`resource.allows`).

An administrator is no exception to the choke point: `admin` is a role whose patterns match
everything. Management rights (`may_manage`) are apart from what a role may use of the servers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from bawn.config import RoleRule
from bawn.model import Item, Principal
from bawn.policy.patterns import compiled

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


def may_manage(principal: Principal, what: str) -> bool:
    """Whether this principal may see `status` or `metrics` in detail."""
    return not principal.roles.isdisjoint(_MANAGEMENT[what])


class Granting:
    """Which roles allow an item: the built-in ones and the configured, each by its patterns."""

    def __init__(self, configured: Mapping[str, RoleRule]) -> None:
        rules = {**BUILT_IN, **configured}
        self._patterns = [(role, compiled(rule)) for role, rule in rules.items()]
        self.roles = frozenset(rules)

    def allows(self, item: Item) -> frozenset[str]:
        """The names of the roles that may use an item."""
        return frozenset(role for role, patterns in self._patterns if patterns.match(item))
