"""JSON-RPC with one process: our ids and progress tokens out, the answers back to their calls.

No I/O of its own: bytes leave through `write`, lines come in through `hear`. Sources: pages
basic/index, transports/stdio, patterns/cancellation and patterns/progress (2026-07-28).
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from bawn.errors import (
    UPSTREAM_DIED,
    UPSTREAM_INVALID,
    UPSTREAM_OUTCOME,
    UPSTREAM_TOO_LARGE,
    UPSTREAM_UNREACHABLE,
    Reason,
    Refused,
)
from bawn.model import Answer, Json
from bawn.protocol import answers, listening, strict, versions
from bawn.runner.asks import LONGEST_ID, Asks
from bawn.runner.caller import Caller, weight
from bawn.runner.journal import Journal
from bawn.runner.lines import Overlong
from bawn.runner.listens import LISTS, UPDATED
from bawn.runner.pending import Deadlines, Pending

_FIRST_ID = re.compile(rb'\s*\{\s*(?:"jsonrpc"\s*:\s*"2\.0"\s*,\s*)?"id"\s*:\s*(\d{1,18})\s*,')
_LAST_ID = re.compile(rb',\s*"id"\s*:\s*(\d{1,18})\s*\}\s*$')
_SAMPLE: Final = 200
_LIMITS: Final = strict.JsonLimits(depth=500, nodes=1_000_000)  # the gate has its own, narrower


class Dialogue:
    """The conversation with one process, from its start to its end."""

    def __init__(
        self, write: Callable[[bytes], None], journal: Journal, changed: Callable[[str], None]
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._write = write
        self._journal = journal
        self._changed = changed
        self._pending: dict[int, Pending] = {}
        self._last_id = 0
        self._writable = asyncio.Event()
        self._writable.set()
        self._mending: set[asyncio.Task[None]] = set()  # held, or they might be collected
        self._over = asyncio.Event()
        self.asks = Asks(self._send)
        self.updated: Callable[[Json], None] = _to_nobody  # takes notifications/resources/updated
        self.shared = False  # whether it works for many principals
        self.ended = ""  # how, once it has
        self.ignored = 0
        self.batches = False  # 2025-03-26 alone lets a server send several messages in one

    # ── towards the process ─────────────────────────────────────────────────────────────────────

    async def ask(
        self,
        method: str,
        params: Json,
        deadlines: Deadlines,
        caller: Caller | None = None,
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
        pending = self._pending[id_] = Pending(id_, method, caller, cancellable=cancellable)
        pending.watch(deadlines, self._late)
        params = pending.with_token(params)
        self._send({"jsonrpc": "2.0", "id": id_, "method": method, "params": params})
        try:
            return await pending.answered
        except asyncio.CancelledError:
            if cancellable:
                self._cancel(id_, "the caller went away")
            raise
        finally:
            del self._pending[id_]
            pending.unwatch()
            if pending.asks:
                self.asks.end(pending)

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

    async def outlive(self) -> Answer:
        """Wait for the end of the process.

        Raises:
            Refused: upstream.died, always.
        """
        await self._over.wait()
        raise Refused(UPSTREAM_DIED, detail=self.ended)

    def end(self, how: str) -> None:
        """The process is gone: every call in flight fails, and no new one begins."""
        self.ended = how
        self._over.set()
        self._writable.set()
        for pending in self._pending.values():
            pending.fail(UPSTREAM_DIED, how)

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

    def _late(self, pending: Pending, reason: Reason, detail: str) -> None:
        if pending.cancellable:
            self._cancel(pending.id, "it took too long")
        pending.fail(reason, detail)

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
        if not _is_id(id_) or not self._writable.is_set() or self.asks.knows(id_):
            self._ignore("a request whose id is no good or open, or more than it reads answers to")
        elif message["method"] == "ping":
            self._send({"jsonrpc": "2.0", "id": id_, "result": {}})
        else:
            self.asks.put(message, self._pending)

    def _told(self, message: Json) -> None:
        method, params = message["method"], message.get("params")
        if method == "notifications/progress":
            self._progressed(message, params)
        elif (stream := self._stream(params)) is not None:
            self._heard_by(stream, message)
        elif isinstance(method, str) and method in LISTS:
            self._changed(method)
        elif not isinstance(params, dict):
            return
        elif method == "notifications/message":
            self._logged(message, params)
        elif method == "notifications/cancelled":
            self._withdrew(params.get("requestId"))
        elif method == UPDATED:
            self.updated(message)

    def _progressed(self, message: Json, params: Any) -> None:
        token = params.get("progressToken") if isinstance(params, Mapping) else None
        pending = self._pending.get(token) if type(token) is int else None
        if pending is None or pending.answered.done():
            self._ignore("progress of no call in flight", logging.DEBUG)
            return
        pending.heard = True
        if pending.caller is not None and pending.token is not None:
            params = {**params, "progressToken": pending.token}
            pending.caller.tell({**message, "params": params})

    def _withdrew(self, id_: Any) -> None:
        """A question that the process no longer asks, or a stream of notifications that it ends."""
        stream = self._pending.get(id_) if type(id_) is int else None
        if stream is None or not stream.listens:
            self.asks.withdraw(id_)
        elif not stream.answered.done():
            stream.answered.set_result(Answer(result=listening.ended(stream.id)))

    # ── streams of notifications, and log messages ──────────────────────────────────────────────

    def _stream(self, params: Any) -> Pending | None:
        """The stream that a notification belongs to, by its tag."""
        meta = params.get("_meta") if isinstance(params, dict) else None
        id_ = meta.get(versions.META_SUBSCRIPTION) if isinstance(meta, dict) else None
        pending = self._pending.get(id_) if type(id_) is int else None
        return pending if pending is not None and pending.listens else None

    def _heard_by(self, stream: Pending, message: Json) -> None:
        if stream.answered.done() or stream.caller is None:
            return
        if message["method"] == listening.ACKNOWLEDGED:
            stream.unwatch()  # from here on it may last
        if not stream.caller.tell(message):
            self._cancel(stream.id, "the listener is too slow")
            stream.fail(UPSTREAM_OUTCOME, "the listener is too slow")

    def _logged(self, message: Json, params: Json) -> None:
        """A log message goes to the one call that asked for any, else to the journal."""
        said, caller = weight(params.get("level")), self._reader()
        if caller is None or caller.level is None or said is None:
            text = strict.encode(params.get("data"))[: 4 * _SAMPLE].decode("utf-8", "replace")
            self._journal.write(logging.DEBUG, f"says: {text}")
        elif said >= caller.level:
            caller.tell(message)

    def _reader(self) -> Caller | None:
        calls = [
            pending.caller
            for pending in self._pending.values()
            if pending.caller is not None and not (pending.listens or pending.answered.done())
        ]
        asked = [caller for caller in calls if caller.level is not None]
        # what is said for one principal's call must not reach another's
        alone = len(asked) == 1 and not (self.shared and len(calls) > 1)
        return asked[0] if alone else None

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
        pending = self._pending.get(_claimed_id(line.head, line.tail))
        if pending is not None:
            pending.fail(reason, detail)
        else:
            self._ignore(detail)

    def _ignore(self, what: str, level: int = logging.WARNING) -> None:
        self.ignored += 1
        self._journal.write(level, f"ignored on standard output: {what}")


def _is_id(id_: Any) -> bool:
    """Whether a request of the process can be answered by this id."""
    if isinstance(id_, str):
        return len(id_) <= LONGEST_ID
    return type(id_) is int


def _to_nobody(message: Json) -> None:
    """Until somebody wants to hear it."""


def _claimed_id(head: bytes, tail: bytes) -> int:
    """The id that a line gives first or last; 0, which is nobody's, when it cannot be told."""
    found = _FIRST_ID.match(head) or _LAST_ID.search(tail)
    return int(found[1]) if found else 0
