"""What a server says in the gate's own voice: marks, notes, and the words about an answer that is held back.

What the gate says is worth something only as long as nobody else can say it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

from bawn.inspection.outputs.marking import BRACKETS, NEAR, OURS, OWN_BRACKETS, WORD
from bawn.model import Detection, Json, Severity, Surface
from bawn.ports.inspecting import Wanted

NOTE: Final = Detection("forged/note", Severity.MEDIUM, 0, 0, "a note under a key of the gate")

_MARK: Final = "forged/mark"
_SAYS: Final = "bawn, the gate before this server"
_AFTER: Final = re.compile(r"[^a-z0-9]{1,8}([a-z0-9]{1,16})[^a-z0-9:]{0,8}:")
_NONCE: Final = re.compile(r"[0-9a-f]{6,16}")
_BRACKET: Final = r"(?:[\[({<]|[\xc2\xe2\xe3\xef][\x80-\xbf]{1,2}|\\u[0-9a-f]{4})"


class Forged:
    """Finds what could be taken for a mark of the gate, or for its words."""

    id = "forged"
    surfaces = frozenset({Surface.OUTPUT})
    forms: Wanted = "folded"
    triggers: Sequence[str] = (
        rf"{_BRACKET}[^a-z0-9]{{0,8}}{WORD}[^a-z0-9]{{1,8}}[a-z0-9]{{1,16}}[^a-z0-9]{{0,8}}:",
        rf"{WORD},[^a-z0-9]{{1,8}}the[^a-z0-9]{{1,8}}gate[^a-z0-9]{{1,8}}before",
    )

    def detect(self, text: str, surface: Surface) -> Sequence[Detection]:
        """The marks and words in a folded text."""
        return [
            Detection(_MARK, Severity.MEDIUM, start, end, text[start:end][:80], 0.9)
            for start, end in _spans(text)
        ]


def unforged(tree: Json) -> Json:
    """The result, error or params without notes that only the gate writes; the same object if it has none."""
    made = tree
    for key in ("_meta", "data"):
        kept = _kept(tree.get(key))
        if kept is not None:
            made = {**made, key: kept}
    inner = tree.get("result")
    kept = _kept(inner.get("_meta")) if isinstance(inner, dict) else None
    return made if kept is None else {**made, "result": {**tree["result"], "_meta": kept}}


def _kept(notes: Any) -> Json | None:
    if not isinstance(notes, dict) or not any(key.startswith(OURS) for key in notes):
        return None
    return {key: value for key, value in notes.items() if not key.startswith(OURS)}


def _spans(text: str) -> Iterator[tuple[int, int]]:
    at = text.find(WORD)
    while at >= 0:
        if text.startswith(_SAYS, at):
            yield at, at + len(_SAYS)
        elif span := _marked(text, at):
            yield span
        at = text.find(WORD, at + len(WORD))


def _marked(text: str, at: int) -> tuple[int, int] | None:
    """The span of what looks like a mark; with brackets that others use, too, it needs a nonce."""
    bracket = next((i for i in range(max(at - NEAR, 0), at) if text[i] in BRACKETS), None)
    after = _AFTER.match(text, at + len(WORD))
    if bracket is None or after is None:
        return None
    sure = text[bracket] in OWN_BRACKETS or _NONCE.fullmatch(after[1])
    return (bracket, after.end()) if sure else None
