"""A tree that is changed here and there: copied along the way to each change, shared everywhere else."""

from __future__ import annotations

from typing import Any

from bawn.inspection.outputs.leaves import escaped, parts


class Draft:
    """Changes to one tree, which itself stays as it is. Places are those of the tree as it was given."""

    def __init__(self, tree: Any) -> None:
        self._root = [tree]  # the tree as a member of something, so that it can be replaced, too
        self._own: dict[str, Any] = {}  # containers that were copied, by place
        self._renamed: list[tuple[str, str]] = []
        self._dropped: list[str] = []

    def at(self, place: str) -> Any:
        """What stands at a place; None where there is nothing."""
        value: Any = self._root[0]
        for part in parts(place):
            try:
                value = value[_key(value, part)]
            except (KeyError, IndexError, TypeError, ValueError):
                return None
        return value

    def has(self, place: str) -> bool:
        """Whether there is a member at a place of an object."""
        above, _, last = place.rpartition("/")
        found = self.at(above)
        return isinstance(found, dict) and parts(f"/{last}")[0] in found

    def put(self, place: str, value: Any) -> None:
        """Have something else stand at a place where something stands."""
        owned, key = self._above(place)
        owned[key] = value

    def rename(self, place: str, key: str) -> None:
        """Have the value at this place stand under another key, as soon as the draft is `done`."""
        self._renamed.append((place, key))

    def drop(self, place: str) -> None:
        """Have no member at this place, as soon as the draft is `done`."""
        self._dropped.append(place)

    def done(self) -> Any:
        """The tree with all changes."""
        for place in self._dropped:
            owned, key = self._above(place)
            owned.pop(key, None)
        for place, new in sorted(self._renamed, reverse=True):  # what is below first
            owned, key = self._above(place)
            members = [(new if name == key else name, value) for name, value in owned.items()]
            owned.clear()
            owned.update(members)
        self._renamed, self._dropped = [], []
        return self._root[0]

    def _above(self, place: str) -> tuple[Any, Any]:
        """The container of what stands at a place, as a copy that may be changed, and the key in it."""
        owned: Any = self._root
        key: Any = 0
        so_far = ""
        for part in parts(place):
            below = self._own.get(so_far)
            if below is None:
                below = self._own[so_far] = owned[key].copy()
                owned[key] = below
            owned, key = below, _key(below, part)
            so_far = f"{so_far}/{escaped(part)}"
        return owned, key


def _key(container: Any, part: str) -> Any:
    return int(part) if isinstance(container, list) else part
