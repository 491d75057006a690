"""Whether a URI can come from a URI template: for routing only, in time linear in the URI.

RFC 6570 expressions are told apart in two kinds: `{x}` stands for text without a slash, any with an
operator or a modifier for any text.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

EXPRESSIONS: Final = 32
"""Templates with more are not offered: each one is tried for a URI that no list names."""


@lru_cache(16_384)  # above `limits.tools`, or a long list would be read anew for each URI
def _parts(template: str) -> tuple[tuple[str, bool], ...]:
    """Pairs of an expression's freedom to hold slashes and the literal after it, in order."""
    head, *rest = template.split("{")
    parts: list[tuple[str, bool]] = [(head, False)]
    for piece in rest:
        expression, _, literal = piece.partition("}")
        simple = expression.isidentifier()
        parts.append((literal, not simple))
    return tuple(parts)


def matches(template: str, uri: str) -> bool:
    """Whether the literals of the template stand in the URI in order, with fitting text between."""
    head = template.partition("{")[0]
    if not uri.startswith(head):  # most are told apart here, unread
        return False
    _, *rest = _parts(template)
    position = len(head)
    for index, (literal, slashes) in enumerate(rest):
        last = index == len(rest) - 1
        first = position if slashes else position + 1  # what has an operator may expand to nothing
        if last:
            end = len(uri) - len(literal) if uri.endswith(literal) else -1
        else:
            end = uri.find(literal, first)
        if end < first or (not slashes and "/" in uri[position:end]):
            return False
        position = end + len(literal)
    return position == len(uri)
