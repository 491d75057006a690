"""JSON-RPC with one process: our ids and progress tokens out, the answers back to their calls.

No I/O of its own: bytes leave through `write`, lines come in through `hear`. Sources: pages
basic/index, transports/stdio, patterns/cancellation and patterns/progress (2026-07-28).
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import msgspec

from bawn.errors import (
    METHOD_NOT_FOUND,
    UPSTREAM_DIED,
    UPSTREAM_FIRST_BYTE,
    UPSTREAM_INVALID,
    UPSTREAM_TOO_LARGE,
    UPSTREAM_TOTAL,
    UPSTREAM_UNREACHABLE,
    Reason,
    Refused,
)
from bawn.model import Answer, Json
from bawn.protocol import answers, strict
from bawn.runner.journal import Journal
from bawn.runner.lines import Overlong

Progress: TypeAlias = Callable[[Json], None]
"""Takes a progress notification that belongs to a call, with the caller's own token."""

_CHANGES: Final = frozenset(
    f"notifications/{kind}/list_changed" for kind in ("tools", "prompts", "resources")
)
_FIRST_ID = re.compile(rb'\s*\{\s*(?:"jsonrpc"\s*:\s*"2\.0"\s*,\s*)?"id"\s*:\s*(\d{1,18})\s*,')
_LAST_ID = re.compile(rb',\s*"id"\s*:\s*(\d{1,18})\s*\}\s*$')
_SAMPLE: Final = 200
_LIMITS: Final = strict.JsonLimits(depth=500, nodes=1_000_000)  # the gate has its own, narrower


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Seconds a call may take until the server first answers anything, and in all."""

    first_byte: float
    total: float


@dataclass(slots=True)
class _Pending:
    """A call in flight."""

    answered: asyncio.Future[Answer]
    deadlines: Deadlines
    began: float
    token: Any = None
    progress: Progress | None = None
    heard: bool = False
    timer: asyncio.TimerHandle | None = None


class Dialogue:
    """The conversation with one process, from its start to its end."""

    def __init__(
        self, write: Callable[[bytes], None], journal: Journal, changed: Callable[[], None]
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._write = write
        self._journal = journal
        self._changed = changed
        self._pending: dict[int, _Pending] = {}
        self._last_id = 0
        self._writable = asyncio.Event()
        self._writable.set()
        self._mending: set[asyncio.Task[None]] = set()  # held, or they might be collected
        self.ended = ""  # how, once it has
        self.ignored = 0
        self.batches = False  # 2025-03-26 alone lets a server send several messages in one

    # ── towards the process ─────────────────────────────────────────────────────────────────────

    async def ask(
        self,
        method: str,
        params: Json,
        deadlines: Deadlines,
        progress: Progress | None = None,
        *,
        cancellable: bool = True,
    ) -> Answer:
        """Send one request and wait for its answer; `params` are not changed.

        Raises:
            Refused: an upstream.* reason.
        """
        if not self._writable.is_set():
            await self._room(deadlines)
        if self.ended:
            raise Refused(UPSTREAM_UNREACHABLE, detail=self.ended)
        id_ = self._last_id = self._last_id + 1
        pending = _Pending(self._loop.create_future(), deadlines, self._loop.time())
        self._pending[id_] = pending
        wait = min(deadlines.first_byte, deadlines.total)
        pending.timer = self._loop.call_later(wait, self._late, id_, cancellable)
        params = _with_token(params, id_, pending, progress)
        self._send({"jsonrpc": "2.0", "id": id_, "method": method, "params": params})
        try:
            return await pending.answered
        except asyncio.CancelledError:
            if cancellable:
                self._cancel(id_, "the caller went away")
            raise
        finally:
            self._pending.pop(id_, None)
            pending.timer.cancel()

    def tell(self, method: str, params: Json | None = None) -> None:
        """Send a notification, unless too much waits already for a process that does not read."""
        if self._writable.is_set():
            message: Json = {"jsonrpc": "2.0", "method": method}
            self._send(message if params is None else {**message, "params": params})

    def reads(self, reading: bool) -> None:
        """Whether the process reads what is sent; while it does not, new calls wait."""
        if reading:
            self._writable.set()
        else:
            self._writable.clear()

    def end(self, how: str) -> None:
        """The process is gone: every call in flight fails, and no new one begins."""
        self.ended = how
        self._writable.set()
        for id_ in list(self._pending):
            self._fail(id_, UPSTREAM_DIED, how)

    async def _room(self, deadlines: Deadlines) -> None:
        try:
            async with asyncio.timeout(min(deadlines.first_byte, deadlines.total)):
                await self._writable.wait()
        except TimeoutError:
            raise Refused(
                UPSTREAM_UNREACHABLE, detail="the process does not read its standard input"
            ) from None

    def _send(self, message: Json) -> None:
        if not self.ended:
            self._write(strict.encode(message) + b"\n")

    def _cancel(self, id_: int, reason: str) -> None:
        self.tell("notifications/cancelled", {"requestId": id_, "reason": reason})

    def _late(self, id_: int, cancellable: bool) -> None:
        pending = self._pending[id_]
        if pending.answered.done():
            return
        left = pending.began + pending.deadlines.total - self._loop.time()
        if pending.heard and left > 0:
            pending.timer = self._loop.call_later(left, self._late, id_, cancellable)
            return
        if cancellable:
            self._cancel(id_, "it took too long")
        reason = UPSTREAM_TOTAL if left <= 0 else UPSTREAM_FIRST_BYTE
        self._fail(id_, reason, f"no answer after {self._loop.time() - pending.began:.1f} s")

    # ── from the process ────────────────────────────────────────────────────────────────────────

    def hear(self, line: bytes | Overlong) -> None:
        """One line of the process's standard output."""
        if isinstance(line, Overlong):
            self._unreadable(line, UPSTREAM_TOO_LARGE, "a line longer than `limits.result`")
            return
        if not line or line.isspace():
            return
        try:
            message = msgspec.json.decode(line)
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            self._mend_or_ignore(line)
            return
        self._take(message)

    def _take(self, message: Any) -> None:
        if isinstance(message, list) and self.batches:
            for part in message:
                self._one(part)
        else:
            self._one(message)

    def _one(self, message: Any) -> None:
        if not isinstance(message, dict):
            self._ignore("a line that is no JSON-RPC message")
        elif "method" in message:
            if "id" in message:
                self._asked(message)
            else:
                self._told(message)
        else:
            self._answered(message)

    def _answered(self, message: Json) -> None:
        id_ = message.get("id")
        pending = self._pending.get(id_) if type(id_) is int else None
        if pending is None or pending.answered.done():
            self._ignore("an answer to no call in flight", logging.DEBUG)
            return
        try:
            pending.answered.set_result(answers.response(message, message["id"]))
        except Refused as refused:
            pending.answered.set_exception(refused)

    def _asked(self, message: Json) -> None:
        id_ = message["id"]
        if not isinstance(id_, str | int) or not self._writable.is_set():
            self._ignore("a request with an id of the wrong type, or more than it reads answers to")
            return
        if message["method"] == "ping":
            self._send({"jsonrpc": "2.0", "id": id_, "result": {}})
            return
        error = {"code": METHOD_NOT_FOUND, "message": "This was not offered by the client"}
        self._send({"jsonrpc": "2.0", "id": id_, "error": error})

    def _told(self, message: Json) -> None:
        method, params = message["method"], message.get("params")
        if method == "notifications/progress":
            self._progressed(message, params)
        elif method in _CHANGES:
            self._changed()
        elif method == "notifications/message" and isinstance(params, dict):
            text = strict.encode(params.get("data"))[: 4 * _SAMPLE].decode("utf-8", "replace")
            self._journal.write(logging.DEBUG, f"says: {text}")

    def _progressed(self, message: Json, params: Any) -> None:
        token = params.get("progressToken") if isinstance(params, Mapping) else None
        pending = self._pending.get(token) if type(token) is int else None
        if pending is None or pending.answered.done():
            self._ignore("progress of no call in flight", logging.DEBUG)
            return
        pending.heard = True
        if pending.progress is not None:
            pending.progress({**message, "params": {**params, "progressToken": pending.token}})

    # ── lines that cannot be read ───────────────────────────────────────────────────────────────

    def _mend_or_ignore(self, line: bytes) -> None:
        """An answer with lone surrogates is mended, off the loop; the rest is said and ignored."""
        known = _claimed_id(line, line[-256:]) in self._pending
        # one for each call, or a server could have any number of lines held
        if not known or len(self._mending) >= len(self._pending):
            sample = line[:_SAMPLE].decode("utf-8", "replace")
            self._ignore(f"a line that is no JSON: {sample}")
            return
        task = self._loop.create_task(self._mend(line))
        self._mending.add(task)
        task.add_done_callback(self._mending.discard)

    async def _mend(self, line: bytes) -> None:
        try:
            self._take(await asyncio.to_thread(strict.careful, line, _LIMITS, mend=True))
        except Refused as refused:
            self._unreadable(Overlong(line[:256], line[-256:]), UPSTREAM_INVALID, refused.message)

    def _unreadable(self, line: Overlong, reason: Reason, detail: str) -> None:
        id_ = _claimed_id(line.head, line.tail)
        if id_ in self._pending:
            self._fail(id_, reason, detail)
        else:
            self._ignore(detail)

    def _fail(self, id_: int, reason: Reason, detail: str) -> None:
        pending = self._pending[id_]
        if not pending.answered.done():
            pending.answered.set_exception(Refused(reason, detail=detail))

    def _ignore(self, what: str, level: int = logging.WARNING) -> None:
        self.ignored += 1
        self._journal.write(level, f"ignored on standard output: {what}")


def _with_token(params: Json, id_: int, pending: _Pending, progress: Progress | None) -> Json:
    """The params with a progress token of ours in place of the caller's, if there is one."""
    meta = params.get("_meta")
    if not isinstance(meta, dict) or "progressToken" not in meta:
        return params
    pending.token, pending.progress = meta["progressToken"], progress
    return {**params, "_meta": {**meta, "progressToken": id_}}


def _claimed_id(head: bytes, tail: bytes) -> int:
    """The id that a line gives first or last; 0, which is nobody's, when it cannot be told."""
    found = _FIRST_ID.match(head) or _LAST_ID.search(tail)
    return int(found[1]) if found else 0
