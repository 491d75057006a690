"""Run by the interpreter that has Cisco's scanner: JSON Lines on standard input, `true` or `false` for each.

Its YARA analyzer alone, which is offline, in the way in which its own scan of a tool calls it.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import sys
from typing import Any


async def _flagged(analyzer: Any, row: dict[str, Any]) -> bool:
    tool = row.get("tool")
    if not isinstance(tool, dict):
        return bool(await analyzer.analyze(row.get("text") or ""))
    rest = {key: value for key, value in tool.items() if key != "description"}
    description = tool.get("description")
    if isinstance(description, str) and await analyzer.analyze(description):
        return True
    return bool(await analyzer.analyze(json.dumps(rest)))


async def _run() -> None:
    found = importlib.import_module("mcpscanner.core.analyzers.yara_analyzer")
    analyzer = found.YaraAnalyzer()
    for line in sys.stdin:
        verdict = await _flagged(analyzer, json.loads(line))
        sys.stdout.write(f"{json.dumps(verdict)}\n")


if __name__ == "__main__":
    asyncio.run(_run())
