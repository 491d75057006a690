"""From calls that were seen to the fewest grants that allow them: which role needs what.

Who has several roles may have used any of them: a use is granted to the role that most others used it
by, and to no other, so that nobody else gets it who was never seen to need it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from bawn.model import Item, Kind, Principal
from bawn.policy import actions
from bawn.review.past.recorded import Recorded


@dataclass(frozen=True, slots=True, order=True)
class Grantee:
    """A role; or one person or agent, for those who were seen without any."""

    role: str = ""
    subject: str = ""
    issuer: str = ""
    agent: bool = False

    @property
    def name(self) -> str:
        """What to call it."""
        return self.role or self.subject


@dataclass(slots=True)
class Grant:
    """What a grantee needs of one server: whole kinds but for tools and methods, which go by name."""

    tools: set[str] = field(default_factory=set)
    methods: set[str] = field(default_factory=set)
    kinds: set[Kind] = field(default_factory=set)
    beside: set[str] = field(default_factory=set)
    """Accompanying actions."""


Grants: TypeAlias = Mapping[Grantee, Mapping[str, Grant]]
"""By grantee and server."""

_Use: TypeAlias = tuple[str, Kind, str, str]  # server, kind, name where it counts, action


def grants(seen: Iterable[Recorded]) -> dict[str, Grants]:
    """What would have allowed every call that left, for each tenant ("" for none).

    Calls of erased people and of what is gone are left out.
    """
    uses: dict[str, dict[_Use, set[frozenset[Grantee]]]] = defaultdict(lambda: defaultdict(set))
    for each in seen:
        if each.left and each.principal is not None and each.item is not None:
            able = _able(each.principal)
            for use in _uses(each.item, each.call.method) if able else ():
                uses[each.principal.tenant][use].add(able)
    return {tenant: _granted(found) for tenant, found in sorted(uses.items())}


def _able(principal: Principal) -> frozenset[Grantee]:
    """Those to whom a grant would reach this principal."""
    roles = frozenset(Grantee(role) for role in principal.roles if role)
    if roles or not principal.subject:
        return roles
    agent = principal.agent == principal.subject
    return frozenset({Grantee("", principal.subject, principal.issuer, agent)})


def _uses(item: Item, method: str) -> Iterable[_Use]:
    named = item.name if item.kind in {Kind.TOOL, Kind.METHOD} else ""
    kind = Kind.RESOURCE if item.kind is Kind.TEMPLATE else item.kind
    yield (item.server, kind, named, "")
    beside = actions.accompanying(method)
    if beside is not None:
        yield (item.server, kind, named, beside)


def _granted(uses: Mapping[_Use, set[frozenset[Grantee]]]) -> Grants:
    popular = Counter(who for users in uses.values() for able in users for who in able)
    found: dict[Grantee, dict[str, Grant]] = defaultdict(lambda: defaultdict(Grant))
    for (server, kind, name, beside), users in sorted(uses.items()):
        for grantee in _fewest(users, popular):
            grant = found[grantee][server]
            if beside:
                grant.beside.add(beside)
            elif kind is Kind.TOOL:
                grant.tools.add(name)
            elif kind is Kind.METHOD:
                grant.methods.add(name)
            else:
                grant.kinds.add(kind)
    return {grantee: dict(sorted(found[grantee].items())) for grantee in sorted(found)}


def _fewest(users: Iterable[frozenset[Grantee]], popular: Counter[Grantee]) -> set[Grantee]:
    """Grantees that reach every one of these users, greedily few."""
    chosen: set[Grantee] = set()
    left = sorted(set(users), key=lambda able: (len(able), sorted(able)))
    while left:
        able = left[0]
        reach = Counter(who for each in left for who in each)
        best = min(able, key=lambda who: (-reach[who], -popular[who], who))
        chosen.add(best)
        left = [each for each in left if best not in each]
    return chosen
