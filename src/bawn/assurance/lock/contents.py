"""What stands in bawn.lock, and how it is written.

{"format": 1, "servers": {ID: {"reach": …, "root": …, "pins": […], "package": …, "evidence": […]}},
"signatures": [DSSE envelopes]}. The definitions are there with their digests, so that a difference can be
shown field by field where nothing else is known, and so that what serves is what the file says.

The text is the same for the same content: keys and pins are sorted, a pin is one line. What does not print
is written as an escape, so that a pull request shows all that there is.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any, Final

import msgspec

from bawn.findings.evidence import Evidence
from bawn.launching.package import Resolution
from bawn.model import Json
from bawn.pins.record import Aspect, Pin, Record
from bawn.pins.tree import root
from bawn.telemetry.text import prints

NAME: Final = "bawn.lock"
FORMAT: Final = 1
LARGEST: Final = 64 << 20
"""Bytes of a lockfile: ten thousand tools of 2 KB take a third."""

BY: Final = "lock"
"""Who approved what a locked gate serves."""

_KEPT: Final = frozenset(("publisher", "provenance", "scan", "vulnerabilities"))
"""Evidence about what is locked; the rest is about a gate that runs, or is for the lockfile itself to say."""

_OBJECTS: Final = 4
"""Levels on which the members of an object have a line each; the values of a list have one level more."""

Digest = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}\Z")]


class LockedPin(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One definition that serves; `digest` is that of its canonical form."""

    aspect: Aspect
    name: str
    digest: Digest
    definition: Json


class LockedServer(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One server: how it is reached, what it serves, and what was known of it when it was locked.

    `root` is the Merkle root of its pins. Without `package` it is started as its command says.
    """

    reach: Json
    root: Digest
    pins: tuple[LockedPin, ...]
    package: Resolution | None = None
    evidence: tuple[Evidence, ...] = ()

    def record(self, server: str) -> Record:
        """What is approved of the server, for whoever judges what it lists."""
        return Record(server, 1.0, pins=_approved(self.pins))

    @property
    def whole(self) -> bool:
        """Whether the pins are those that the Merkle root stands for."""
        return root(_approved(self.pins)) == self.root


def locked(
    reach: Json,
    pins: tuple[Pin, ...],
    package: Resolution | None,
    evidence: tuple[Evidence, ...],
) -> LockedServer:
    """A server as it is locked, in the order in which it is written."""
    ordered = sorted(pins, key=lambda pin: (pin.aspect, pin.name, pin.digest))
    written = (LockedPin(each.aspect, each.name, each.digest, each.definition) for each in ordered)
    known = tuple(sorted((e for e in evidence if e.dimension in _KEPT), key=lambda e: e.dimension))
    return LockedServer(reach, root(pins), tuple(written), package, known)


def tree_of(servers: Mapping[str, LockedServer], signatures: list[Any]) -> Json:
    """The file as JSON. `signatures` are those of the file before: they say which version comes next."""
    tree: Json = {
        "format": FORMAT,
        "servers": {name: msgspec.to_builtins(each) for name, each in servers.items()},
    }
    return {**tree, "signatures": signatures} if signatures else tree


def written(tree: Json) -> bytes:
    """The text of a lockfile."""
    return f"{_laid_out(tree, 0)}\n".encode()


def _approved(pins: tuple[LockedPin, ...]) -> tuple[Pin, ...]:
    return tuple(Pin(p.aspect, p.name, p.digest, p.definition, 0.0, (BY,)) for p in pins)


def _laid_out(value: Any, depth: int) -> str:
    if isinstance(value, dict) and value and depth < _OBJECTS:
        inner = [f"{_text(name)}: {_laid_out(value[name], depth + 1)}" for name in sorted(value)]
        return _block("{", inner, "}", depth)
    if isinstance(value, list | tuple) and value and depth <= _OBJECTS:
        return _block("[", [_laid_out(each, depth + 1) for each in value], "]", depth)
    return _text(value)


def _block(opening: str, inner: list[str], closing: str, depth: int) -> str:
    margin = "\n" + " " * (depth + 1)
    return f"{opening}{margin}{f',{margin}'.join(inner)}\n{' ' * depth}{closing}"


def _text(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, allow_nan=False)
    if prints(text):
        return text
    # outside of strings all of it prints, so an escape is always within one
    return "".join(each if prints(each) else json.dumps(each)[1:-1] for each in text)
