"""A least-privilege policy from what was seen, with the tests that hold it to that.

Tools are granted by name; where a role used every tool of a server the server's tools as a whole, which
takes in what the server adds later. Prompts and resources are granted by server.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from difflib import unified_diff
from typing import Final, TypeAlias

from bawn.model import Item, Kind, View
from bawn.policy import actions
from bawn.review.past.grants import Grant, Grantee, Grants, grants
from bawn.review.past.recorded import Recorded
from bawn.review.past.suggested_cases import case_files
from bawn.review.permits import quoted, statement, uid

NAME: Final = "suggested"
TOOLS: Final = 100
"""Named in one statement at most: a statement is bounded as well."""

NAMES: Final = 8192
"""Characters of their names, together."""

LONGEST: Final = 100
"""Characters of an id, but for a number that tells it from another."""

_HEADER: Final = (
    "// Written by `bawn policy suggest` from the calls that were seen. Review before use.\n"
)
_UNFIT: Final = re.compile(r"[^A-Za-z0-9_./-]")

_Tools: TypeAlias = Mapping[str, Mapping[str, Item]]


def suggest(seen: Iterable[Recorded], view: View) -> dict[str, str]:
    """The files of a policy directory, by path below it; empty when nothing was seen."""
    files: dict[str, str] = {}
    tools: _Tools = {
        server: endpoint.items[Kind.TOOL]
        for server, endpoint in view.endpoints.items()
        if server is not None
    }
    granted = grants(seen)
    for tenant, each in granted.items():
        place = f"tenants/{tenant}/{NAME}.cedar" if tenant else f"{NAME}.cedar"
        files[place] = "\n".join([_HEADER, *_statements(tenant, each, tools)])
    files |= case_files(granted, tools, NAME)
    return files


def difference(files: Mapping[str, str], there: Mapping[str, str]) -> str:
    """What writing these files would change, as a unified diff."""
    lines: list[str] = []
    for path, text in sorted(files.items()):
        old = there.get(path)
        lines += unified_diff(
            [] if old is None else old.splitlines(keepends=True),
            text.splitlines(keepends=True),
            "/dev/null" if old is None else f"a/{path}",
            f"b/{path}",
        )
    return "".join(lines)


# ── the policy ──


def _statements(tenant: str, granted: Grants, tools: _Tools) -> Iterator[str]:
    ids: set[str] = set()
    for grantee, servers in granted.items():
        who, when = _principal(grantee)
        for server, grant in servers.items():
            for what, where, about, note in _permits(server, grant, tools.get(server, {})):
                id_ = _id(ids, NAME, tenant, grantee.name, server, about)
                yield statement(who, what, where, when=when, id_=id_, note=note)


def _permits(
    server: str, grant: Grant, tools: Mapping[str, Item]
) -> Iterator[tuple[list[str], str, str, str]]:
    """The actions and resource of each permit, what it is about, and a note."""
    where = f"resource in {uid('Server', server)}"
    note = f"{len(grant.tools)} of {max(len(tools), len(grant.tools))} tools were used"
    if len(tools) > 1 and grant.tools >= tools.keys():
        yield [actions.CALL], where, "tools", note
    else:
        for names in _divided(sorted(grant.tools)):
            yield [f"call {server}/{name}" for name in names], where, "tools", note
    for kind in sorted(grant.kinds):
        yield [actions.MAIN[kind]], where, f"{kind}s", ""
    for name in sorted(grant.methods):
        one = f"resource == {uid('Method', f'{server}/{name}')}"
        yield [actions.EXTENSION], one, "method", ""
    if grant.beside:
        yield sorted(grant.beside), where, "beside", ""


def _divided(names: list[str]) -> Iterator[list[str]]:
    """The names in as few statements as hold them."""
    part: list[str] = []
    for name in names:
        if part and (len(part) >= TOOLS or sum(map(len, part)) + len(name) > NAMES):
            yield part
            part = []
        part.append(name)
    if part:
        yield part


def _id(taken: set[str], *parts: str) -> str:
    """An id that tells what a rule is about, in the characters that ids may have, and new."""
    plain = _UNFIT.sub("-", "/".join(filter(None, parts)))[:LONGEST]
    found, number = plain, 1
    while found in taken:
        number += 1
        found = f"{plain}:{number}"
    taken.add(found)
    return found


def _principal(grantee: Grantee) -> tuple[str, str]:
    if grantee.role:
        return f"principal in {uid('Role', grantee.role)}", ""
    when = f"principal.issuer == {quoted(grantee.issuer)}"
    return f"principal == {uid('Agent' if grantee.agent else 'User', grantee.subject)}", when
