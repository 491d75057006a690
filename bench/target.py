"""What is measured: something that answers tools/call, and the processes that do it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from bench.calls import TOOL

SERVER: Final = "server"
"""The part of a target that is the MCP server itself: it is not charged to the target."""


@dataclass(frozen=True, slots=True)
class Target:
    """One way to the tool `tool`; `parts` are process ids by what they do."""

    name: str
    url: str
    parts: Mapping[str, Sequence[int]]
    tool: str = TOOL
    bearer: str = field(default="none", repr=False)
