"""Scopes: what a token was issued for bounds what it may be used for, besides what policy says.

A scope never grants what policy denies: the gate asks here about what policy has allowed already, so
that no challenge tells of an item that its caller could not see.

Sources: RFC 6750, section 3.1; basic/authorization, "Scope Challenge Handling" (2026-07-28).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from bawn.config import RoleRule
from bawn.errors import AUTH_SCOPE, Refused
from bawn.model import Item, Principal
from bawn.policy.patterns import compiled

_CACHED: Final = 65_536
_LONGEST_KEY: Final = 512


class Scopes:
    """Checks tokens against the configured scopes.

    `challenge` makes the WWW-Authenticate value that asks for these scopes at an endpoint.
    """

    def __init__(
        self,
        configured: Mapping[str, RoleRule],
        challenge: Callable[[tuple[str, ...], str | None], str],
    ) -> None:
        self._patterns = {scope: compiled(rule) for scope, rule in configured.items()}
        self._narrowest_first = sorted(configured, key=lambda scope: _breadth(scope, configured))
        self._challenge = challenge
        self._covered: dict[frozenset[str], set[str]] = {}
        self._count = 0

    def check(self, principal: Principal, item: Item, endpoint: str | None = None) -> None:
        """Pass when nothing is configured, when no token was needed, or when a scope covers the item.

        `endpoint` is where the caller called: its metadata is what the challenge names.

        Raises:
            Refused: auth.scope, with a challenge if any scope would do.
        """
        if not self._patterns or not principal.token:
            return
        covered = self._covered.get(principal.scopes)
        if covered is None or item.key not in covered:
            self._judge(principal, item, endpoint)

    def _judge(self, principal: Principal, item: Item, endpoint: str | None) -> None:
        scopes = principal.scopes
        if any(scope in scopes and p.match(item) for scope, p in self._patterns.items()):
            self._remember(scopes, item.key)
            return
        raise self._insufficient(scopes, item, endpoint)

    def _remember(self, scopes: frozenset[str], key: str) -> None:
        if len(key) > _LONGEST_KEY:  # a caller may ask for any URI: what stays must be small
            return
        if self._count >= _CACHED:
            self._covered.clear()
            self._count = 0
        self._count += 1
        self._covered.setdefault(scopes, set()).add(key)

    def _insufficient(self, scopes: frozenset[str], item: Item, endpoint: str | None) -> Refused:
        """The refusal. It asks for what the token has and the narrowest scope that would do.

        With what it has, a client that asks for no more than the challenge names does not lose it.
        """
        held = sorted(scopes & self._patterns.keys())
        told = f"the token has {', '.join(held) or 'none that is configured'}"
        for scope in self._narrowest_first:
            if self._patterns[scope].match(item):
                return Refused(
                    AUTH_SCOPE,
                    f"expected {scope}",
                    detail=f"{item.key} needs {scope}, {told}",
                    challenge=self._challenge((*held, scope), endpoint),
                )
        return Refused(AUTH_SCOPE, detail=f"no scope of `scopes` covers {item.key}, {told}")


def _breadth(scope: str, configured: Mapping[str, RoleRule]) -> tuple[int, int, int, str]:
    """How much a scope opens, as far as its patterns tell without knowing the items.

    Patterns for everything count first, then those with wildcards, then all.
    """
    rule = configured[scope]
    patterns = (*rule.servers, *rule.tools, *rule.prompts, *rule.resources, *rule.methods)
    everything = sum(not pattern.strip("*") for pattern in patterns)
    wild = sum(not {"*", "?", "["}.isdisjoint(pattern) for pattern in patterns)
    return everything, wild, len(patterns), scope
