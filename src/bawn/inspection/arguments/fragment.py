"""Fragments of command lines: what was made to be put into, or behind, another one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from bawn.inspection.arguments.found import found
from bawn.model import Detection

_WINDOW: Final = 400
"""Characters at either end in which a fragment shows."""

_BEGINS: Final = re.compile(
    r"(?:[\s+$^'\"\\)(]|%20|[a-z0-9]{1,3}\*?[)'\"])*(?:;(?![;:])|\|(?!=)|&(?![>#\w])|&&|`|%26|%7c|%3b|%0[ad]|\\n|\\r|\$\(\s*`?|\)\s*[;|&])",
    re.IGNORECASE,
)
_ENDS: Final = re.compile(
    r"(?:[^|]\||\|\||&&|[;|&]\s*#|\\n|\\r|%0[ad]|[;|&]\s*//)\s*\Z", re.IGNORECASE
)
_ENCODED: Final = re.compile(
    r"(?:^|[\s\w./*'\"])(?:%0[ad]|%3b|%7c|%26%26|%60|%24%28)(?=[\w/+%{ '\"$]|\Z)|\$%26|&lt;!--|&quot;\s*[;|&]",
    re.IGNORECASE,
)
_FOREIGN: Final = re.compile(
    r"(?:^|[;|&'\"]|\)\s)(?:\s|%20)*(?:@?(?:system|exec|eval|passthru|shell_exec|popen|proc_open|assert|phpinfo|include|require|__import__)\s*\(|sleep\s*\(|<\?(?:php|=)|<!--\s*#|<%|\{%|\{\{|\$?\{\s*\$\{?|\$\{\{|<\{|#\{)",
    re.IGNORECASE,
)
_TERMINAL: Final = re.compile(r"\\(?:033|x1b|e|u001b)\[", re.IGNORECASE)
_PRINTS: Final = re.compile(
    r"\s*(?:sudo\s+)?(?:echo|printf|print|date|awk|seq|find|stat|git|docker|curl|PS1=|export)\b"
)
_KEYS: Final = re.compile(r"<[A-Za-z0-9 :|/\\]{1,24}>")


def edges(value: str) -> Iterator[Detection]:
    """Separators at the ends, in clear or encoded, and calls of other languages where a command stands."""
    head, tail = value[:_WINDOW], value[-_WINDOW:]
    begins = _BEGINS.match(head)
    if begins and not _KEYS.match(head):
        yield found("command-fragment", value, 0, begins.end())
    elif (ends := _ENDS.search(tail)) and not _PRINTS.match(head) and not _KEYS.search(tail):
        yield found("command-fragment", value, len(value) - len(tail) + ends.start(), len(value))
    encoded = _ENCODED.search(head)
    if encoded and "://" not in head[: encoded.start()] and not _PRINTS.match(head):
        yield found("command-encoded", value, encoded.start(), encoded.end())
    foreign = _FOREIGN.search(head)
    if foreign and not _KEYS.match(head) and (foreign.start() == 0 or not _PRINTS.match(head)):
        yield found("command-foreign", value, foreign.start(), foreign.end())
    terminal = _TERMINAL.search(head)
    if terminal and not _PRINTS.match(head):
        yield found("command-foreign", value, terminal.start(), terminal.end())


def unbalanced(value: str) -> bool:
    """Whether a quote is opened and never closed, or the other way round, as a shell reads quotes."""
    if "'" not in value and '"' not in value:
        return False
    quote, escaped = "", False
    for character in value:
        if escaped:
            escaped = False
        elif character == "\\" and quote != "'":
            escaped = True
        elif quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
    return bool(quote)
