"""A FastMCP 4 server with all that FastMCP has of the protocol: `fastmcp4.py PORT DIARY`.

It runs in FastMCP's own virtual environment, without bawn. What it asks, it asks in the way of
2026-07-28: a tool returns what it wants to know, and is called again with the answers. Calls that were
given up are written to the diary, one tag a line.
"""

import asyncio
import sys
from pathlib import Path
from typing import Any

from fastmcp import Context, FastMCP  # type: ignore[import-not-found]  # not in bawn's environment
from mcp_types import (
    CompletionArgument,
    CompletionContext,
    CreateMessageRequest,
    CreateMessageRequestParams,
    ElicitRequest,
    ElicitRequestFormParams,
    ElicitRequestURLParams,
    InputRequiredResult,
    ListRootsRequest,
    PromptReference,
    ResourceTemplateReference,
    SamplingMessage,
    TextContent,
)

server = FastMCP("fastmcp4")
DIARY = Path(sys.argv[2])
FORM = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}


def once(context: Any, request: Any) -> Any:
    """What was answered to this one question, or the question."""
    answers = context.input_responses
    return answers["q"] if answers else InputRequiredResult(input_requests={"q": request})


@server.tool
def add(a: int, b: int) -> str:
    """Add two numbers."""
    return f"{a} and {b} make {a + b}"


@server.tool
def name(context: Context) -> Any:
    """Ask for a name in a form."""
    form = ElicitRequestFormParams(message="Who are you?", requested_schema=FORM)
    answer = once(context, ElicitRequest(params=form))
    if isinstance(answer, InputRequiredResult):
        return answer
    return f"{answer.action}: {answer.content}"


@server.tool
def visit(context: Context) -> Any:
    """Ask for a visit to a page."""
    page = ElicitRequestURLParams(message="Sign in", url="https://example.com/in")
    answer = once(context, ElicitRequest(params=page))
    return answer if isinstance(answer, InputRequiredResult) else f"visit: {answer.action}"


@server.tool
def think(prompt: str, context: Context) -> Any:
    """Ask the client's model."""
    asked = SamplingMessage(role="user", content=TextContent(type="text", text=prompt))
    params = CreateMessageRequestParams(messages=[asked], max_tokens=50)
    answer = once(context, CreateMessageRequest(params=params))
    return answer if isinstance(answer, InputRequiredResult) else f"thought: {answer.content.text}"


@server.tool
def roots(context: Context) -> Any:
    """Ask for the client's roots."""
    answer = once(context, ListRootsRequest())
    if isinstance(answer, InputRequiredResult):
        return answer
    return ", ".join(str(root.uri) for root in answer.roots)


@server.tool
async def steps(count: int, context: Context) -> str:
    """Report progress."""
    for step in range(1, count + 1):
        await context.report_progress(step, count)
    return f"{count} steps"


@server.tool
async def wait(tag: str, context: Context) -> str:
    """Begin, and never end by itself."""
    await context.report_progress(1, 2)
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        with DIARY.open("a") as diary:
            diary.write(f"{tag}\n")
        raise
    return "never"


@server.tool
async def log(text: str, context: Context) -> str:
    """Say something beside the answer."""
    await context.warning(text)
    return "logged"


@server.resource("fast://greeting")
def greeting() -> str:
    """A resource."""
    return "hello from FastMCP"


@server.resource("fast://echo/{word}")
def echo(word: str) -> str:
    """A template."""
    return f"echo of {word}"


@server.prompt
def tell(about: str) -> str:
    """A prompt."""
    return f"Tell me about {about}."


@server.completion
def complete(
    reference: PromptReference | ResourceTemplateReference,
    argument: CompletionArgument,
    context: CompletionContext | None,
) -> list[str]:
    """Places that begin so."""
    return [place for place in ("Cork", "Coleraine", "Dingle") if place.startswith(argument.value)]


if __name__ == "__main__":
    server.run(
        transport="http", host="127.0.0.1", port=int(sys.argv[1]), log_level="error",
        show_banner=False,
    )  # fmt: skip
