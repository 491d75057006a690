"""Words by which a text is told that says something else than it seems to: backwards, in ROT13, in digits."""

from __future__ import annotations

import codecs
from typing import Final


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


TELLING: Final = _words(
    """
    admin administrator assistant bypass command commands concealed confidential credential credentials
    delete developer directive directives disregard environment execute exfiltrate forget forward guideline
    guidelines hidden ignore ignoring inform instruction instructions invoke jailbreak override overwrite
    password passwords previous previously private prompt prompts recipient restrictions reveal script
    secret secrets secretly silently system token tokens transfer upload
    """
)
"""What texts that give orders to a model seldom do without. None of them is another word backwards."""

_OTHERS: Final = _words(
    """
    a about above after all also always an and any api as at be before but by call can contents curl data
    do does email every exactly file files first following for from get give go has have http https i if in
    into is it key keys let list mail make me mention message messages must my never new no not now of on
    only open or other our out over own please post print read reply response rules run say see send server
    show so ssh tell text that the their them then these they this to tool tools url use user users using
    was we what when where which will with without you your
    """
)

WORDS: Final = TELLING | _OTHERS
LONGEST: Final = max(map(len, WORDS))

BACKWARDS: Final = frozenset(word[::-1] for word in TELLING)
_EVERYWHERE: Final = _words(
    """
    also and answer assistant before email everything from give have into message model must only page
    please reply respond send should tell that the them then this user will with would write you your
    """
)
"""What few English texts do without. None of them is a word in ROT13, which most short ones are."""

ROTATED: Final = frozenset(codecs.encode(word, "rot13") for word in TELLING | _EVERYWHERE)
