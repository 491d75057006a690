"""What the caller gets in the place of a result that is held back: valid, and honest about it.

A call was made and has had its effect: a model that took the answer for a failure would repeat it.

Source: the results of server/tools, server/prompts, server/resources and server/utilities/completion,
and of the tasks extension (2026-07-28).
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

import msgspec

from bawn.model import Json
from bawn.ports import Found

NOTE: Final = "bawn/quarantine"
"""The key in `_meta` under which a program finds the handle."""

_NAMED: Final = 8
"""Rules that are named."""

_OF_TASKS: Final = (
    "resultType", "taskId", "createdAt", "lastUpdatedAt", "ttlMs", "pollIntervalMs",
)  # fmt: skip
_STATUS: Final = frozenset({"working", "completed", "failed", "cancelled"})
_FAILED: Final = (
    -32603
)  # JSON-RPC 2.0, section 5.1: the only code that says nothing about the request


class Withheld(msgspec.Struct, frozen=True):
    """Why and where a result is held: `expires` is in seconds since the epoch, `url` the gate's own."""

    handle: str
    expires: float
    found: tuple[Found, ...]
    url: str = ""

    @property
    def words(self) -> str:
        """For a model and the person behind it; nothing of what was found stands in it."""
        until = datetime.fromtimestamp(self.expires, UTC).isoformat(" ", "minutes")
        fetch = f"{self.url}/api/v1/quarantine/{self.handle}"
        return (
            "bawn, the gate before this server, holds this answer back. The request was carried out; "
            "making it again would carry it out a second time. Found in the answer: "
            f"{', '.join(self.rules)}. Handle: {self.handle}, until {until}. An operator looks at it "
            f"with `bawn quarantine show {self.handle}` and may release it; whoever made the request "
            f"can then fetch it with GET {fetch}."
        )

    @property
    def rules(self) -> list[str]:
        """The rules by which something was found, each once."""
        taken = (each for each in self.found if not each.shadow and each.action != "pass")
        return list(dict.fromkeys(each.detection.rule for each in taken))[:_NAMED]

    @property
    def note(self) -> Json:
        """The same for programs."""
        return {NOTE: {"handle": self.handle, "expires": self.expires, "rules": self.rules}}


def withheld(
    method: str, result: Json, why: Withheld, *, checked: bool = False, uri: str = ""
) -> Json | None:
    """A result in the place of one that is held back; None when there can be none, so that it is refused.

    `checked` says that the tool has an `outputSchema`: then only an error may come without structured
    content. `uri` is the resource that was asked for. A question of a server is never replaced.
    """
    kind = result.get("resultType", "complete")
    if "taskId" in result and kind in ("complete", "task"):
        return _task(result, why, checked=checked)
    if kind != "complete":
        return None
    made = _made(method, why, uri, checked=checked)
    return None if made is None else {"resultType": "complete", **made, "_meta": why.note}


def withheld_error(error: Json, why: Withheld) -> Json:
    """The same for an error."""
    return {"code": error["code"], "message": why.words, "data": why.note}


def _made(method: str, why: Withheld, uri: str, *, checked: bool) -> Json | None:
    if method == "tools/call":
        return {"content": [_text(why)], "isError": checked}
    if method == "prompts/get":
        return {"messages": [{"role": "user", "content": _text(why)}]}
    if method == "resources/read":
        about = {"uri": uri or "bawn:withheld", "mimeType": "text/plain", "text": why.words}
        return {"contents": [about], "ttlMs": 0, "cacheScope": "private"}
    if method == "completion/complete":
        return {"completion": {"values": [], "total": 0, "hasMore": False}}
    return None


def _task(result: Json, why: Withheld, *, checked: bool) -> Json | None:
    """The state of a task, without any word of the server's."""
    kept: Json = {key: result[key] for key in _OF_TASKS if key in result}
    status = result.get("status")
    if status not in _STATUS:
        return None
    made: Json = {**kept, "status": status, "_meta": why.note}
    if "result" in result:
        made["result"] = {
            "content": [_text(why)],
            "isError": checked,
            "_meta": why.note,
        }
    if "error" in result:
        made["error"] = withheld_error({"code": _FAILED}, why)
    return made


def _text(why: Withheld) -> Json:
    return {"type": "text", "text": why.words}
