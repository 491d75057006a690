"""The tasks extension (SEP-2663): tools that go on after their call was answered.

https://modelcontextprotocol.github.io/ext-tasks
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

import mcp_types as types
from mcp.shared.exceptions import MCPError

from tests.conformance.server.asking import Call, Context, form, missing
from tests.conformance.server.content import answer, text
from tests.conformance.server.feed import Feed
from tests.conformance.server.tools import Entry, Tool, strings

TASKS: Final = "io.modelcontextprotocol/tasks"

Ask = Callable[..., Awaitable[dict[str, Any]]]
Job = Callable[[Ask, Mapping[str, Any]], Awaitable[dict[str, Any]]]
"""What a tool does, whether its call waits for it or a task does it."""


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


FILE: Final = {**strings("filename"), "required": []}  # the suite's calls name none


@dataclass
class Task:
    """One task; its clients see `detail`."""

    feed: Feed
    id: str = field(default_factory=lambda: secrets.token_hex(16))
    status: str = "working"
    created: str = field(default_factory=_now)
    updated: str = field(default_factory=_now)
    outcome: dict[str, Any] = field(default_factory=dict)
    """`result` or `error`, once there is one."""
    pending: dict[str, Any] = field(default_factory=dict)
    answers: dict[str, Any] = field(default_factory=dict)
    answered: asyncio.Event = field(default_factory=asyncio.Event)
    running: asyncio.Task[None] | None = None

    def seed(self) -> dict[str, Any]:
        """The fields that every shape of a task has."""
        return {
            "taskId": self.id,
            "status": self.status,
            "createdAt": self.created,
            "lastUpdatedAt": self.updated,
            "ttlMs": 600_000,
            "pollIntervalMs": 100,
        }

    def detail(self) -> dict[str, Any]:
        """The seed, with what its status adds."""
        asked = {"inputRequests": self.pending} if self.pending else {}
        return {**self.seed(), **asked, **self.outcome}

    async def turn(self, status: str, **outcome: Any) -> None:
        """Change the status and tell who listens."""
        self.status, self.updated, self.outcome = status, _now(), outcome
        await self.feed.publish("notifications/tasks", **self.detail())

    async def ask(self, **requests: dict[str, Any]) -> dict[str, Any]:
        """Wait until tasks/update brought every answer."""
        self.pending = dict(requests)
        await self.turn("input_required")
        while self.pending:
            await self.answered.wait()
            self.answered.clear()
        await self.turn("working")
        return {key: self.answers[key] for key in requests}

    async def run(self, job: Job, arguments: Mapping[str, Any]) -> None:
        """Do the job and keep its outcome."""
        try:
            await self.turn("completed", result=await job(self.ask, arguments))
        except MCPError as failed:
            await self.turn("failed", error=failed.error.model_dump(exclude_none=True))
        except asyncio.CancelledError:
            self.pending = {}
            await self.turn("cancelled")


class Board:
    """Every task of this server; it forgets none."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self._tasks: dict[str, Task] = {}

    def start(self, job: Job, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Begin a task: a CreateTaskResult."""
        task = Task(self._feed)
        self._tasks[task.id] = task
        task.running = asyncio.create_task(task.run(job, arguments))
        return {"resultType": "task", **task.seed()}

    def find(self, ctx: Context) -> Task:
        """The task that a request names, in its params as in its header (SEP-2243)."""
        if not Call.of(ctx).modern:
            raise MCPError(types.METHOD_NOT_FOUND, "Method not found")
        if not Call.of(ctx).extends(TASKS):
            raise missing(extensions={TASKS: {}})
        asked = (ctx.params or {}).get("taskId")
        if ctx.request is not None and ctx.request.headers.get("mcp-name") != asked:
            raise MCPError(types.HEADER_MISMATCH, "Mcp-Name is not the task's id")
        if (task := self._tasks.get(str(asked))) is None:
            raise MCPError(types.INVALID_PARAMS, "Unknown task")
        return task

    async def get(self, ctx: Context, _params: types.RequestParams) -> dict[str, Any]:
        """tasks/get."""
        return {"resultType": "complete", **self.find(ctx).detail()}

    async def update(self, ctx: Context, _params: types.RequestParams) -> dict[str, Any]:
        """tasks/update: keep the answers that were asked for, pass over the others."""
        task = self.find(ctx)
        for key, given in ((ctx.params or {}).get("inputResponses") or {}).items():
            if task.pending.pop(key, None) is not None:
                task.answers[key] = given
        task.answered.set()
        return {}

    async def cancel(self, ctx: Context, _params: types.RequestParams) -> dict[str, Any]:
        """tasks/cancel."""
        if running := self.find(ctx).running:
            running.cancel()
        return {}

    def tool(self, job: Job, required: bool = False) -> Tool:
        """A tool that becomes a task for every client that can follow one."""

        async def run(call: Call) -> dict[str, Any]:
            if call.extends(TASKS):
                return self.start(job, call.arguments)
            if required:
                raise missing(extensions={TASKS: {}})
            return await job(call.ask, call.arguments)

        return run

    async def named(self, call: Call) -> dict[str, Any]:
        """Ask in rounds first, then become a task (SEP-2322 before SEP-2663)."""
        if not call.extends(TASKS):
            raise missing(extensions={TASKS: {}})
        got = await call.ask(user_name=form("Your name?", {"name": {"type": "string"}}, "name"))

        async def hello(_ask: Ask, _arguments: Mapping[str, Any]) -> dict[str, Any]:
            return answer(text(f"Hello, {got['user_name']['content']['name']}!"))

        return self.start(hello, {})

    def tools(self) -> dict[str, Entry]:
        """The tools of this extension."""
        seconds = {"seconds": {"type": "number"}, "label": {"type": "string"}}
        compute = {"type": "object", "properties": seconds}
        return {
            "slow_compute": Entry(self.tool(slow_compute), "takes a while", compute),
            "failing_job": Entry(self.tool(failing_job, required=True), "fails as a tool"),
            "protocol_error_job": Entry(self.tool(protocol_error_job), "fails as a server"),
            "confirm_delete": Entry(self.tool(confirm_delete), "asks once", FILE),
            "multi_input": Entry(self.tool(multi_input), "asks twice at once"),
            "test_tool_with_task": Entry(self.named, "asks, then goes on as a task"),
        }


async def slow_compute(_ask: Ask, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Take the time that was asked for."""
    await asyncio.sleep(arguments.get("seconds", 0))
    return answer(text(f"Computed {arguments.get('label', 'nothing')}"))


async def failing_job(_ask: Ask, _arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Fail as a tool does."""
    return answer(text("The job failed."), failed=True)


async def protocol_error_job(_ask: Ask, _arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Fail as a server does."""
    raise MCPError(types.INTERNAL_ERROR, "The job broke the server")


async def confirm_delete(ask: Ask, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Ask before it is done."""
    question = form(
        f"Delete {arguments.get('filename')}?", {"confirm": {"type": "boolean"}}, "confirm"
    )
    got = (await ask(confirm=question))["confirm"]
    done = got["action"] == "accept" and got["content"]["confirm"]
    return answer(text("Deleted" if done else "Kept"))


async def multi_input(ask: Ask, _arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Ask two things at once."""
    name = {"name": {"type": "string"}}
    got = await ask(first=form("The first?", name), second=form("The second?", name))
    return answer(text(f"Answered: {', '.join(sorted(got))}"))
