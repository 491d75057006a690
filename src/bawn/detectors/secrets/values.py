"""What a value looks like: made up to show where a secret goes, or drawn at random as secrets are."""

from __future__ import annotations

import re
from collections import Counter
from itertools import pairwise
from math import log2
from typing import Final

LONGEST: Final = 512
"""Characters of one value."""

_JUDGED: Final = 96  # characters of a value by which it is judged


def words(text: str) -> frozenset[str]:
    """The words of a list."""
    return frozenset(text.split())


_STANDS_FOR: Final = re.compile(
    r"example|sample|place.?holder|change.?me|dummy|redacted|removed|hidden|masked|omitted|censored"
    r"|your[-_ .]|[-_ .]your|^your|my[-_ .](?:secret|token|key|pass|api|access)|fake|not[-_ ]?real|insert|replace"
    r"|todo|goes[-_ ]?here|xxxxx|\*\*\*|\.\.\.|…|•••|-----$|_____|<[^<>]*>|\$\{|\$\(|\{\{|\{[a-z_][\w.]*\}|%\(|%[a-z_]+%"
    r"|^\$[a-z_]|^@[a-z_]+$|process\.env|environ|getenv|secrets\.|env\.|vault:|keyring:|^ref\+|^op://|^arn:|^file:"
    r"|^data:|^sha(?:1|256|384|512)[-:]|^md5[-:]|base64\(|^\[.*\]$|lorem|foobar|^\[?sealed:|12345678(?:9|$)",
    re.I,
)
_WORDS: Final = re.compile(r"[A-Za-z0-9]+")
_PIECES: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
# Pairs of letters that stand next to each other in most words of European languages.
_PAIRS: Final = words(
    "th he in er an re nd at on nt ha es st en ed to it ou ea hi is or ti as te et ng of al de se le sa si ar"
    " ve ra ld ur ro ri io ic ne me li ll co ch ma om el la ce no ec ta pe tr ec us un ns ss ot di wo id ad ai"
    " il ol ac be ca ge sh so wa we ee oo ke em ho lo pr pa po mo am op sc ct ev im ut rs ly ie ul ap fo do ag"
    " bl ow ay if pl ex ni su tu vi ir ty bu ab ob ig ck cl cr gr up rt nc qu ui va vo av od os na mi per ab eb bo fa ok da ep gi gu ba bi bu ki ke lu mu my ny oc og ph pi pu qu rn ru sc sk sp su tw ty ud uf ug um"
)


def placeholder(value: str) -> bool:
    """Whether a value only shows where a secret goes: `your-key`, `xxxx`, `${TOKEN}`, `abcdef123456`."""
    value = value[:_JUDGED]
    if _STANDS_FOR.search(value):
        return True
    plain = "".join(_WORDS.findall(value.lower()))
    if len(set(plain)) <= (4 if len(plain) >= 12 else 2):
        return True
    return _in_order(plain) * 2 > len(plain)


def entropy(value: str) -> float:
    """Shannon's, in bits for each character."""
    total = len(value)
    return -sum(n / total * log2(n / total) for n in Counter(value).values()) if total else 0.0


def disorder(value: str) -> int:
    """How many of its letters and digits stand in parts that are neither words nor plain numbers."""
    return sum(len(word) for word in _WORDS.findall(value[:_JUDGED]) if not _regular(word))


def kinds(value: str) -> int:
    """How many of these it has: small letters, capitals, digits, other characters."""
    return sum(
        (
            any(map(str.islower, value)),
            any(map(str.isupper, value)),
            any(map(str.isdigit, value)),
            not value.isalnum(),
        )
    )


def _in_order(plain: str) -> int:
    """How many characters stand in runs of three and more that count up, down or stay the same."""
    total = run = 0
    step = 9
    for before, after in pairwise(plain):
        now = ord(after) - ord(before)
        if now == step and abs(now) <= 1:
            run += 1
        else:
            total += run if run >= 3 else 0
            run = 2
            step = now if abs(now) <= 1 else 9
    return total + (run if run >= 3 else 0)


def _regular(word: str) -> bool:
    """Whether it is a number, or words in any case with a short number behind: `serverV2`."""
    if word.isdigit() or len(word) < 4:
        return True
    pieces = _PIECES.findall(word)
    letters = [piece for piece in pieces if not piece.isdigit()]
    if len(pieces) - len(letters) > 1 or (letters != pieces and len(letters) > 3):
        return False
    if len(letters) > 2 and len(word) < 3.6 * len(pieces):
        return False
    return all(_spoken(piece) for piece in letters)


def _spoken(piece: str) -> bool:
    """Whether letters can be said: most of their pairs are those of words."""
    if len(piece) <= 3:
        return True
    low = piece.lower()
    pairs = [low[at : at + 2] for at in range(len(low) - 1)]
    share = 0.45 if len(piece) < 16 else 0.6  # a long word has no room for chance
    return len(piece) <= 4 or sum(pair in _PAIRS for pair in pairs) >= share * len(pairs)
