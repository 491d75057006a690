"""A saved listing: the result of tools/list and its like, or the bare list of tools."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from bawn.assurance.scanning.target import Target
from bawn.config import files
from bawn.errors import Misconfigured, Refused
from bawn.model import Json
from bawn.pins.record import Aspect
from bawn.protocol.strict import JsonLimits, careful

LARGEST: Final = 64 << 20
"""Bytes of a saved listing: ten thousand tools of 2 KB take a third."""

_LIMITS: Final = JsonLimits(depth=256, nodes=10_000_000)
_LISTS: Final[dict[str, Aspect]] = {
    "tools": "tool",
    "prompts": "prompt",
    "resourceTemplates": "template",
}
_EXPECTED: Final = 'expected the result of tools/list, such as {"tools": [...]}, or a list of tools'


def read(path: Path) -> Target:
    """What a file says that a server offers; the server is called as the file is.

    Raises:
        Misconfigured: it cannot be read, or is no listing; with the place and what was expected.
    """
    try:
        content, _ = files.read(path, LARGEST)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "not a usable path"
        raise Misconfigured(f"{path}: cannot be read ({why}); {_EXPECTED}") from None
    if len(content) > LARGEST:
        raise Misconfigured(f"{path}: larger than {LARGEST} bytes")
    return parse(content, path.stem, str(path))


def parse(content: bytes, name: str, file: str) -> Target:
    """The same of its content.

    Raises:
        Misconfigured: it is no listing.
    """
    try:
        tree = careful(content, _LIMITS)
    except Refused as refused:
        why = refused.public or refused.message
        raise Misconfigured(f"{file}: not acceptable JSON: {why}; {_EXPECTED}") from None
    except UnicodeDecodeError:
        raise Misconfigured(f"{file}: not UTF-8; {_EXPECTED}") from None
    return Target(name=name, group="", file=file, definitions=_definitions(tree, file))


def _definitions(tree: Any, file: str) -> dict[Aspect, tuple[Json, ...]]:
    if isinstance(tree, list):
        return {"tool": _listed(tree, "tools", file)}
    if isinstance(tree, dict) and isinstance(tree.get("result"), dict):
        tree = tree["result"]
    if not isinstance(tree, dict) or _LISTS.keys().isdisjoint(tree):
        raise Misconfigured(f"{file}: {_EXPECTED}")
    found = {aspect: _listed(tree[key], key, file) for key, aspect in _LISTS.items() if key in tree}
    if isinstance(text := tree.get("instructions"), str):
        found["instructions"] = ({"text": text},)
    return found


def _listed(value: Any, key: str, file: str) -> tuple[Json, ...]:
    if not isinstance(value, list):
        raise Misconfigured(f"{file}: `{key}`: expected a list of objects")
    for at, each in enumerate(value):
        if not isinstance(each, dict):
            raise Misconfigured(f"{file}: `{key}[{at}]`: expected an object, the definition")
    return tuple(value)
