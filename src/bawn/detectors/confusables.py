"""Letters that look like letters of ASCII. The facts are those of UTS #39; the table is our own.

What NFKC makes ASCII of (fullwidth, mathematical, circled and raised letters) is not in it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from typing import Final

_LATIN: Final = {
    "a": "ɑᴀꞛ", "b": "ʙɓƀᴃ", "c": "ᴄƈȼↄ", "d": "ᴅɖɗđȡ", "e": "ᴇɛəɘǝҽꬲ", "f": "ꜰƒꞙ", "g": "ɡɢɠǥ",
    "h": "ʜħɦɥ", "i": "ıɪɨɩꙇ", "j": "ȷᴊɉʝ", "k": "ᴋƙ", "l": "ʟłƚɫɭⅼǀ", "m": "ᴍɱ", "n": "ɴɲɳƞŋ",
    "o": "øᴏɵꝋ", "p": "ᴘƥᵽ", "q": "ꞯɋʠ", "r": "ʀɾɽɍꭇ", "s": "ꜱʂȿ", "t": "ᴛŧƭʈ", "u": "ᴜʉʊꭎ",
    "v": "ᴠʋⱱ", "w": "ᴡɯⱳ", "x": "ꭓ", "y": "ʏɏƴỿ", "z": "ᴢƶȥʐ",
}  # fmt: skip
"""Letters of the Latin script itself, which are always taken for those of ASCII."""

_OTHER: Final = {
    "A": "АΑᎪᗅᗩꓮ", "B": "ВΒᏴᗷꓐᛒ", "C": "СϹᏟᑕꓚ", "D": "ᎠᗞᗪꓓԀ", "E": "ЕΕᎬᗴꓰЄ", "F": "ϜᖴꓝԲ", "G": "ԌᏀᏳꓖ",
    "H": "НΗᎻᕼꓧ", "I": "ІΙӀꓲ", "J": "ЈͿᎫᒍꓙ", "K": "КΚᏦꓗ", "L": "ᏞᒪꓡԼ", "M": "МΜᎷᗰꓟ", "N": "ΝꓠᑎՈ",
    "O": "ОΟꓳՕⲞ", "P": "РΡᏢᑭꓑ", "Q": "Ԛ", "R": "ᎡᏒᖇꓣ", "S": "ЅՏᏚᔕꓢ", "T": "ТΤᎢꓔ", "U": "ՍᑌꓴԱ",
    "V": "ѴᏙᐯꓦ", "W": "ԜᎳᗯꓪ", "X": "ХΧ᙭ꓫ", "Y": "УΥҮꓬ", "Z": "ΖᏃꓜ",
    "a": "аα", "b": "Ььβ", "c": "сϲ", "d": "ԁժ", "e": "еєε", "f": "ք", "g": "ցԍ", "h": "һհ", "i": "іι",
    "j": "јϳյ", "k": "кκ", "l": "ӏ", "m": "м", "n": "ոη", "o": "оοօσ", "p": "рρ", "q": "ԛգզ", "r": "г",
    "s": "ѕ", "t": "тτ", "u": "սυμ", "v": "ѵν", "w": "ԝա", "x": "хχ", "y": "уүγ",
}  # fmt: skip
"""Letters of other scripts, which are taken for those of ASCII where they stand in for them."""

_LOOSE: Final = {
    "n": "пи",
    "r": "я",
    "u": "ц",
    "w": "шщω",
    "d": "δ",
    "l": "λ",
    "p": "þ",
    "x": "ж",
    "o": "θ",
}
"""The same, but a word of such letters alone is never taken for a Latin one."""

_SYMBOLS: Final = (
    (0x1F1E6, 26),  # regional indicators
    (0x1F150, 26),  # negative circled
    (0x1F170, 26),  # negative squared
    (0x1F110, 26),  # in parentheses
    (0x249C, 26),
)


def _pairs(table: dict[str, str]) -> Iterator[tuple[str, str]]:
    for letter, alike in table.items():
        for each in alike:
            yield each, letter.lower()
            capital = each.upper()
            if len(capital) == 1 and not capital.isascii() and letter.islower():
                yield capital, letter


LATIN: Final = dict(_pairs(_LATIN)) | {
    chr(start + offset): chr(ord("a") + offset)
    for start, count in _SYMBOLS
    for offset in range(count)
}
"""To the letter that each looks like: in any text."""


def _other() -> dict[str, str]:
    """Capitals come first in the table and are kept: what is small may look unlike its capital."""
    known: dict[str, str] = {}
    for each, letter in (*_pairs(_OTHER), *_pairs(_LOOSE)):
        known.setdefault(each, letter)
    for code in range(0x370, 0x530):
        base = unicodedata.normalize("NFD", chr(code))[0]
        if base in known:
            known.setdefault(chr(code), known[base])
    for each in tuple(known):
        if len(small := each.lower()) == 1:
            known.setdefault(small, known[each])
    return known


OTHER: Final = _other()
"""To the letter that each looks like: in words that mix scripts."""

_LOOSELY: Final = frozenset("".join(_LOOSE.values()))
CLOSE: Final = frozenset(each for each in OTHER if each.lower() not in _LOOSELY)
"""Those of them of which a whole word may stand for a Latin one."""
