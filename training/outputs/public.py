"""What of the public corpus may be learnt from: rows that are not held back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from training.corpus import rows
from training.outputs.example import Example

FILES: Final = (
    "injection_outputs/atr_cases",
    "injection_outputs/deepset_gandalf",
    "injection_outputs/bipia_payloads",
    "injection_outputs/notinject",
    "injection_outputs/piguard_valid_wildguard",
    "benign_outputs/livemcpbench_tool_outputs",
    "benign_outputs/bipia_contexts",
)
_TOOLS: Final = "benign_tools/benign_tools"
_EVERY: Final = 2  # of the tools' descriptions one in so many


def public(corpus: Path) -> Iterator[Example]:
    """Its texts; those of tools' descriptions are what searches for tools bring."""
    for file in FILES:
        for row in rows(corpus, file):
            if not row.held:
                label = int(row.value.get("label") or 0)
                text = str(row.value["text"])
                kind = str(row.value.get("technique") or text) if label else text
                yield Example(text, label, f"public/{file.split('/')[1]}", group=kind)
    for row in rows(corpus, _TOOLS):
        if not row.held and int(row.id[:6], 16) % _EVERY == 0:
            yield Example(_told(row.value["tool"]), 0, "public/benign_tools")


def _told(tool: dict[str, Any]) -> str:
    return f"- tool_name: {tool.get('name')}\n  tool_description: {tool.get('description')}"
