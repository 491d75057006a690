"""One quota of the configuration, ready to be asked: whose calls it counts, and under which key."""

from __future__ import annotations

import fnmatch
import re
from hashlib import sha256

from bawn.config.policy import Quota
from bawn.model import Call, Item, Kind


class Rule:
    """A quota with its patterns compiled.

    Its key in the store is made of what it covers and of whom it is counted by, and of its `place`
    among those that cover the same. So quotas may be reordered, and budgets be changed, and what was
    counted still counts; one that covers something else begins anew, and so does a changed rate.
    """

    def __init__(self, quota: Quota, place: int = 0) -> None:
        self.quota = quota
        self._servers = _either(quota.servers)
        self._names = _either(quota.tools)
        self._roles = frozenset(quota.roles)
        covered = repr((covers_of(quota), place))
        self._seed = sha256(covered.encode("utf-8", "surrogatepass"))

    @property
    def told(self) -> str:
        """What a refusal says of it to whoever operates the gate."""
        where = f"servers {', '.join(self.quota.servers)}; tools {', '.join(self.quota.tools)}"
        return f"quota per {self.quota.per} ({where})"

    def covers(self, item: Item) -> bool:
        """Whether calls of this item count."""
        named = self._names.fullmatch(item.name)
        return named is not None and self._servers.fullmatch(item.server) is not None

    def key(self, call: Call, item: Item, conversation: str) -> str | None:
        """What a call is counted under, in 32 hex digits; None when its caller does not count.

        No two tenants have one key.
        """
        principal = call.principal
        if self._roles and self._roles.isdisjoint(principal.roles):
            return None
        counted = repr((principal.tenant, self._value(call, item, conversation)))
        digest = self._seed.copy()
        digest.update(counted.encode("utf-8", "surrogatepass"))
        return digest.hexdigest()[:32]

    def _value(self, call: Call, item: Item, conversation: str) -> tuple[str, ...]:
        principal = call.principal
        match self.quota.per:
            case "principal":
                return (principal.key,)
            case "agent":  # who comes without one is counted alone
                return (principal.issuer, principal.agent) if principal.agent else (principal.key,)
            case "server":
                return (item.server,)
            case "tool":
                return (item.server, item.kind.value, _named(item))
            case "tenant":
                return ()
            case "conversation":
                return (conversation,)


def covers_of(quota: Quota) -> tuple[str, tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """What a quota covers, apart from how much it allows."""
    return quota.per, quota.servers, quota.tools, quota.roles


def _named(item: Item) -> str:
    """The name that an item is counted by: callers make up URIs that no list has, so these are one."""
    return "" if item.kind is Kind.RESOURCE and not item.definition else item.name


def _either(patterns: tuple[str, ...]) -> re.Pattern[str]:
    # an empty alternation would match the empty string: nothing may match no pattern
    alternatives = "|".join(fnmatch.translate(pattern) for pattern in patterns)
    return re.compile(alternatives or r"(?!)")
