"""What a set of policies is, once read: rules with their places, labels, entities, and a version."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import msgspec

from bawn.model import Json, Label

Effect: TypeAlias = Literal["permit", "forbid"]


class Source(msgspec.Struct, frozen=True):
    """The files of a policy directory as they were read, by path below it; of one moment.

    `directory` is how the operator calls it, for messages; empty for what bawn brings itself.
    """

    directory: str
    files: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Consent:
    """What `@ask("role, role")`, `@approvals("2")` and `@within("15m")` on a forbid say.

    `self` among the roles lets callers consent to their own calls.
    """

    roles: frozenset[str]
    confirm: bool
    count: int
    within: float | None  # seconds; None: as `approvals.within` says


@dataclass(frozen=True, slots=True)
class Rule:
    """One Cedar statement. `id` is its `@id`, else `file:line`; unique in a set.

    `ast` is Cedar's JSON form of the policy. A forbid with `consent` stands until people consent. One
    in `shadow` is evaluated and told of, and counts for nothing. `tenant` is empty for rules of all.
    """

    id: str
    effect: Effect
    file: str
    line: int
    text: str
    ast: Json = field(hash=False, compare=False)
    consent: Consent | None = None
    shadow: bool = False
    tenant: str = ""

    @property
    def place(self) -> str:
        """Where it stands, for people."""
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class ToolLabels:
    """What labels.yaml says of a server's items, in the place of what would be inferred.

    None leaves it to inference; `cost` is what one call costs.
    """

    labels: frozenset[Label] | None = None
    cost: int = 1
    read_only: bool | None = None
    destructive: bool | None = None
    idempotent: bool | None = None
    open_world: bool | None = None


@dataclass(frozen=True, slots=True)
class RuleSet:
    """Everything that decides, of one moment; `version` is a digest of all of it.

    `entities` are those of entities.json, in Cedar's JSON form. `labels` is by server and pattern of
    an item's own name, in the order of the file; the last that matches counts.
    """

    version: str
    rules: tuple[Rule, ...]
    entities: tuple[Json, ...] = ()
    labels: Mapping[tuple[str, str], ToolLabels] = field(default_factory=dict)
