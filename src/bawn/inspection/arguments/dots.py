"""Dots and separators of paths in every form that some reader takes for climbing."""

from __future__ import annotations

import re
from typing import Final

from bawn.inspection.arguments.lax import decoded

ENCODED: Final = re.compile(
    r"%(?:[01][0-9a-f]|2[def]|3[0-9ab]|60|7c|[46][1-9a-f]|[57][0-9a]|5c|25|c[01]|e0%[89]|f[08c]%8|u[0-9a-f]{4}|%|[0-9a-f]{0,1}%)|&(?:apos|quot|lt|gt|amp|#x?\w{1,6});",
    re.IGNORECASE,
)
"""Letters, dots and separators in percent or entity form. A blank as `%20` is none."""

_DOTTED: Final = re.compile(
    r"\.\.(?:%|0x|;)|[.?][.?](?:[%;\\]|0x)|(?:^|[/\\])\.{2,}[/\\]{0,2}\.?[/\\].{0,4}\.{2,}|[/\\]\.[/\\]{2,}|\.[\\][/]|\\{1,2}/|/\\|0x2e0x2e"
)
_SEPARATORS: Final = re.compile(r"[/\\]")


def climbs(value: str, *, rooted: bool) -> bool:
    """Whether dots of a path climb out of its start, or are written so that some reader's would.

    With `rooted` plain dots are left to the real path.
    """
    if _DOTTED.search(value):
        return True
    plain = decoded(value)
    if plain == value and rooted:
        return _odd(value)
    return _deep(plain) or _odd(plain)


def _deep(path: str) -> bool:
    parts, depth = _SEPARATORS.split(path), 0
    if parts[0] == "" and ".." in parts:
        return True
    for part in parts:
        if part == "..":
            depth -= 1
            if depth < 0:
                return True
        elif part not in ("", "."):
            depth += 1
    return False


def _odd(path: str) -> bool:
    """Components of dots and blanks, or of dots and question marks, that are not `.` and `..`."""
    parts = _SEPARATORS.split(path)
    last = len(parts) - 1
    for at, part in enumerate(parts):
        bare = part.strip(" \x01\x00;")
        # `./...` names all packages to the Go tools
        if (
            len(bare) > 1
            and not bare.strip(".?")
            and part != ".."
            and not (bare == "..." and at == last)
        ):
            return True
    return False
