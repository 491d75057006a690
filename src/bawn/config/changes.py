"""What differs between two configurations, and what of it may be applied without the owner.

The file may change under a running gate by any hand: an agent's, a checkout's. What decides who may
do what, what is started and where secrets go waits for `bawn reload`. The list names what need not
wait, so that a setting added later waits until somebody has thought about it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from bawn.config.model import Config

# `*` is one server's id. Limits are bounds, not grants; the others tell how often and how loudly.
AUTOMATIC: Final = (
    ("limits",),
    ("log",),
    ("refresh",),
    ("servers", "*", "idle_stop"),
    ("servers", "*", "max_children"),
    ("servers", "*", "required"),
    ("servers", "*", "owner"),
    ("servers", "*", "purpose"),
    ("servers", "*", "labels"),
)


def changed(old: Config, new: Config) -> tuple[str, ...]:
    """The dotted keys whose values differ; a server that came or went is one key."""
    before, after = old.model_dump(mode="json"), new.model_dump(mode="json")
    return tuple(".".join(path) for path in _differences(before, after, ()))


def automatic(keys: Iterable[str]) -> bool:
    """Whether an automatic reload may apply these changes; all of them, or it applies none."""
    return all(_is_automatic(key) for key in keys)


def waiting(keys: Iterable[str]) -> tuple[str, ...]:
    """Those of the changes that need `bawn reload` by the owner."""
    return tuple(key for key in keys if not _is_automatic(key))


def _is_automatic(key: str) -> bool:
    path = key.split(".")
    return any(
        len(path) >= len(rule)
        and all(step in {"*", name} for step, name in zip(rule, path, strict=False))
        for rule in AUTOMATIC
    )


def _differences(
    before: dict[str, Any], after: dict[str, Any], path: tuple[str, ...]
) -> Iterator[tuple[str, ...]]:
    for key in dict.fromkeys((*before, *after)):
        old, new = before.get(key), after.get(key)
        both = key in before and key in after
        if both and isinstance(old, dict) and isinstance(new, dict):
            yield from _differences(old, new, (*path, key))
        elif not both or old != new:
            yield (*path, key)
