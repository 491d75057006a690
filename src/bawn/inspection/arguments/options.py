"""Option injection: a value that the program which gets it reads as an option.

Source: CVE-2025-68144 and its like; `git`, `ssh`, `tar` and others run programs by options.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from bawn.inspection.arguments.found import found
from bawn.model import Detection

_DASHES: Final = "-\u2010\u2011\u2012\u2013\u2014\u2212\uff0d"
_NUMBER: Final = re.compile(r"-(?:\d[\d.,:eE+-]*)?")


def check(value: str) -> Iterator[Detection]:
    """An option in the place of a name, address or path; numbers and the lone dash are none."""
    text = value.lstrip()
    if text[:1] and text[0] in _DASHES and not _NUMBER.fullmatch(text):
        yield found("value-option", value, 0, min(len(value), 40))
