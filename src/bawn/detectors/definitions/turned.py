"""Letters of a definition that stand for others: full width for ASCII, and ROT13, each in its place."""

from __future__ import annotations

from typing import Final

from bawn.detectors.definitions.concepts import meaning
from bawn.detectors.definitions.words import sentences
from bawn.detectors.telling import WORDS

_WIDE: Final = {0xFF01 + code: 0x21 + code for code in range(94)} | {0x3000: 0x20}
_ROT13: Final = str.maketrans("abcdefghijklmnopqrstuvwxyz", "nopqrstuvwxyzabcdefghijklm")
_NO_LETTERS: Final = {code: " " for code in range(128) if not chr(code).isalpha()}
_FEWEST: Final = 2  # words that are known when a sentence is turned, and not as it stands


def narrow(text: str) -> str:
    """The text with its full-width signs as ASCII; each stays in its place."""
    return text if text.isascii() else text.translate(_WIDE)


def rotated(folded: str) -> str | None:
    """A folded text with the sentences turned that say more in ROT13; None when none does."""
    made = list(folded)
    for start, end in sentences(folded):
        made[start:end] = _turned(folded[start:end])
    turned = "".join(made)
    return turned if turned != folded else None


def _turned(sentence: str) -> str:
    other = sentence.translate(_ROT13)
    known = _known(other)
    return other if known >= _FEWEST and known > 2 * _known(sentence) else sentence


def _known(folded: str) -> int:
    return sum(
        1
        for word in folded.translate(_NO_LETTERS).split()
        if len(word) > 1 and (word in WORDS or meaning(word))
    )
