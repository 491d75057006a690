"""What a check may know besides the value: the settings of the server, compiled once for each tool."""

from __future__ import annotations

import fnmatch
import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self, TypeAlias

from bawn.config.server import Server

Realpath: TypeAlias = Callable[[str], str]
"""A path with its symbolic links resolved, as far as it exists; never raises for what does not."""

STATEMENTS: Final = frozenset({"read", "write"})


@dataclass(frozen=True, slots=True)
class Context:
    """The settings that checks read. `roots` are real paths; `base` is what relative paths start from."""

    roots: tuple[str, ...] = ()
    base: str = "/"
    hosts: re.Pattern[str] | None = None
    private: bool = False
    statements: frozenset[str] = STATEMENTS
    realpath: Realpath = field(default=os.path.realpath)

    @classmethod
    def of(cls, server: Server, base: Path, realpath: Realpath = os.path.realpath) -> Self:
        """The context of one server; its relative roots are resolved against `base`."""
        roots = tuple(realpath(str(base / Path(root).expanduser())) for root in server.roots)
        start = roots[0] if roots else str(base / (server.cwd or "."))
        return cls(
            roots=roots,
            base=realpath(start),
            hosts=_either(server.hosts),
            private=server.private_network,
            statements=frozenset(server.statements),
            realpath=realpath,
        )


def _either(patterns: tuple[str, ...]) -> re.Pattern[str] | None:
    """Host patterns in shell style, any case; configuration is trusted, and hosts are short."""
    if not patterns:
        return None
    return re.compile("|".join(fnmatch.translate(each.lower()) for each in patterns))
