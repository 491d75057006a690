"""Server ids from the names that clients use."""

from __future__ import annotations

import re
from collections.abc import Container

_OTHER = re.compile(r"[^a-z0-9-]")


def slug(name: str) -> str:
    """The id that a name stands for: lower-case, everything else than a-z, 0-9 and hyphen a hyphen."""
    return _OTHER.sub("-", name.lower())


def base_id(name: str) -> str:
    """A valid id near a name: 1 to 32 characters."""
    return slug(name)[:32].strip("-") or "server"


def free_id(name: str, taken: Container[str]) -> str:
    """A valid id near a name that is not taken, numbered when need be."""
    base = base_id(name)
    number, found = 1, base
    while found in taken:
        number += 1
        tail = f"-{number}"
        found = base[: 32 - len(tail)].rstrip("-") + tail
    return found
