"""Where a path really leads: its links resolved, and held against the roots component by component.

Source: CVE-2025-53109 and CVE-2025-53110 (links, and roots compared as mere prefixes).
"""

from __future__ import annotations

import os.path
from collections.abc import Iterator
from typing import Final

from bawn.inspection.arguments.context import Context
from bawn.inspection.arguments.found import found
from bawn.inspection.arguments.system import is_credential
from bawn.model import Detection

_DEEPEST: Final = 256
"""Components of a path that is looked up."""


def check(value: str, context: Context) -> Iterator[Detection]:
    """Whether a path leaves the roots; without roots nothing is looked up."""
    if not context.roots or not value:
        return
    if "\0" in value or value.count("/") > _DEEPEST:
        yield found("path-outside", value)
        return
    real = _real(value, context)
    if real is None or not any(_within(real, root) for root in context.roots):
        yield found("path-outside", value)
    elif is_credential(real):
        yield found("path-system", value)


def _real(value: str, context: Context) -> str | None:
    given = os.path.expanduser(value) if value.startswith("~") else value  # noqa: PTH111 - no Path: it tidies
    try:
        return context.realpath(os.path.join(context.base, given))  # noqa: PTH118
    except (OSError, ValueError):
        return None


def _within(real: str, root: str) -> bool:
    return real == root or real.startswith(root if root.endswith("/") else root + "/")
