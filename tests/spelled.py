"""Examples of rules spelled out: `{a-z*8}` stands for eight characters of a-z, drawn but always the same.

So no file of the repository holds anything that looks like a secret.
"""

from __future__ import annotations

import random
import re
from typing import Final

_DRAWN: Final = re.compile(r"\{([^{}*]+)\*(\d+)\}")


def spelled(text: str, seed: int = 1) -> str:
    """The example with its characters drawn."""
    drawn = random.Random(f"{seed}|{text}")

    def draw(match: re.Match[str]) -> str:
        return "".join(drawn.choices(_alphabet(match[1]), k=int(match[2])))

    return _DRAWN.sub(draw, text)


def _alphabet(written: str) -> str:
    """The characters of a class, written as in a pattern: `a-z0-9_-`."""
    made, at = "", 0
    while at < len(written):
        if written[at + 1 : at + 2] == "-" and at + 2 < len(written):
            made += "".join(map(chr, range(ord(written[at]), ord(written[at + 2]) + 1)))
            at += 3
        else:
            made += written[at]
            at += 1
    return made
