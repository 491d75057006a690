"""Passages by authors who know neither each other's wordings nor ours: each can be left out whole."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from training.outputs.example import Example

_HERE: Final = Path(__file__).with_name("authors")

FAMILY: Final = "author/"


class _Passage(msgspec.Struct, forbid_unknown_fields=True):
    label: str  # attack or benign
    family: str
    lang: str
    text: str


def authors() -> Iterator[Example]:
    """All their passages, by author."""
    decoder = msgspec.json.Decoder(_Passage)
    for path in sorted(_HERE.glob("*.jsonl")):
        for line in path.read_bytes().splitlines():
            each = decoder.decode(line)
            group = f"{path.stem}/{each.family}"
            yield Example(each.text, int(each.label == "attack"), f"{FAMILY}{path.stem}", "", group)
