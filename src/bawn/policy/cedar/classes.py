"""What policies can tell apart: callers and items that they cannot are decided once, as one class.

A policy meets an entity as a literal or as a variable, and learns of a variable its type, whether it
is or is in some literal, and those attributes that the policy names. So much makes the key of a class.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeAlias

from bawn.model import Json
from bawn.policy.cedar.entities import Attribute, Facts
from bawn.policy.cedar.scan import Scan

Key: TypeAlias = tuple[Any, ...]
"""Equal for what cannot be told apart; its `repr` is the same in every process."""


class Classes:
    """The classes that these policies make; `grants` are the roles that an item may allow."""

    def __init__(self, asts: Iterable[Json], grants: frozenset[str]) -> None:
        scan = Scan.of_policies(asts)
        self._everything = scan.everything
        self._literals = frozenset(scan.literals)
        self._attributes = frozenset(scan.attributes)
        self._members = {
            name: frozenset(members) | (grants if scan.grants and name == "roles" else frozenset())
            for name, members in scan.members.items()
        }

    def principal(self, facts: Facts) -> Key:
        """The class of a caller."""
        members = () if self._everything else tuple(
            tuple(sorted(asked.intersection(_set(facts.attributes[name]))))
            for name, asked in self._members.items()
        )  # fmt: skip
        return (*self._entity(facts), members)

    def item(self, facts: Facts, action: Facts) -> Key:
        """The class of what is called, and how."""
        return (*self._entity(facts), *self._entity(action))

    def _entity(self, facts: Facts) -> Key:
        every = self._everything
        known = every or facts.uid in self._literals
        above = facts.above if every else self._literals.intersection(facts.above)
        return (
            facts.uid.type,
            facts.uid.id if known else None,
            tuple(sorted(above)),
            tuple(
                (name, _ordered(value))
                for name, value in facts.attributes.items()
                if every or name in self._attributes
            ),
        )


def _ordered(value: Attribute) -> str | bool | tuple[str, ...]:
    return tuple(sorted(value)) if isinstance(value, frozenset) else value


def _set(value: Attribute) -> frozenset[str]:
    return value if isinstance(value, frozenset) else frozenset()
