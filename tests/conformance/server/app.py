"""The fixtures put together on the official SDK's low-level server."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final, get_args

import mcp_types as types
from mcp.server.caching import CacheableMethod, CacheHint
from mcp.server.lowlevel import Server
from mcp.server.lowlevel.server import NotificationOptions
from mcp.server.models import InitializationOptions
from mcp.server.request_state import RequestStateBoundary, RequestStateSecurity
from mcp.shared.exceptions import MCPError

from tests.conformance.server import prompts, resources, rounds, tools
from tests.conformance.server.asking import Call, Context, InputRequired
from tests.conformance.server.content import answer, text
from tests.conformance.server.feed import Feed
from tests.conformance.server.tasks import TASKS, Board
from tests.conformance.server.tools import Entry, says

NAME: Final = "bawn-conformance-fixture"
RequestHandler = Callable[[Context, Any], Awaitable[Any]]

_WATCHED: Final = "test://watched-resource"
_HINTS: Final[dict[CacheableMethod, CacheHint]] = {
    method: CacheHint(1000, "public") for method in get_args(CacheableMethod)
}
_FRESH: Final = {"ttlMs": 1000, "cacheScope": "public"}


class Fixture:
    """One server's state: what it lists now, and who follows it."""

    def __init__(self) -> None:
        self.feed = Feed()
        board = Board(self.feed)
        self.tools = {**tools.TOOLS, **rounds.TOOLS, **board.tools(), **self._triggers()}
        self.hidden = {"test_changing_tool", "test_changing_prompt"}
        """Listed only after an odd number of changes."""
        self.board = board

    def _triggers(self) -> dict[str, Entry]:
        return {
            "test_trigger_tool_change": Entry(self._changes("tool"), "changes tools/list"),
            "test_trigger_prompt_change": Entry(self._changes("prompt"), "changes prompts/list"),
            "test_trigger_resource_update": Entry(self._update, f"touches {_WATCHED}"),
            "test_changing_tool": Entry(says(text("Here today.")), "comes and goes"),
        }

    def _changes(self, kind: str) -> tools.Tool:
        async def run(_call: Call) -> dict[str, Any]:
            self.hidden ^= {f"test_changing_{kind}"}
            await self.feed.publish(f"notifications/{kind}s/list_changed")
            return answer(text(f"The {kind}s changed."))

        return run

    async def _update(self, _call: Call) -> dict[str, Any]:
        await self.feed.publish("notifications/resources/updated", uri=_WATCHED)
        return answer(text("The watched resource was touched."))

    async def list_tools(self, _ctx: Context, _params: Any) -> Any:
        """tools/list."""
        shown = {name: tool for name, tool in self.tools.items() if name not in self.hidden}
        return {"tools": [tool.listed(name) for name, tool in shown.items()]}

    async def call_tool(self, ctx: Context, params: types.CallToolRequestParams) -> Any:
        """tools/call."""
        if params.name not in self.tools:
            raise MCPError(types.INVALID_PARAMS, f"Unknown tool: {params.name}")
        return await self._run(self.tools[params.name].run, ctx)

    async def list_prompts(self, _ctx: Context, _params: Any) -> Any:
        """prompts/list."""
        shown = [name for name in prompts.PROMPTS if name not in self.hidden]
        return {"prompts": [prompts.listed(name) for name in shown]}

    async def get_prompt(self, ctx: Context, params: types.GetPromptRequestParams) -> Any:
        """prompts/get."""
        if params.name not in prompts.PROMPTS:
            raise MCPError(types.INVALID_PARAMS, f"Unknown prompt: {params.name}")
        return await self._run(prompts.PROMPTS[params.name][0], ctx)

    @staticmethod
    async def _run(tool: tools.Tool, ctx: Context) -> dict[str, Any]:
        try:
            return await tool(Call.of(ctx))
        except InputRequired as asked:
            return asked.result

    async def list_resources(self, _ctx: Context, _params: Any) -> Any:
        """resources/list."""
        return {"resources": resources.listed()}

    async def list_templates(self, _ctx: Context, _params: Any) -> Any:
        """resources/templates/list."""
        return {"resourceTemplates": resources.TEMPLATES}

    async def read(self, ctx: Context, params: types.ReadResourceRequestParams) -> Any:
        """resources/read; the code for what is not there changed with SEP-2164."""
        if (contents := resources.read(params.uri)) is None:
            code = types.INVALID_PARAMS if Call.of(ctx).modern else -32002
            raise MCPError(code, "Resource not found", {"uri": params.uri})
        return {"contents": contents}

    async def subscribe(self, ctx: Context, params: types.SubscribeRequestParams) -> Any:
        """resources/subscribe."""
        self.feed.uris(ctx).add(params.uri)
        return {}

    async def unsubscribe(self, ctx: Context, params: types.UnsubscribeRequestParams) -> Any:
        """resources/unsubscribe."""
        self.feed.uris(ctx).discard(params.uri)
        return {}

    async def complete(self, _ctx: Context, params: types.CompleteRequestParams) -> Any:
        """completion/complete."""
        return prompts.complete(params.argument.value)

    async def set_level(self, _ctx: Context, _params: types.SetLevelRequestParams) -> Any:
        """logging/setLevel."""
        return {}

    async def list_skills(self, _ctx: Context, _params: types.RequestParams) -> Any:
        """skills/list."""
        return {"skills": resources.skills(), **_FRESH}

    async def get_skill(self, ctx: Context, _params: types.RequestParams) -> Any:
        """skills/get."""
        if (entry := resources.skill(_uri(ctx))) is None:
            raise MCPError(types.INVALID_PARAMS, "Unknown skill")
        return {"skill": entry, **_FRESH}

    async def read_directory(self, ctx: Context, _params: types.RequestParams) -> Any:
        """resources/directory/read."""
        if (children := resources.directory(_uri(ctx))) is None:
            raise MCPError(types.INVALID_PARAMS, "Not a directory")
        return {"resources": children, **_FRESH}


def _uri(ctx: Context) -> str:
    return str((ctx.params or {}).get("uri"))


class ConformanceServer(Server[dict[str, Any]]):
    """The SDK's server, which says in the handshake that its lists change."""

    def create_initialization_options(
        self,
        notification_options: NotificationOptions | None = None,
        experimental_capabilities: dict[str, dict[str, Any]] | None = None,
        extensions: dict[str, dict[str, Any]] | None = None,
    ) -> InitializationOptions:
        """What an initialize is answered."""
        options = notification_options or NotificationOptions(True, True, True)
        return super().create_initialization_options(options, experimental_capabilities, extensions)


def _complete(handler: RequestHandler) -> RequestHandler:
    """The handler, its results marked as final where they say nothing else."""

    async def run(ctx: Context, params: Any) -> Any:
        result = await handler(ctx, params)
        return {"resultType": "complete", **result} if Call.of(ctx).modern else result

    return run


def build() -> ConformanceServer:
    """A server with every fixture."""
    fixture = Fixture()
    server = ConformanceServer(NAME, version="1.0.0", cache_hints=_HINTS)
    handlers: dict[str, tuple[type[types.RequestParams], RequestHandler]] = {
        "tools/list": (types.PaginatedRequestParams, fixture.list_tools),
        "tools/call": (types.CallToolRequestParams, fixture.call_tool),
        "prompts/list": (types.PaginatedRequestParams, fixture.list_prompts),
        "prompts/get": (types.GetPromptRequestParams, fixture.get_prompt),
        "resources/list": (types.PaginatedRequestParams, fixture.list_resources),
        "resources/templates/list": (types.PaginatedRequestParams, fixture.list_templates),
        "resources/read": (types.ReadResourceRequestParams, fixture.read),
        "resources/subscribe": (types.SubscribeRequestParams, fixture.subscribe),
        "resources/unsubscribe": (types.UnsubscribeRequestParams, fixture.unsubscribe),
        "subscriptions/listen": (types.SubscriptionsListenRequestParams, fixture.feed.listen),
        "completion/complete": (types.CompleteRequestParams, fixture.complete),
        "logging/setLevel": (types.SetLevelRequestParams, fixture.set_level),
        "tasks/get": (types.RequestParams, fixture.board.get),
        "tasks/update": (types.RequestParams, fixture.board.update),
        "tasks/cancel": (types.RequestParams, fixture.board.cancel),
        "skills/list": (types.RequestParams, fixture.list_skills),
        "skills/get": (types.RequestParams, fixture.get_skill),
        "resources/directory/read": (types.RequestParams, fixture.read_directory),
    }
    for method, (params, handler) in handlers.items():
        server.add_request_handler(method, params, _complete(handler))
    server.extensions = {TASKS: {}, resources.SKILLS: {"directoryRead": True}}
    boundary = RequestStateBoundary(RequestStateSecurity.ephemeral(), default_audience=NAME)
    server.middleware += [boundary, fixture.feed.remember]
    return server
