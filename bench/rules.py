"""The policies that are measured: directories of so many rules, as a team would have them.

One permits what is called. The others are about people, tools and servers that no call of the bench
meets, as most rules are for most calls; those that look at arguments stay open for each call of any
tool, and have to be evaluated each time.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

SOME: Final = 10
"""Of so many rules one looks at arguments, where any does."""

ALL: Final = 1

_ALLOWED: Final = """
@id("developers")
permit (principal in Role::"developer", action in Action::"use", resource in Server::"mock");
"""
_OTHERS: Final = (
    """
@id("team-{n}")
permit (principal in Role::"team-{n}", action in Action::"use", resource in Server::"server-{n}");
""",
    """
@id("tool-{n}")
permit (principal, action in Action::"tools/call", resource == Tool::"mock/echo_{n}")
when {{ principal.roles.contains("team-{n}") }};
""",
    """
@id("agents-{n}")
forbid (principal is Agent, action == Action::"call server-{n}/remove", resource)
unless {{ principal.scopes.contains("remove-{n}") }};
""",
)
_LOOKS: Final = """
@id("arguments-{n}")
forbid (principal, action in Action::"tools/call", resource is Tool)
when {{ context.arguments has mark && context.arguments.mark like "secret-{n}-*" }};
"""
_APART: Final = """
@id("by-name")
permit (principal, action in Action::"tools/call", resource is Tool)
when { resource.name like "echo_*" };
"""


def constant(count: int) -> Mapping[str, str]:
    """Files of `count` rules of which none looks at the call itself."""
    return {"all.cedar": "".join((_ALLOWED, *map(_other, range(1, count))))}


def residual(count: int, every: int = SOME) -> Mapping[str, str]:
    """Files of `count` rules; besides the first, one of `every` so many looks at arguments."""
    others = (_LOOKS.format(n=n) if n % every == 1 % every else _other(n) for n in range(1, count))
    return {"all.cedar": "".join((_ALLOWED, *others))}


def apart(count: int) -> Mapping[str, str]:
    """As `constant`, with one more by which no two tools are alike."""
    return {**constant(count - 1), "apart.cedar": _APART}


def _other(number: int) -> str:
    return _OTHERS[number % len(_OTHERS)].format(n=number)
