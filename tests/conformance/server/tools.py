"""The tools that answer with content, and those that speak while they run."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final

import anyio
import mcp_types as types

from tests.conformance.server import content
from tests.conformance.server.asking import Call, form, missing, sampling
from tests.conformance.server.content import answer, text
from tests.conformance.server.schemas import DEFAULTS, ENUMS, HEADERS, JSON_SCHEMA

Tool = Callable[[Call], Awaitable[dict[str, Any]]]


@dataclass(frozen=True)
class Entry:
    """A tool, and what tools/list says of it."""

    run: Tool
    about: str
    schema: dict[str, Any] = field(default_factory=lambda: {"type": "object", "properties": {}})

    def listed(self, name: str) -> dict[str, Any]:
        """Its entry in tools/list."""
        return {"name": name, "description": self.about, "inputSchema": self.schema}


def strings(*names: str) -> dict[str, Any]:
    """The schema of an object of strings, all required."""
    properties = {name: {"type": "string"} for name in names}
    return {"type": "object", "properties": properties, "required": list(names)}


def says(*blocks: content.Block, failed: bool = False) -> Tool:
    """A tool that always answers with these blocks."""

    async def run(_call: Call) -> dict[str, Any]:
        return answer(*blocks, failed=failed)

    return run


async def greet(call: Call) -> dict[str, Any]:
    """Answers at once, whatever the client declares."""
    return answer(text(f"Hello, {call.arguments.get('name')}!"))


async def log(call: Call, *messages: str) -> None:
    """Send log messages on the call's own stream."""
    for message in messages:
        await call.ctx.session.send_notification(
            types.LoggingMessageNotification(
                params=types.LoggingMessageNotificationParams(level="info", data=message)
            ),
            related_request_id=call.ctx.request_id,
        )


async def logging_if_asked(call: Call) -> dict[str, Any]:
    """Log where the wire lets a server log: always in the handshake era, by request after it."""
    level = (call.ctx.meta or {}).get("io.modelcontextprotocol/logLevel")
    if level in {"debug", "info"} or not call.modern:
        await log(
            call, "Tool execution started", "Tool processing data", "Tool execution completed"
        )
    return answer(text("Three messages were logged, if they were wanted."))


async def with_progress(call: Call) -> dict[str, Any]:
    """Report progress three times."""
    for done in (0, 50, 100):
        await call.ctx.session.report_progress(done, 100, f"{done} of 100")
    return answer(text(str((call.ctx.meta or {}).get("progress_token"))))


_TURNS: Final = 40
"""Turns of the loop after which somebody reads a call's stream: one that is closed before loses its first event."""


async def reconnection(call: Call) -> dict[str, Any]:
    """Close the call's stream in the midst of the call (SEP-1699); the client comes back for the rest."""
    for _ in range(_TURNS):
        await anyio.sleep(0.002)
    if call.ctx.close_sse_stream is not None:
        await call.ctx.close_sse_stream()
    await anyio.sleep(
        0.2
    )  # what is sent before the client is back is replayed; this is for those after
    return answer(text("The stream was closed while this call ran."))


async def sample(call: Call) -> dict[str, Any]:
    """Ask the client's model."""
    got = await call.ask(sample=sampling(call.arguments["prompt"]))
    return answer(text(f"LLM response: {got['sample']['content']['text']}"))


def elicit(request: Callable[[Call], dict[str, Any]], said: str) -> Tool:
    """A tool that asks the user one form and repeats what was answered."""

    async def run(call: Call) -> dict[str, Any]:
        got = (await call.ask(user=request(call)))["user"]
        told = json.dumps(got.get("content") or {})
        return answer(text(f"{said}: action={got['action']}, content={told}"))

    return run


def _response(call: Call) -> dict[str, Any]:
    properties = {"response": {"type": "string", "description": "What the user says"}}
    return form(call.arguments["message"], properties, "response")


async def missing_capability(call: Call) -> dict[str, Any]:
    """Refuse a client that cannot sample."""
    if not call.declares("sampling"):
        raise missing(sampling={})
    return answer(text("The client can sample."))


async def custom_headers(call: Call) -> dict[str, Any]:
    """Repeat what the mirrored parameters held."""
    return answer(text(json.dumps(dict(call.arguments), sort_keys=True)))


async def add(call: Call) -> dict[str, Any]:
    """Add two numbers; without any, nought."""
    return answer(text(str(sum(call.arguments.get(name, 0) for name in ("a", "b")))))


TOOLS: Final[dict[str, Entry]] = {
    # Some scenarios call whichever tool is listed first: here and in the order of names it is this.
    "add_numbers": Entry(
        add,
        "adds",
        {"type": "object", "properties": {"a": {"type": "number"}, "b": {"type": "number"}}},
    ),
    "test_simple_text": Entry(says(text("This is a simple text response for testing.")), "text"),
    "test_image_content": Entry(says(content.image()), "an image"),
    "test_audio_content": Entry(says(content.audio()), "audio"),
    "test_embedded_resource": Entry(
        says(content.embedded("test://embedded-resource", "text/plain", "Within the answer.")),
        "a resource within the answer",
    ),
    "test_multiple_content_types": Entry(
        says(
            text("Several kinds of content:"),
            content.image(),
            content.embedded("test://mixed-content-resource", "application/json", '{"value": 123}'),
        ),
        "text, image and resource",
    ),
    "test_error_handling": Entry(says(text("This tool always fails."), failed=True), "an error"),
    "test_tool_with_logging": Entry(logging_if_asked, "logs while it runs"),
    "test_logging_tool": Entry(logging_if_asked, "logs if the request asks for it"),
    "test_tool_with_progress": Entry(with_progress, "reports progress"),
    "test_reconnection": Entry(reconnection, "closes its stream and goes on"),
    "test_sampling": Entry(sample, "asks the client's model", strings("prompt")),
    "test_elicitation": Entry(
        elicit(_response, "User response"), "asks the user", strings("message")
    ),
    "test_elicitation_sep1034_defaults": Entry(
        elicit(lambda _call: form("Who are you?", DEFAULTS), "Elicitation completed"),
        "asks with defaults",
    ),
    "test_elicitation_sep1330_enums": Entry(
        elicit(lambda _call: form("Choose", ENUMS), "Elicitation completed"), "asks for choices"
    ),
    "test_streaming_elicitation": Entry(
        elicit(lambda _call: form("Go on?", {"ok": {"type": "boolean"}}), "Elicitation completed"),
        "asks in the midst of a call",
    ),
    "test_missing_capability": Entry(missing_capability, "needs sampling"),
    "test_custom_headers": Entry(custom_headers, "mirrors its parameters in headers", HEADERS),
    "json_schema_2020_12_tool": Entry(greet, "has a schema of many keywords", JSON_SCHEMA),
    "greet": Entry(greet, "greets at once", strings("name")),
}
