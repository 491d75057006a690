"""Reading the test cases of a policy directory: who calls what, and what is expected.

A file that defines `servers` is closed: a case that names a tool which is not there is a mistake.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final, TypeAlias

import msgspec
from pydantic import ValidationError

from bawn.config import document
from bawn.config.problems import shown
from bawn.config.server import SERVER_ID
from bawn.model import Item, Json, Kind
from bawn.protocol.versions import IDENTIFIER
from bawn.review.trials import problems
from bawn.review.trials.case_file import CaseEntry, CaseFile, ServerEntry, Target
from bawn.review.trials.problems import Problem


@dataclass(frozen=True, slots=True)
class Case:
    """One case with its place and the item that it is about."""

    place: str  # file:line
    entry: CaseEntry
    item: Item

    @property
    def title(self) -> str:
        """What to call it: its name, else who calls what."""
        who, call = self.entry.caller, self.entry.call
        roles = f" ({', '.join(who.roles)})" if who.roles else ""
        return self.entry.name or f"{who.subject}{roles}: {call.called} {call.server}/{call.name}"


@dataclass(frozen=True, slots=True)
class Cases:
    """The cases of one file, with everything that its servers offer, and the tenant of each server.

    `tenants` is None where the file defines no servers: then nothing is known of them.
    """

    file: str
    cases: tuple[Case, ...]
    items: tuple[Item, ...]
    tenants: Mapping[str, str] | None


def read(raw: bytes, name: str) -> Cases:
    """The cases of a file; `name` is what problems call it.

    Raises:
        Misconfigured: every problem with its line, and what was expected.
    """
    found = document.read(raw, name)
    try:
        file = CaseFile.model_validate_json(msgspec.json.encode(found.tree))
    except ValidationError as error:
        raise problems.told(found, name, problems.of(error, found.tree)) from None
    items, wrong = _items(file)
    cases: list[Case] = []
    for number, entry in enumerate(file.cases):
        item = _target(entry.call, items, file.servers)
        if isinstance(item, str):
            wrong.append((("cases", number, "call"), item))
        else:
            line = found.line(("cases", number)) or 1
            cases.append(Case(f"{name}:{line}", entry, item))
    if wrong:
        raise problems.told(found, name, wrong)
    servers = file.servers
    tenants = None if servers is None else {name: each.tenant for name, each in servers.items()}
    return Cases(name, tuple(cases), tuple(items.values()), tenants)


_Items: TypeAlias = dict[tuple[str, Kind, str], Item]
_OFFERED: Final = {
    "tools": Kind.TOOL,
    "prompts": Kind.PROMPT,
    "resources": Kind.RESOURCE,
    "templates": Kind.TEMPLATE,
}


def _items(file: CaseFile) -> tuple[_Items, list[Problem]]:
    """What the servers of a file offer, and what is wrong with how it is said."""
    items: _Items = {}
    wrong: list[Problem] = []
    for server, entry in (file.servers or {}).items():
        if not SERVER_ID.fullmatch(server):
            wrong.append(
                (("servers", server), "expected a server id: 1 to 32 of a-z, 0-9 and hyphen")
            )
        for member, kind in _OFFERED.items():
            for number, each in enumerate(getattr(entry, member)):
                definition: Json = each.model_dump(exclude_none=True, by_alias=True, mode="json")
                path = ("servers", server, member, number)
                name = definition.get(IDENTIFIER[kind])
                if not name:
                    wrong.append((path, f"expected `{IDENTIFIER[kind]}`, which names it"))
                elif (server, kind, name) in items:
                    wrong.append((path, f"a second one is named {shown(path, name)}"))
                else:
                    items[server, kind, name] = Item(kind, server, name, name, definition)
    return items, wrong


def _target(call: Target, items: _Items, servers: dict[str, ServerEntry] | None) -> Item | str:
    """The item of a call, or what is wrong with it."""
    if servers is not None and call.server not in servers:
        known = ", ".join(sorted(servers)) or "none"
        return f"no server {shown((), call.server)} in `servers` of this file, which has: {known}"
    found = items.get((call.server, call.kind, call.name))
    if (
        found is None
        and servers is not None
        and call.kind in {Kind.TOOL, Kind.PROMPT, Kind.TEMPLATE}
    ):
        near = get_close_matches(
            call.name, [n for s, k, n in items if (s, k) == (call.server, call.kind)], 1
        )
        hint = f"; did you mean {shown((), near[0])}?" if near else ""
        return f"server {call.server} of this file has no {call.kind} {shown((), call.name)}{hint}"
    return found or Item(call.kind, call.server, call.name, call.name, {})
