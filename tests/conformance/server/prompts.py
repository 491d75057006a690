"""Prompts, and the completion of their arguments."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final

from tests.conformance.server import content, rounds
from tests.conformance.server.asking import Call
from tests.conformance.server.content import text

Prompt = Callable[[Call], Awaitable[dict[str, Any]]]
_CITIES: Final = ("paris", "park", "party", "test", "testing", "tokyo")


def _messages(*blocks: content.Block) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": block} for block in blocks]}


async def simple(_call: Call) -> dict[str, Any]:
    """One message."""
    return _messages(text("This is a simple prompt for testing."))


async def with_arguments(call: Call) -> dict[str, Any]:
    """Both arguments in the message."""
    first, second = (call.arguments[name] for name in ("arg1", "arg2"))
    return _messages(text(f"Prompt with arguments: arg1='{first}', arg2='{second}'"))


async def with_resource(call: Call) -> dict[str, Any]:
    """A resource, and what to do with it."""
    block = content.embedded(call.arguments["resourceUri"], "text/plain", "Embedded for testing.")
    return _messages(block, text("Please read the resource above."))


async def with_image(_call: Call) -> dict[str, Any]:
    """An image, and what to do with it."""
    return _messages(content.image(), text("Please look at the image above."))


PROMPTS: Final[dict[str, tuple[Prompt, tuple[str, ...]]]] = {
    "test_simple_prompt": (simple, ()),
    "test_prompt_with_arguments": (with_arguments, ("arg1", "arg2")),
    "test_prompt_with_embedded_resource": (with_resource, ("resourceUri",)),
    "test_prompt_with_image": (with_image, ()),
    "test_input_required_result_prompt": (rounds.prompt, ()),
    "test_changing_prompt": (simple, ()),
}
"""What each runs, and its required arguments."""


def listed(name: str) -> dict[str, Any]:
    """A prompt's entry in prompts/list."""
    arguments = [{"name": argument, "required": True} for argument in PROMPTS[name][1]]
    return {"name": name, "description": f"The fixture {name}", "arguments": arguments}


def complete(begun: str) -> dict[str, Any]:
    """What could follow."""
    values = [city for city in _CITIES if city.startswith(begun)]
    return {"completion": {"values": values, "total": len(values), "hasMore": False}}
