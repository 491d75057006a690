"""Canary values: planted where nobody should look, so that whoever sends or shows one is caught."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from bawn.detectors.engine import Patterns
from bawn.model import Detection, Severity, Surface
from bawn.ports.inspecting import Wanted

LEAST: Final = 8
"""Characters of a canary: shorter ones stand in texts by chance."""

LONGEST: Final = 256

# Between characters that were spread: blanks, as they stand or escaped in JSON.
_BLANKS: Final = r"(?:\s|\\[nrt])*"


class Canaries:
    """Finds planted values as they stand, in any case, spread by blanks, in base64, hex or URL escapes.

    Raises:
        ValueError: a value is shorter than `LEAST` or longer than `LONGEST` characters.
    """

    id = "canary"
    surfaces = frozenset(Surface)
    forms: Wanted = "all"

    def __init__(self, values: Mapping[str, str]) -> None:
        patterns: list[str] = []
        self._names: list[str] = []
        for name, value in values.items():
            if not LEAST <= len(value) <= LONGEST:
                raise ValueError(f"the canary {name} needs {LEAST} to {LONGEST} characters")
            mine = list(_patterns(value))
            patterns += mine
            self._names += [name] * len(mine)
        self.triggers: Sequence[str] = tuple(patterns)
        self._patterns = Patterns(patterns) if patterns else None

    def detect(self, text: str, surface: Surface) -> Sequence[Detection]:
        """Where planted values are; the evidence is a canary's name alone."""
        if self._patterns is None:
            return []
        data = text.encode("utf-8", "surrogatepass")
        found: list[Detection] = []
        ends: dict[str, int] = {}
        offset = at = 0
        for match in self._patterns.find(data):
            name = self._names[match.pattern]
            at += len(data[offset : match.start].decode("utf-8", "surrogatepass"))
            offset = match.start
            end = at + len(data[match.start : match.end].decode("utf-8", "surrogatepass"))
            if at >= ends.get(name, 0):
                found.append(Detection(f"canary/{name}", Severity.CRITICAL, at, end, name))
                ends[name] = end
        return found


def _patterns(value: str) -> Iterator[str]:
    data = value.encode()
    yield _BLANKS.join(_written(character) for character in value)
    yield r"[\s:]*".join(f"{byte:02x}" for byte in data)
    seen = set()
    for offset, lost in ((0, 0), (1, 2), (2, 3)):
        # what stands before shifts the groups of three bytes; letters shared with neighbours are left out
        kept = (offset + len(data)) * 8 // 6
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            seen.add(encode(bytes(offset) + data).decode()[lost:kept])
    for core in sorted(seen):
        yield f"(?-i:{_BLANKS.join(_literal(each) for each in core)})"


def _written(character: str) -> str:
    """A character as it stands, escaped in JSON, or in a URL."""
    data = character.encode()
    url = "".join(f"%{byte:02x}" for byte in data)
    units = character.encode("utf-16-be").hex()
    json = "".join(rf"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))
    return rf"(?:\\?{_literal(character)}|{url}|{json})"


def _literal(character: str) -> str:
    return "".join(rf"\x{byte:02x}" for byte in character.encode())
