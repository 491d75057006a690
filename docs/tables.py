"""Tables in Markdown."""

from __future__ import annotations

from collections.abc import Iterable


def table(heading: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """The lines of a table, each with its end."""
    lines = [heading, tuple("---" for _ in heading), *rows]
    return "".join(
        f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines
    )
