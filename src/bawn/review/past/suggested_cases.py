"""The tests of a suggested policy: what every grantee may do, and something that it may not."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, TypeAlias

from bawn.model import Item, Json, Kind
from bawn.review.past.grants import Grant, Grantee, Grants

CASES: Final = 400
"""In one file at most: a file is bounded in what it may hold."""

_HINTS: Final = ("readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint")
_ANY: Final = {Kind.PROMPT: "prompt", Kind.RESOURCE: "resource"}
_UNPRINTABLE: Final = re.compile(r"[^\x20-\x7e]")

_Case: TypeAlias = Json


def case_files(
    granted: Mapping[str, Grants], tools: Mapping[str, Mapping[str, Item]], name: str
) -> dict[str, str]:
    """The files by path; `granted` is by tenant, `tools` what each server offers."""
    cases: dict[str, list[_Case]] = {}
    for tenant, each in granted.items():
        for server, case in _cases(tenant, each, tools):
            cases.setdefault(server, []).append(case)
    files: dict[str, str] = {}
    for server, found in sorted(cases.items()):
        for number, start in enumerate(range(0, len(found), CASES)):
            more = f"-{number + 1}" if number else ""
            text = _case_file(server, found[start : start + CASES], tools.get(server, {}))
            files[f"tests/{name}-{server}{more}.yaml"] = text
    return files


def _cases(
    tenant: str, granted: Grants, tools: Mapping[str, Mapping[str, Item]]
) -> Iterator[tuple[str, _Case]]:
    for grantee, servers in granted.items():
        caller = _caller(tenant, grantee)
        for server, grant in servers.items():
            for target in _targets(grant):
                call = {"server": server, **target}
                yield server, {"as": caller, "call": call, "expect": "allow"}
            unused = sorted(tools.get(server, {}).keys() - grant.tools)
            if unused:
                call = {"server": server, "tool": unused[0]}
                yield server, {"as": caller, "call": call, "expect": "deny"}
    for server in sorted({server for servers in granted.values() for server in servers}):
        target = next(_targets(next(each[server] for each in granted.values() if server in each)))
        nobody = _caller(tenant, Grantee())
        yield server, {"as": nobody, "call": {"server": server, **target}, "expect": "deny"}


def _targets(grant: Grant) -> Iterator[Json]:
    for name in sorted(grant.tools):
        yield {"tool": name}
    for kind in sorted(grant.kinds):  # no real one: the URI of a resource may be personal
        yield {_ANY[kind]: f"any:{kind}" if kind is Kind.RESOURCE else "any"}
    for name in sorted(grant.methods):
        yield {"method": name}


def _caller(tenant: str, grantee: Grantee) -> Json:
    caller: Json = {"roles": [grantee.role]} if grantee.role else {"subject": grantee.subject}
    if not grantee.name:
        caller = {"subject": "nobody", "issuer": "https://nowhere.invalid"}
    if grantee.issuer:
        caller["issuer"] = grantee.issuer
    if grantee.agent:
        caller["agent"] = grantee.subject
    if tenant:
        caller["tenant"] = tenant
    return caller


def _case_file(server: str, cases: list[_Case], tools: Mapping[str, Item]) -> str:
    """The file, with as much of the server as its cases name."""
    named = {case["call"]["tool"] for case in cases if "tool" in case["call"]}
    prompts = {case["call"]["prompt"] for case in cases if "prompt" in case["call"]}
    tenants = {case["as"].get("tenant", "") for case in cases}
    lines = ["# Written by `bawn policy suggest`.", "servers:", f"  {_flow(server)}:"]
    tenant = tenants.pop()
    lines += [f"    tenant: {tenant}"] if tenant else []
    lines += ["    tools:"] if named else []
    lines += [f"      - {_flow(_definition(name, tools.get(name)))}" for name in sorted(named)]
    lines += ["    prompts:"] if prompts else []
    lines += [f"      - {_flow({'name': name})}" for name in sorted(prompts)]
    if not named and not prompts and not tenant:
        lines[-1] += " {}"
    lines += ["cases:"]
    for case in cases:
        (first, *rest) = (f"{key}: {_flow(value)}" for key, value in case.items())
        lines += [f"  - {first}", *(f"    {each}" for each in rest)]
    return "\n".join(lines) + "\n"


def _definition(name: str, item: Item | None) -> Json:
    given: Any = item.definition.get("annotations") if item is not None else None
    hints = given if isinstance(given, dict) else {}
    said = {hint: hints[hint] for hint in _HINTS if isinstance(hints.get(hint), bool)}
    return {"name": name, "annotations": said} if said else {"name": name}


def _flow(value: Any) -> str:
    """A value on one line: as JSON, with the escapes that YAML has for what lies beyond the BMP."""
    text = json.dumps(value, ensure_ascii=False)
    return _UNPRINTABLE.sub(_escaped, text)


def _escaped(found: re.Match[str]) -> str:
    code = ord(found.group())
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
