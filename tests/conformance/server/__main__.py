"""`python -m tests.conformance.server --port N [--era modern|legacy|both] | --stdio`."""

from __future__ import annotations

import argparse
import asyncio
import sys

import uvicorn
from mcp.server.stdio import stdio_server

from tests.conformance.server.app import build
from tests.conformance.server.era import only
from tests.conformance.server.events import MemoryEvents


async def _stdio() -> None:
    server = build()
    async with stdio_server() as (read, write):
        await server.run(read, write, server.create_initialization_options())


def main(arguments: list[str]) -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser(prog="tests.conformance.server")
    parser.add_argument("--port", type=int, default=3001)
    parser.add_argument("--era", choices=("both", "modern", "legacy"), default="both")
    parser.add_argument("--stdio", action="store_true")
    asked = parser.parse_args(arguments)
    if asked.stdio:
        asyncio.run(_stdio())
        return
    app = build().streamable_http_app(event_store=MemoryEvents(), retry_interval=100)
    # h11 drops the white space around a field's value, as RFC 9110 (5.5) wants it; httptools does not.
    uvicorn.run(only(asked.era, app), port=asked.port, log_level="warning", ws="none", http="h11")


if __name__ == "__main__":
    main(sys.argv[1:])
