"""Rules from Cedar text, Views of a few tools, and calls as the audit would tell of them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from math import inf
from typing import Any

import cedarpy

from bawn.audit.calls import AuditedCall
from bawn.model import Call, Client, Endpoint, Item, Kind, Label, Principal, View
from bawn.policy.rules import Consent, Rule, RuleSet
from bawn.review.explain import Explainer, Explanation
from bawn.review.past.recorded import Outcome, Recorded

ADA = Principal("ada", "https://idp", frozenset({"developer"}), inf)
BOB = Principal("bob", "https://idp", frozenset({"viewer"}), inf)


def ruleset(text: str, **more: Any) -> RuleSet:
    """The statements of a text; rule n stands on line n. `@ask` names roles, apart by commas."""
    found = json.loads(cedarpy.policies_to_json_str(text))["staticPolicies"]
    rules = []
    for number in range(len(found)):
        ast = found[f"policy{number}"]
        noted = ast.pop("annotations", {})
        asked = {role.strip() for role in noted["ask"].split(",")} if "ask" in noted else None
        rules.append(
            Rule(
                noted.get("id", f"a.cedar:{number + 1}"),
                ast["effect"],
                "a.cedar",
                number + 1,
                "",
                ast,
                Consent(frozenset(asked - {"self"}), "self" in asked, 1, None) if asked else None,
                "shadow" in noted,
                noted.get("tenant", ""),
            )
        )
    return RuleSet("v", tuple(rules), **more)


def item(name: str, kind: Kind = Kind.TOOL, server: str = "files", **definition: Any) -> Item:
    prefixed = kind not in {Kind.RESOURCE, Kind.TEMPLATE}
    return Item(kind, server, name, f"{server}__{name}" if prefixed else name, definition)


def view(*items: Item, aggregates: Mapping[str, Endpoint] | None = None) -> View:
    servers = sorted({each.server for each in items})
    endpoints: dict[str | None, Endpoint] = {None: endpoint(None, items)}
    for server in servers:
        endpoints[server] = endpoint(server, [each for each in items if each.server == server])
    return View("v", endpoints, aggregates or {})


def endpoint(server: str | None, items: Iterable[Item], **more: Any) -> Endpoint:
    found: dict[Kind, dict[str, Item]] = {kind: {} for kind in Kind if kind is not Kind.METHOD}
    for each in items:
        found[each.kind][each.name if server else each.shown] = each
    return Endpoint(server, found, frozenset(), {}, {}, 0, **more)


def recorded(
    about: Item | None,
    principal: Principal | None = ADA,
    *,
    said: Outcome | None = "allow",
    method: str = "tools/call",
    at: float = 1_767_787_200.0,
    trace: str = "1",
) -> Recorded:
    left = said == "allow"
    status = {"allow": "ok", "deny": "policy.denied", "ask": "approval.pending"}.get(
        said or "", "limit.rate"
    )
    call = AuditedCall(
        int(at * 1e9), principal.subject if principal else "erased", "pseudonym",
        "allowed" if left else "refused", "", method, about.server if about else "files",
        about.name if about else "gone", status, None, None, trace, None, "desk", None, "s", 1,
    )  # fmt: skip
    return Recorded(call, principal, about, said, Client("2026-07-28", "desk"))


READ = item("read", annotations={"readOnlyHint": True})
WRITE = item("write")
RULES = ruleset("""
@id("read") permit (principal in Role::"developer", action in Action::"tools/call", resource in Server::"files")
  when { resource has readOnly && resource.readOnly };
@id("tmp") permit (principal in Role::"developer", action == Action::"call files/write", resource)
  when { context.arguments has path && context.arguments.path like "/tmp/*" } unless { principal has x && principal.x == "1" };
@id("other") permit (principal == User::"root", action == Action::"prompts/get", resource);
@id("stop") forbid (principal, action == Action::"call files/drop", resource);
@id("flows") @ask("operator, self") forbid (principal, action, resource) when { context.flow.private };
""")


def explain(
    what: Item,
    principal: Principal = ADA,
    *,
    method: str = "tools/call",
    arguments: dict[str, object] | None = None,
    touched: frozenset[Label] = frozenset(),
) -> Explanation:
    call = Call(0, method, {"arguments": arguments or {}}, principal, None, Client(""), "")
    return Explainer(RULES, {}).explain(call, what, now=1_767_787_200.0, touched=touched)
