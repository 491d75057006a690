"""What the official Python client does with every server of a plan; see pairs.py."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

import httpx2
import mcp_types as types
from mcp import Client
from mcp.client.context import ClientRequestContext
from mcp.client.session import IncomingMessage
from mcp.client.streamable_http import streamable_http_client
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from bawn.model import Json
from tests.e2e.pairs import ANSWERS

PATIENCE = 40.0
"""Seconds for one feature; the first of a local server starts its process."""

_CHANGES: dict[type[Any], str] = {
    types.ToolListChangedNotification: "tools",
    types.PromptListChangedNotification: "prompts",
    types.ResourceListChangedNotification: "resources",
}


class Peer:
    """One connection: what it hears, and the client that it is of."""

    client: Client

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.logged: list[Json] = []
        self.updated: list[str] = []
        self.changed: list[str] = []
        self._more = asyncio.Event()

    @property
    def modern(self) -> bool:
        """Whether it speaks 2026-07-28."""
        return self.client.protocol_version in MODERN_PROTOCOL_VERSIONS

    def note(self, heard: list[Any], value: Any) -> None:
        """Something was heard."""
        heard.append(value)
        self._more.set()

    async def until(self, heard: list[Any], value: Any = None) -> None:
        """Wait until this, or anything, was heard."""
        while value not in heard if value is not None else not heard:
            self._more.clear()
            await self._more.wait()

    async def call(self, step: Json, **options: Any) -> str:
        """Call the tool of a step; what it says."""
        result = await self.client.call_tool(step["name"], step["arguments"], **options)
        return "\n".join(getattr(block, "text", "") for block in result.content)

    # ── what the server asks and tells ──

    async def elicited(
        self, context: ClientRequestContext, params: types.ElicitRequestParams
    ) -> types.ElicitResult:
        """Fill in the form, or say that the page was visited."""
        if isinstance(params, types.ElicitRequestURLParams):
            self.note(self.asked, params.url)
            return types.ElicitResult(action="accept")
        self.note(self.asked, params.message)
        return types.ElicitResult(action="accept", content=ANSWERS["form"])

    async def sampled(
        self, context: ClientRequestContext, params: types.CreateMessageRequestParams
    ) -> types.CreateMessageResult:
        """Answer as the model."""
        (block,) = params.messages[0].content_as_list
        assert isinstance(block, types.TextContent)
        self.note(self.asked, block.text)
        said = types.TextContent(type="text", text=ANSWERS["model"])
        return types.CreateMessageResult(role="assistant", model="m", content=said)

    async def rooted(self, context: ClientRequestContext) -> types.ListRootsResult:
        """Name the one root."""
        self.note(self.asked, "roots")
        return types.ListRootsResult(roots=[types.Root.model_validate(ANSWERS["root"])])

    async def logs(self, params: types.LoggingMessageNotificationParams) -> None:
        """Take a log message."""
        self.note(self.logged, {"level": params.level, "data": params.data})

    async def heard(self, message: IncomingMessage) -> None:
        """Take any other notification."""
        if isinstance(message, types.ResourceUpdatedNotification):
            self.note(self.updated, str(message.params.uri))
        elif type(message) in _CHANGES:
            self.note(self.changed, _CHANGES[type(message)])


async def tools(peer: Peer, step: Json) -> Json:
    """The names of a list."""
    return {"names": [tool.name for tool in (await peer.client.list_tools()).tools]}


async def call(peer: Peer, step: Json) -> Json:
    """What a tool says."""
    return {"says": await peer.call(step)}


async def prompts(peer: Peer, step: Json) -> Json:
    """The names, and the text of one."""
    names = [prompt.name for prompt in (await peer.client.list_prompts()).prompts]
    got = await peer.client.get_prompt(step["name"], step["arguments"])
    return {"names": names, "says": getattr(got.messages[0].content, "text", "")}


async def read(peer: Peer, uri: str) -> str:
    """The text of a resource."""
    return getattr((await peer.client.read_resource(uri)).contents[0], "text", "")


async def resources(peer: Peer, step: Json) -> Json:
    """The URIs, and the text of one."""
    names = [str(each.uri) for each in (await peer.client.list_resources()).resources]
    return {"names": names, "says": await read(peer, step["uri"])}


async def templates(peer: Peer, step: Json) -> Json:
    """The templates, and the text of what one of them gives."""
    listed = (await peer.client.list_resource_templates()).resource_templates
    return {"names": [each.uri_template for each in listed], "says": await read(peer, step["uri"])}


async def completion(peer: Peer, step: Json) -> Json:
    """The values that begin so."""
    ref = types.PromptReference.model_validate(step["ref"])
    found = await peer.client.complete(ref, step["argument"], step.get("context"))
    return {"values": found.completion.values}


async def asked(peer: Peer, step: Json) -> Json:
    """What a tool asked, and what it says to the answer."""
    peer.asked.clear()
    return {"says": await peer.call(step), "asked": list(peer.asked)}


async def progress(peer: Peer, step: Json) -> Json:
    """The steps that were told."""
    steps: list[float] = []

    async def told(done: float, total: float | None, message: str | None) -> None:
        steps.append(done)

    return {"says": await peer.call(step, progress_callback=told), "steps": steps}


async def cancellation(peer: Peer, step: Json) -> Json:
    """Give a call up once it is seen to run."""
    running = asyncio.Event()

    async def told(done: float, total: float | None, message: str | None) -> None:
        running.set()

    calling = asyncio.create_task(peer.call(step, progress_callback=told))
    waiting = asyncio.create_task(running.wait())
    await asyncio.wait({calling, waiting}, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    if calling.done():
        return {"says": calling.result()}
    calling.cancel()
    with suppress(asyncio.CancelledError):
        await calling
    return {"cancelled": True}


async def logging(peer: Peer, step: Json) -> Json:
    """What was logged during a call."""
    if peer.modern:
        says = await peer.call(step, meta={types.LOG_LEVEL_META_KEY: "debug"})
    else:
        await peer.client.set_logging_level("debug")
        says = await peer.call(step)
    await peer.until(peer.logged)
    return {"says": says, "logged": peer.logged}


async def links(peer: Peer, step: Json) -> Json:
    """The resource that a result links to, and the size of what is there."""
    result = await peer.client.call_tool(step["name"], step["arguments"])
    (uri,) = [str(block.uri) for block in result.content if isinstance(block, types.ResourceLink)]
    (there,) = (await peer.client.read_resource(uri)).contents
    data = there.blob if isinstance(there, types.BlobResourceContents) else there.text
    return {"link": uri, "size": len(data)}


async def updates(peer: Peer, step: Json) -> Json:
    """The resource that is said to have changed."""
    if not peer.modern:
        await peer.client.subscribe_resource(step["uri"])
        await peer.call(step)
        await peer.until(peer.updated)
        return {"updated": peer.updated}
    async with peer.client.listen(resource_subscriptions=[step["uri"]]) as stream:
        await peer.call(step)
        return {"updated": [str(getattr(await anext(stream), "uri", ""))]}


async def changes(peer: Peer, step: Json) -> Json:
    """The lists that are said to have changed."""
    if not peer.modern:
        await peer.call(step)
        await peer.until(peer.changed, step["list"])
        return {"changed": peer.changed}
    wanted: dict[str, Any] = {f"{step['list']}_list_changed": True}
    async with peer.client.listen(**wanted) as stream:
        await peer.call(step)
        return {"changed": [type(await anext(stream)).__name__.removesuffix("ListChanged").lower()]}


SEES: Mapping[str, Callable[[Peer, Json], Awaitable[Json]]] = {
    "tools": tools, "call": call, "prompts": prompts, "resources": resources,
    "templates": templates, "completion": completion, "elicitation": asked, "url": asked,
    "sampling": asked, "roots": asked, "progress": progress, "cancellation": cancellation,
    "logging": logging, "links": links, "updates": updates, "changes": changes,
}  # fmt: skip


@asynccontextmanager
async def connected(url: str, token: str, mode: str) -> AsyncIterator[Peer]:
    """A client that answers whatever it may be asked."""
    peer = Peer()
    headers = {"Authorization": f"Bearer {token}"}
    async with (
        httpx2.AsyncClient(headers=headers, timeout=60) as http,
        Client(
            streamable_http_client(url, http_client=http), mode=mode,
            elicitation_callback=peer.elicited, sampling_callback=peer.sampled,
            list_roots_callback=peer.rooted, logging_callback=peer.logs,
            message_handler=peer.heard,
        ) as peer.client,
    ):  # fmt: skip
        yield peer


async def visit(url: str, token: str, mode: str, steps: dict[str, Json]) -> Json:
    """What is seen of one server."""
    seen: Json = {}
    found: Json = {"version": "", "declared": [], "seen": seen}
    try:
        async with connected(url, token, mode) as peer:
            found["version"] = peer.client.protocol_version
            found["declared"] = declared(peer.client.server_capabilities)
            for feature, step in steps.items():
                seen[feature] = await _within(SEES[feature](peer, step))
            found["listed"] = await listed(peer.client, found["declared"])
    except Exception:  # noqa: BLE001 - whatever it was, it is what was seen
        told = traceback.format_exc()
        seen.update({feature: {"failed": told} for feature in steps if feature not in seen})
    return found


def declared(capabilities: types.ServerCapabilities) -> list[str]:
    """The features for which a server must declare a capability, as far as it does."""
    lists = (capabilities.tools, capabilities.prompts, capabilities.resources)
    resources = capabilities.resources
    has = {
        "tools": capabilities.tools,
        "prompts": capabilities.prompts,
        "resources": resources,
        "templates": resources,
        "completion": capabilities.completions,
        "logging": capabilities.logging,
        "updates": resources is not None and resources.subscribe,
        "changes": any(each is not None and each.list_changed for each in lists),
    }
    return [feature for feature, there in has.items() if there not in (None, False)]


async def listed(client: Client, features: list[str]) -> dict[str, int]:
    """How many entries the lists have that a server may have and leave empty."""
    found = {}
    if "prompts" in features:
        found["prompts"] = len((await client.list_prompts()).prompts)
    if "resources" in features:
        found["resources"] = len((await client.list_resources()).resources)
        listing = await client.list_resource_templates()
        found["templates"] = len(listing.resource_templates)
    return found


async def _within(work: Awaitable[Json]) -> Json:
    try:
        async with asyncio.timeout(PATIENCE):
            return await work
    except Exception as error:  # noqa: BLE001 - whatever it was, it is what was seen
        return {"failed": f"{type(error).__name__}: {error}"}


async def play(url: str, token: str, mode: str, servers: dict[str, dict[str, Json]]) -> Json:
    """What is seen of all servers of a plan, at once."""
    visits = (visit(f"{url}/{name}", token, mode, steps) for name, steps in servers.items())
    return dict(zip(servers, await asyncio.gather(*visits), strict=True))
