"""A modern remote server on the official SDK; prints its port."""

import asyncio
import json
import socket

import uvicorn
from mcp.server.mcpserver import Context, MCPServer

server = MCPServer("modern", instructions="be modern")


@server.tool()
def add(a: int, b: int) -> str:
    """Add two numbers."""
    return str(a + b)


@server.tool()
def headers(ctx: Context) -> str:
    """The headers that arrived with this call."""
    return json.dumps(dict(ctx.headers or {}))


@server.tool()
async def steps(count: int, ctx: Context) -> str:
    """Report progress."""
    for step in range(1, count + 1):
        await ctx.report_progress(step, count)
    return "done"


@server.resource("modern://greeting")
def greeting() -> str:
    """A resource."""
    return "hello"


@server.prompt()
def ask(about: str) -> str:
    """A prompt."""
    return f"Tell me about {about}."


async def main() -> None:
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    print(listening.getsockname()[1], flush=True)  # noqa: T201
    app = server.streamable_http_app()
    await uvicorn.Server(uvicorn.Config(app, log_level="warning")).serve([listening])


asyncio.run(main())
