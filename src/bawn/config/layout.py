"""How a configuration file is laid out: its lines, its indentation, and whether it reads as was meant."""

from __future__ import annotations

import json
import re
from typing import Any, Final

from bawn.config.document import Document, Span, read
from bawn.errors import Misconfigured

STEP: Final = 2
_LINE = re.compile("[^\r\n\x85\u2028\u2029]*(?:\r\n|[\r\n\x85\u2028\u2029])")


class Lines:
    """The lines of a file, each with its own ending; a missing last one is missing again in the end."""

    def __init__(self, raw: bytes) -> None:
        text = raw.decode()
        self.ending = "\r\n" if "\r\n" in text else "\n"
        self.open = bool(text) and not text.endswith(("\n", "\r"))
        self.all = _LINE.findall(text + self.ending if self.open else text)

    def end(self, span: Span) -> int:
        """Where a block ends: after its last content, and the comments that stand deeper than its key."""
        end = span.last + 1
        while end < len(self.all):
            line = self.all[end]
            stripped = line.lstrip(" ")
            if not stripped.startswith("#") or len(line) - len(stripped) <= span.column:
                break
            end += 1
        return end

    def joined(self) -> bytes:
        """The content of the file."""
        text = "".join(self.all)
        return (text.removesuffix(self.ending) if self.open else text).encode()


def servers_of(document: Document) -> dict[str, Any]:
    """The section `servers` of the file.

    Raises:
        Misconfigured: it is no mapping.
    """
    servers = document.tree.get("servers") or {}
    if not isinstance(servers, dict):
        raise Misconfigured("servers: expected a mapping of ids to servers")
    return servers


def is_server(path: tuple[str | int, ...]) -> bool:
    """Whether a path is that of one server."""
    return len(path) == 2 and path[0] == "servers"


def indentation(document: Document) -> tuple[int, int]:
    """The column of server ids in this file, and how much deeper each level goes."""
    spans = document.spans
    column = next((spans[path].column for path in spans if is_server(path)), STEP)
    for path, span in spans.items():
        if len(path) == 3 and path[0] == "servers" and span.first > spans[path[:2]].first:
            return column, max(span.column - column, 1)
    return column, STEP


def reads_as(raw: bytes, wanted: dict[str, Any]) -> bool:
    """Whether the content says just what was meant."""
    try:
        found = read(raw, "").tree
    except Misconfigured:
        return False
    return _comparable(found) == _comparable(wanted)


def _comparable(tree: dict[str, Any]) -> str:
    """Equal for equal settings of equal types; a section without servers is like none."""
    kept = {key: value for key, value in tree.items() if key != "servers" or value}
    return json.dumps(kept, sort_keys=True)
