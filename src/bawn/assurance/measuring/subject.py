"""What is measured: the very functions by which the gate and its steward decide, and how a row reaches them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

import msgspec
from pydantic import ValidationError

from bawn.assurance.measuring.rows import Row
from bawn.config.server import Server
from bawn.detectors.definitions import examine, flagged
from bawn.errors import Refused
from bawn.launching.checked import refuse
from bawn.launching.grammar import read
from bawn.model import Answer, Call, Client, Item, Json, Kind, Listing, Principal, View
from bawn.ports import Inspected, Inspector

SERVER: Final = "bench"
"""The server of all items; the inspector's configuration has it."""

Admit: TypeAlias = Callable[[Listing, float], Listing]
"""What of a listing serves if it is listed now (seconds), as the steward's Keeping has it."""

Look: TypeAlias = Callable[[Row], tuple[str, ...]]
"""The rules by which a row is flagged; empty when it is not."""

_CALLER: Final = Principal("bench", "bench", frozenset({"developer"}), float("inf"))
_ELSEWHERE: Final = ("secret/", "personal/", "canary/")  # what another track is about
_VERSION: Final = "2026-07-28"
_APPROVED: Final = 1e9
_LATER: Final = _APPROVED + 1e6
_BLOCKS: Final = "\x1f"
"""Parts an output that is told in several blocks of content."""


class Subject:
    """Shows rows to the gate. Nothing of a row is followed, run or sent."""

    def __init__(self, inspector: Inspector, admit: Admit) -> None:
        self._inspector = inspector
        self._admit = admit
        self._listed = 0
        self.looks: Final[Mapping[str, Look]] = {
            "tools": self.tool,
            "outputs": self.output,
            "arguments": self.arguments,
            "launch": self.launch,
            "secrets": self.secret,
            "drift": self.drift,
        }

    def prepare(self, track: str) -> None:
        """Forget the plans of the item before: each row has a definition of its own."""
        if track == "arguments":
            self._inspector.swap(View("", {}))

    def tool(self, row: Row) -> tuple[str, ...]:
        """As the pin-time check does, and `scan`."""
        definition = row.tool if isinstance(row.tool, dict) else {"name": str(row.tool)}
        return _once(each.rule for _, each in flagged(examine(definition, "tool", frozenset())))

    def output(self, row: Row) -> tuple[str, ...]:
        """As the gate does with a result; findings of secrets are the other track's."""
        rules = self._returned(row)
        return tuple(each for each in rules if not each.startswith(_ELSEWHERE))

    def secret(self, row: Row) -> tuple[str, ...]:
        """Secrets in a result."""
        return tuple(each for each in self._returned(row) if each.startswith("secret/"))

    def arguments(self, row: Row) -> tuple[str, ...]:
        """As the gate does before a call leaves."""
        schema = row.schema if isinstance(row.schema, dict) else {"type": "object"}
        named = row.tool if isinstance(row.tool, dict) else {"name": str(row.tool or "tool")}
        item = _item({**named, "inputSchema": schema})
        params = {"name": item.name, "arguments": row.arguments}
        return _rules(lambda: self._inspector.leaving(_call(params), item, params))

    def launch(self, row: Row) -> tuple[str, ...]:
        """As the gate does before it starts a server."""
        config = row.config or {}
        words = [config.get("command") or "", *(config.get("args") or ())]
        env = {key: str(each) for key, each in (config.get("env") or {}).items()}
        try:
            server = Server(command=tuple(map(str, words)), env=env, cwd=config.get("cwd"))
        except ValidationError:
            return ("launch/unusable",)
        if not refuse(SERVER, server):
            return ()
        errors = read(server.command or (), server.env, server.cwd or "").errors
        return _once(f"launch/{each.kind.removeprefix('launch/')}" for each in errors)

    def drift(self, row: Row) -> tuple[str, ...]:
        """As the steward does with a list that came once more: is anything of it withheld?"""
        self._listed += 1
        name = f"{SERVER}-{self._listed}"
        before, after = (_listing(name, each) for each in (row.before, row.after))
        self._admit(before, _APPROVED)
        found = self._admit(after, _LATER)
        reasons = [each.reason for several in found.withheld.values() for each in several]
        changed = found.instructions != after.instructions
        return _once([*reasons, *(["integrity.instructions"] if changed else [])])

    def _returned(self, row: Row) -> tuple[str, ...]:
        named = row.tool if isinstance(row.tool, dict) else {"name": str(row.tool or "tool")}
        item = _item(named)
        texts = (row.text or "").split(_BLOCKS)
        answer = Answer({"content": [{"type": "text", "text": each} for each in texts]})
        call = _call({"name": item.name, "arguments": {}})
        return _rules(lambda: self._inspector.returning(call, item, answer))


def blocks(*texts: str) -> str:
    """A text that is told in several blocks of content."""
    return _BLOCKS.join(texts)


def _rules(inspect: Callable[[], Inspected | None]) -> tuple[str, ...]:
    try:
        inspected = inspect()
    except Refused as error:
        return (_told(error),)
    if inspected is None:
        return ()
    return _once(each.detection.rule for each in inspected.found if each.action != "pass")


def _told(error: Refused) -> str:
    """The rule that a refusal names in brackets, else its reason."""
    rule = error.public.rpartition("(")[2].rstrip(")")
    return rule if "/" in rule and " " not in rule else error.reason.id


def _item(definition: Json) -> Item:
    name = str(definition.get("name") or "tool")
    return Item(Kind.TOOL, SERVER, name, f"{SERVER}__{name}", {"name": name, **definition})


def _call(params: Json) -> Call:
    return Call(1, "tools/call", params, _CALLER, SERVER, Client(_VERSION), "0" * 32)


def _listing(server: str, said: Any) -> Listing:
    """A tool, a list of tools, or a whole listing; JSON text is read as a server's is."""
    value = msgspec.json.decode(said) if isinstance(said, str) else said
    whole = value if isinstance(value, dict) and isinstance(value.get("tools"), list) else {}
    tools = whole.get("tools") or (value if isinstance(value, list) else [value])
    named = tuple({"name": "tool", **each} for each in tools if isinstance(each, dict))
    prompts = tuple(each for each in whole.get("prompts") or () if isinstance(each, dict))
    definitions = {Kind.TOOL: named, Kind.PROMPT: prompts}
    return Listing(server, "1", {"tools": {}}, str(whole.get("instructions") or ""), definitions, 0)


def _once(rules: Any) -> tuple[str, ...]:
    return tuple(dict.fromkeys(rules))


def size(row: Row) -> int:
    """Bytes of what a row would have looked at."""
    payload = (row.tool if row.text is None else row.text, row.arguments, row.config)
    said = [each for each in (*payload, row.after) if each not in (None, msgspec.UNSET)]
    return len(json.dumps(said, ensure_ascii=False, default=str).encode(errors="replace"))
