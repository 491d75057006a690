"""An honest server of our own, for where nobody else's is at hand: `python -m bawn.demo.honest`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Final

from bawn.demo.speaking import Speaker
from bawn.model import Json

_TOOL: Final[Json] = {
    "name": "count_words",
    "description": "Counts the words of a text.",
    "inputSchema": {
        "type": "object",
        "properties": {"text": {"type": "string", "description": "The text."}},
        "required": ["text"],
    },
    "annotations": {"readOnlyHint": True, "openWorldHint": False},
}


class Honest:
    """Does what it says."""

    name = "bawn-demo-honest"

    def tools(self) -> Sequence[Json]:
        """One."""
        return (_TOOL,)

    def call(self, name: str, arguments: Json) -> str:
        """How many words there are."""
        return f"{len(str(arguments.get('text', '')).split())} words"


if __name__ == "__main__":
    Speaker(Honest(), sys.stdout).run(sys.stdin)
