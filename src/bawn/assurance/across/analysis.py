"""Servers held against each other: what is found by looking at one alone is the business of others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from bawn.assurance.across.collisions import collisions
from bawn.assurance.across.combinations import Reach, combinations
from bawn.assurance.across.imitations import imitations
from bawn.assurance.across.meddling import meddling
from bawn.assurance.across.offer import Offer, finding
from bawn.config import RoleRule
from bawn.findings.finding import Finding, Level
from bawn.model import Item, Label
from bawn.policy.labelling.labels import Labelled
from bawn.policy.patterns import compiled
from bawn.policy.rules import RuleSet, ToolLabels

MOST: Final = 200
"""Findings of one kind that are told."""

KINDS: Final[Mapping[str, tuple[Level, str]]] = {
    "across/collision": ("warning", "Several servers claim one name on the aggregate endpoint."),
    "across/cut": ("warning", "Names are one to a client that cuts them to 64 characters."),
    "across/alike": ("warning", "Names differ by case, hyphens and underscores alone."),
    "across/prefix": ("note", "Several servers have no prefix."),
    "across/confusable": ("error", "A name looks like another server's, in other letters."),
    "across/look-alike": ("warning", "A name is one letter away from another server's."),
    "across/shadowing": ("error", "A definition tells the model what to do about another server."),
    "across/mention": ("note", "A definition speaks of another server's tools."),
    "across/toxic": ("warning", "Private data, what others wrote, and sending are within one reach."),
    "across/unlabelled": ("note", "Tools say nothing of what they do, and nobody else has."),
    "across/toxic-more": ("note", "There are more such combinations than are told."),
    "across/more": ("note", "There are more findings of a kind than are told."),
}  # fmt: skip
"""Every kind of finding of this room, with the level that it has at most."""


_ALL: Final = frozenset(Label)


class _Labels:
    """What is known of items. A tool that nobody knows anything of may do everything: to call that a
    combination would be to say it of almost every server.
    """

    def __init__(self, told: Mapping[tuple[str, str], ToolLabels]) -> None:
        self._told = told
        self._known = Labelled(told)

    def labels(self, item: Item) -> frozenset[Label]:
        return frozenset() if self.unknown(item) else self._known.traits(item).labels

    def unknown(self, item: Item) -> bool:
        """Whether what it does was neither told nor inferred."""
        told = (item.server, item.name) in self._told
        return not told and self._known.traits(item).labels == _ALL


def analyse(
    offers: Iterable[Offer],
    reaches: Sequence[Reach] | None = None,
    *,
    labels: Mapping[tuple[str, str], ToolLabels] | None = None,
    guarded: bool = False,
) -> list[Finding]:
    """Everything that is to be said of these servers together; pure, and linear in what they offer.

    `reaches` are what callers can use together; by default one for each tenant. `labels` are those of
    labels.yaml, `guarded` as `is_guarded` says.
    """
    by_tenant: dict[str, list[Offer]] = {}
    for each in sorted(offers, key=lambda offer: offer.server):
        by_tenant.setdefault(each.tenant, []).append(each)
    known = _Labels(labels or {})
    found: list[Finding] = []
    for theirs in by_tenant.values():
        for look in (collisions, imitations, meddling):
            found += look(theirs)
        found += _unlabelled(theirs, known)
    for reach in reaches if reaches is not None else [everybody(each) for each in by_tenant]:
        found += combinations(by_tenant.get(reach.tenant, []), known, reach, guarded=guarded)
    return list(_bounded(found))


def _unlabelled(offers: Sequence[Offer], known: _Labels) -> Iterator[Finding]:
    """Of each server, how many of its tools were left out of the combinations."""
    for offer in offers:
        several = [item for item in offer.tools if known.unknown(item)]
        if several:
            count = f"{len(several)} of {len(offer.tools)} tools of {offer.server}"
            yield finding(
                "note", "across/unlabelled", offer.server,
                f"{count} say nothing of what they do: they may do everything, and are left out here",
                "Say what they do in labels.yaml; policy takes them for everything until then.",
            )  # fmt: skip


def everybody(tenant: str) -> Reach:
    """All servers of a tenant, or of none, in the hand of one caller."""
    return Reach(f"callers of tenant {tenant}" if tenant else "callers", tenant)


def of_roles(roles: Mapping[str, RoleRule], tenants: Iterable[str]) -> list[Reach]:
    """What each role may use, by its patterns; the roles that may use the same are told as one."""
    by: dict[str, list[str]] = {}
    for name, rule in roles.items():
        if rule.servers and rule.tools:
            by.setdefault(rule.model_dump_json(include={"servers", "tools"}), []).append(name)
    found = []
    for names in by.values():
        title = f"role {', '.join(names)}"
        allows = compiled(roles[names[0]]).match
        for tenant in dict.fromkeys(tenants):
            whose = f"{title} of tenant {tenant}" if tenant else title
            found.append(Reach(whose, tenant, allows))
    return found


def is_guarded(rules: RuleSet | None) -> bool:
    """Whether a rule in force forbids, or asks for, something by what a conversation has read."""
    return rules is not None and any(
        rule.effect == "forbid" and not rule.shadow and not rule.tenant and _asks_of_flow(rule.ast)
        for rule in rules.rules
    )


def _asks_of_flow(ast: object) -> bool:
    waiting = [ast]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            if node.get("attr") == "flow":
                return True
            waiting += node.values()
        elif isinstance(node, list):
            waiting += node
    return False


def _bounded(found: Iterable[Finding]) -> Iterator[Finding]:
    """Of each kind the first ones, and how many there are beyond them."""
    counts: dict[str, int] = {}
    for each in found:
        counts[each.kind] = counts.get(each.kind, 0) + 1
        if counts[each.kind] <= MOST:
            yield each
    for kind, count in counts.items():
        if count > MOST:
            told = f"{count - MOST} more findings are of the kind {kind}"
            yield finding("note", "across/more", kind, told, "Mend the first ones, and look again.")
