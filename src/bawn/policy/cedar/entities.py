"""Callers and items as Cedar entities: whatever a policy can look at, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from bawn.config import RoleRule
from bawn.model import Item, Json, Kind, Principal
from bawn.policy import actions
from bawn.policy.cedar.uids import Uid, uid
from bawn.policy.labelling.labels import Labelled
from bawn.policy.roles import Granting
from bawn.policy.rules import RuleSet

Attribute: TypeAlias = str | bool | frozenset[str]

TYPES: Final[Mapping[Kind, str]] = {
    Kind.TOOL: "Tool",
    Kind.PROMPT: "Prompt",
    Kind.RESOURCE: "Resource",
    Kind.TEMPLATE: "Template",
    Kind.METHOD: "Method",
}


@dataclass(frozen=True, slots=True)
class Facts:
    """One entity. `above` has everything it is in, directly or not, each with its own parents.

    No attribute holds an entity: a policy meets one only as a literal or as one of its variables.
    """

    uid: Uid
    attributes: Mapping[str, Attribute]
    parents: tuple[Uid, ...]
    above: Mapping[Uid, tuple[Uid, ...]]


class World:
    """Makes entities of callers and items, with what entities.json and labels.yaml say of them."""

    def __init__(
        self, ruleset: RuleSet, roles: Mapping[str, RoleRule], tenant_of: Mapping[str, str]
    ) -> None:
        self._granting = Granting(roles)
        self.grants = self._granting.roles
        self._labelled = Labelled(ruleset.labels)
        self._tenant_of = tenant_of
        self._parents = {
            uid(entity["uid"]): tuple(map(uid, entity.get("parents", ())))
            for entity in ruleset.entities
        }

    def principal(self, principal: Principal) -> Facts:
        """Who calls: `User::"subject"`, or `Agent::` where an OAuth client acts for itself."""
        itself = principal.agent == principal.subject != ""
        name = Uid("Agent" if itself else "User", principal.subject)
        roles = [Uid("Role", role) for role in sorted(principal.roles)]
        tenant = [Uid("Tenant", principal.tenant)] if principal.tenant else []
        parents = _once((*roles, *self._parents.get(name, ()), *tenant))
        attributes: dict[str, Attribute] = {
            "subject": principal.subject,
            "issuer": principal.issuer,
            "agent": principal.agent,
            "tenant": principal.tenant,
            "roles": principal.roles,
            "scopes": principal.scopes,
        }
        return Facts(name, attributes, parents, self._above(parents))

    def item(self, item: Item) -> Facts:
        """What is called: `Tool::"server/name"` and the like, in `Server::"server"`."""
        self._labelled.forget()  # of one key, another View may have another definition
        traits = self._labelled.traits(item)
        attributes: dict[str, Attribute] = {
            "server": item.server,
            "name": item.name,
            "labels": frozenset(label.value for label in traits.labels),
            "allows": self._granting.allows(item),
        }
        if item.kind is Kind.TOOL:
            attributes |= {
                "readOnly": traits.read_only,
                "destructive": traits.destructive,
                "idempotent": traits.idempotent,
                "openWorld": traits.open_world,
                "annotated": traits.annotated,
            }
        server = Uid("Server", item.server)
        tenant = self._tenant_of.get(item.server, "")
        above: dict[Uid, tuple[Uid, ...]] = {server: ()}
        if tenant:
            above = {server: (Uid("Tenant", tenant),), Uid("Tenant", tenant): ()}
        name = Uid(TYPES[item.kind], f"{item.server}/{item.name}")
        return Facts(name, attributes, (server,), above)

    def _above(self, parents: Iterable[Uid]) -> dict[Uid, tuple[Uid, ...]]:
        found: dict[Uid, tuple[Uid, ...]] = {}
        left = list(parents)
        while left:
            one = left.pop()
            if one not in found:
                found[one] = _once(self._parents.get(one, ()))
                left.extend(found[one])
        return found


def action_facts(action: str) -> Facts:
    """An action, and the groups it is in."""
    above = {
        Uid("Action", actions.CALL): (Uid("Action", actions.USE),),
        Uid("Action", actions.USE): (),
    }
    parents = tuple(Uid("Action", group) for group in actions.groups(action))
    if parents[0].id == actions.USE:
        del above[Uid("Action", actions.CALL)]
    return Facts(Uid("Action", action), {}, parents, above)


def together(*all_facts: Facts) -> list[Json]:
    """Entities in Cedar's JSON form, each of them once."""
    parents: dict[Uid, tuple[Uid, ...]] = {}
    for facts in all_facts:
        parents.update(facts.above)
    attributes: dict[Uid, Mapping[str, Attribute]] = {}
    for facts in all_facts:
        parents[facts.uid] = facts.parents
        attributes[facts.uid] = facts.attributes
    return [
        {
            "uid": one._asdict(),
            "attrs": {name: _plain(value) for name, value in attributes.get(one, {}).items()},
            "parents": [parent._asdict() for parent in above],
        }
        for one, above in parents.items()
    ]


def _plain(value: Attribute) -> str | bool | list[str]:
    return sorted(value) if isinstance(value, frozenset) else value


def _once(uids: Iterable[Uid]) -> tuple[Uid, ...]:
    return tuple(dict.fromkeys(uids))
