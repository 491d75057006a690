"""What shows in the bytes of a message that something in it may be disguised: patterns for gates.

They are to be rare in ordinary messages, for what has one of them is looked at in all its forms. A message
may be JSON, and what is not ASCII in it escaped (`\\u0456`) or not.
"""

from __future__ import annotations

from typing import Final

from bawn.detectors.telling import BACKWARDS, ROTATED

_UNSEEN: Final = (
    r"(?:\xc2\xad|\xcd\x8f|\xe2\x80[\x8b-\x8f\xaa-\xae]|\xe2\x81[\xa0-\xaf]|\xef\xbb\xbf|\xe1\xa0\x8e|\xe3\x85\xa4"
    r"|\\u(?:00ad|034f|200[b-f]|202[a-e]|206[0-9a-f]|feff|3164))"
)
_WRITTEN: Final = r"[\xcd-\xd6][\x80-\xbf]|\xe1[\x8e\x8f\x90-\x99][\x80-\xbf]"
_ESCAPES: Final = r"\\u(?:03[7-9a-f][0-9a-f]|0[45][0-9a-f]{2})"
_CLOSE: Final = r"(?:\xd0[\x90-\x9f\xb0\xb5\xbe]|\xd1[\x80\x81\x83\x85\x95\x96\x98]|\xce[\x91-\xa7\xbf\xb1]|\\u04(?:3[05e]|4[0135]|5[568]|1[0-9a-f]|2[0-5])|\\u03(?:9[1-9a-f]|a[0-7]|b[1f]))"
_MARK: Final = r"(?:\xcc[\x80-\xbf]|\xcd[\x80-\xaf]|\\u03[0-6][0-9a-f])"
_FANCY: Final = (
    r"(?:\xf0\x9d[\x90-\x9f][\x80-\xbf]|\xef\xbc[\xa1-\xba]|\xef\xbd[\x81-\x9a]|\xe2\x92[\x9c-\xbf]|\xe2\x93[\x80-\xa9]"
    r"|\xe1\xb4[\x80-\xbf]|\xe1\xb5[\x80-\xaa]|[\xc9\xca][\x80-\xbf]|\xca[\xb0-\xb8]|\xea\x9c[\xb0\xb1]|\xea\x93[\x90-\xb7]"
    r"|\xf0\x9f\x85[\x90-\xa9\xb0-\xbf]|\xf0\x9f\x86[\x80-\x89]|\\ud835\\ud[cd][0-9a-f]{2}|\\uff[2-5][0-9a-f])"
)

ACCENTED: Final = (r"[a-z][\xc3-\xca][\x80-\xbf]|[\xc3-\xca][\x80-\xbf][a-z]|\\u0[012][0-9a-f]{2}",)
"""Letters of the Latin script with accents: words in ASCII may be hidden by them."""

LETTERS: Final = (
    rf"(?:^|[^\\])[a-z](?:{_WRITTEN})",
    rf"[^\\0-9a-f][a-z]{_ESCAPES}",  # an escape before it may end in a letter
    rf"[^\\][g-z]{_ESCAPES}",
    rf"(?:{_WRITTEN}|{_ESCAPES})[a-z]",
    rf"[a-z]{{2}}[ ,.]{_CLOSE}{{1,12}}[ ,.][a-z]{{2}}",
    rf"[a-z]{_MARK}[a-z]{_MARK}",
    rf"[a-z]{_MARK}{_MARK}",
    rf"{_FANCY}[ ]?{_FANCY}[ ]?{_FANCY}",
    r"(?:\xf0\x9f\x87[\xa6-\xbf][ \xe2\x80\x8b]{0,3}){5}",
)
"""Letters that stand in for others, or have something unseen between them."""

HIDDEN: Final = (
    rf"[a-z]{_UNSEEN}",
    rf"{_UNSEEN}{{4}}",
    r"\xe2\x80[\xaa\xab\xad\xae]|\\u202[abde]|\xe2\x81[\xa6\xa7]|\\u206[67]",
    r"\xf3\xa0[\x80-\x81][\x80-\xbf]|\\udb40\\udc[0-7]",
    r"(?:\xef\xb8[\x80-\x8f]|\xf3\xa0[\x84-\x87][\x80-\xbf]|\\ufe0[0-9a-f]|\\udb40\\udd[0-9a-f]{2}){3}",
    r"(?:\xee[\x80-\xbf]{2}|\xef[\x80-\xa3][\x80-\xbf]|\xf3[\xb0-\xbf][\x80-\xbf]{2}|\xf4[\x80-\x8f][\x80-\xbf]{2}|\\u(?:e|f[0-8])[0-9a-f]{2,3}){6}",
)
"""Characters that nobody sees, or that only somebody knows."""

APART: Final = (r"(?:^|[^a-z0-9])[a-z0-9](?:[ ._*~|/+\n\t-]{1,3}[a-z0-9]){4}",)
"""The same as `SPACED`, in one text and less strict."""

SPACED: Final = (
    r"[^a-z0-9][a-z](?:[ ._*~|/-]{1,2}[a-z]){4}[^a-z0-9]",
    r"(?-i:^[A-Za-z](?:[ ._*~|/-]{1,2}[A-Za-z]){4}[^A-Za-z0-9])",
)
"""Letters that stand apart from each other."""

ESCAPED: Final = (
    r"\\u00[4567][0-9a-f]",
    r"\\u\{[0-9a-f]{2,6}\}",
    r"(?:\\{1,2}x[2-7][0-9a-f]){3}",
    r"%(?:25){0,3}(?:[46][1-9a-f]|[57][0-9a])",
    r"[a-z]{2}%(?:25)+20[a-z]{2}",
    r"(?:[a-z]{2,16}%20){2}[a-z]{2}",
    r"&#0{0,4}(?:6[5-9]|[78][0-9]|9[07-9]|1[01][0-9]|12[0-2]);",
    r"&#x0{0,4}(?:[46][1-9a-f]|[57][0-9a]);",
)
"""Letters that are written as escapes, which they need not be; and several words of a URL."""

ENCODED: Final = (
    r"(?-i:(?:[I-Za-f][AC-HQS-Xgi-nwyz0-3][ABEFIJMNQRUVYZcdghklopstwx014589][A-Za-z0-9+/_-]){5})",
    r"(?-i:(?:0[I-L][DHLPTXbfjnrvz37/_][QR][g-v][Ndt9][CG][A-Za-z0-9+/_-]){2})",
    r"(?-i:(?:[I-Za-f][AQgw][AB][A-Za-z0-9+/]A[C-H][AEIMQUYcgkosw048]A){3})",
    r"(?-i:[A-Z2-7]{32})",
    r"(?:[2-7][0-9a-f]){16}",
)
"""Stretches that are text in base64 (of UTF-8 and UTF-16), base32 and hexadecimal, by how ASCII looks in them."""


_DIGITS: Final = {
    "a": "4@",
    "b": "8",
    "e": "3",
    "i": "1!|",
    "l": "1|",
    "o": "0",
    "s": "5$",
    "t": "7+",
}


def _digits(word: str) -> str:
    """The word with at least one digit or sign in the place of a letter."""
    either = [f"[{letter}{_DIGITS.get(letter, '')}]" for letter in word]
    return "|".join(
        f"{word[:at]}[{_DIGITS[letter]}]{''.join(either[at + 1 :])}"
        for at, letter in enumerate(word)
        if letter in _DIGITS
    )


_LEAST: Final = 6  # letters of a word that is looked for without its neighbours
_ORDERS: Final = (
    "disregard",
    "ignore",
    "instruction",
    "override",
    "password",
    "previous",
    "prompt",
    "secret",
    "system",
)

DIGITS: Final = tuple(_digits(word) for word in _ORDERS)
"""Telling words with digits in the place of letters."""

TURNED: Final = (
    *(word for word in sorted(ROTATED | BACKWARDS) if len(word) >= _LEAST),
    rf"\b(?:{'|'.join(word for word in sorted(ROTATED) if len(word) < _LEAST)})\b",
)
"""Telling words in ROT13, or backwards."""

DEAR: Final = (*SPACED, ENCODED[0])
"""What takes long to look for."""

HINTS: Final = (
    r"(?-i:[A-Za-z0-9+/_-]{20})",
    r"(?:^|[^a-z0-9])[a-z][ ._*~|/-]{1,2}[a-z][ ._*~|/-]{1,2}[a-z][ ._*~|/-]",
)
"""What is quick to look for, and is in every message that has one of those."""

QUICK: Final = (*ESCAPED, *ENCODED[1:], *DIGITS, *TURNED)

PLAIN: Final = (*DEAR, *QUICK)
"""What a message in ASCII may have."""

OTHERWISE: Final = (*LETTERS, *HIDDEN)
"""What a message may have that is not in ASCII, or has escapes of what is not."""
