"""What is known of an item beside its name: its labels, and the hints of MCP with their defaults."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from bawn.model import Item, Kind, Label
from bawn.policy.labelling import inference
from bawn.policy.rules import ToolLabels

_CACHED: Final = 65_536
_LONGEST_KEY: Final = 512
_UNSAID: Final = ToolLabels()
_HINTS: Final = ("readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint")


@dataclass(frozen=True, slots=True)
class Traits:
    """What an item does, by what its server and the operator say.

    `annotated` is whether either gave any hint; without, the hints have the protocol's defaults (a
    tool may change and destroy, and reaches into the world), so they say nothing. `cost` is what one
    call costs. Items other than tools and methods of extensions only read.

    Source: server/tools, `ToolAnnotations` (2026-07-28).
    """

    labels: frozenset[Label]
    cost: int
    read_only: bool
    destructive: bool
    idempotent: bool
    open_world: bool
    annotated: bool


class Labelled:
    """The traits of items: inferred (`inference.py`), and where labels.yaml says something, as it says.

    `labels` is by server and pattern, in shell style, of an item's own name; both match with case. Of
    several patterns that match one item the last counts, alone.
    """

    def __init__(self, labels: Mapping[tuple[str, str], ToolLabels]) -> None:
        self._said: dict[str, list[tuple[re.Pattern[str], ToolLabels]]] = {}
        for (server, pattern), said in labels.items():
            compiled = re.compile(fnmatch.translate(pattern))
            self._said.setdefault(server, []).insert(0, (compiled, said))
        self._traits: dict[str, Traits] = {}

    def forget(self) -> None:
        """Read items anew: there is a new View."""
        self._traits.clear()

    def traits(self, item: Item) -> Traits:
        """What is known of an item; of one key, the same until `forget`."""
        return self._traits.get(item.key) or self._remember(item)

    def _remember(self, item: Item) -> Traits:
        traits = _traits(item, self._says(item))
        if len(item.key) <= _LONGEST_KEY:  # a caller may ask for any URI: what stays must be small
            if len(self._traits) >= _CACHED:
                self._traits.clear()
            self._traits[item.key] = traits
        return traits

    def _says(self, item: Item) -> ToolLabels:
        for pattern, said in self._said.get(item.server, ()):
            if pattern.fullmatch(item.name):
                return said
        return _UNSAID


def _traits(item: Item, said: ToolLabels) -> Traits:
    given = _given(item)
    ours = (said.read_only, said.destructive, said.idempotent, said.open_world)
    hints = [theirs if own is None else own for own, theirs in zip(ours, given, strict=True)]
    read_only, destructive, idempotent, open_world = hints
    labels = said.labels
    if labels is None:
        labels = _inferred(item, read_only, open_world)
    reads = item.kind not in {Kind.TOOL, Kind.METHOD} if read_only is None else read_only
    return Traits(
        labels,
        said.cost,
        read_only=reads,
        destructive=not reads and destructive is not False,
        idempotent=idempotent is True,
        open_world=open_world is not False,
        annotated=any(hint is not None for hint in hints),
    )


def _given(item: Item) -> tuple[bool | None, ...]:
    """The hints that a tool's server gave; what is no boolean is none."""
    annotations: Any = item.definition.get("annotations") if item.kind is Kind.TOOL else None
    if not isinstance(annotations, Mapping):
        return (None,) * len(_HINTS)
    values = [annotations.get(hint) for hint in _HINTS]
    return tuple(value if isinstance(value, bool) else None for value in values)


def _inferred(item: Item, read_only: bool | None, open_world: bool | None) -> frozenset[Label]:
    match item.kind:
        case Kind.TOOL:
            return inference.of_tool(item.name, item.definition, read_only, open_world)
        case Kind.PROMPT:
            return inference.of_prompt(item.name, item.definition)
        case Kind.RESOURCE:
            return inference.of_resource(item.name, item.definition)
        case Kind.TEMPLATE:
            return inference.of_template(item.name, item.definition)
        case Kind.METHOD:
            return inference.ALL
