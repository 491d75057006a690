"""There is no second door: what reaches a server is what the policy allows, recorded before."""

from __future__ import annotations

import asyncio
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from bawn.config import RoleRule
from bawn.model import Item, Kind, Principal
from bawn.policy.roles import Roles
from bawn.protocol import versions
from tests.gate import (
    ISSUER,
    House,
    legacy,
    modern,
)

# ── one choke point ───────────────────────────────────────────────────────────────────────────────

_METHODS = [
    *versions.METHODS,
    "completion/complete",
    "tasks/list",
    "TOOLS/CALL",
    "sampling/createMessage",
]
_NAMES = [
    "files__read", "files__write", "issues__search", "issues__read", "echo", "read", "write",
    "search", "files__summary", "summary", "file:///a", "file:///b/c", "common://doc", "ui://x", "",
]  # fmt: skip
_KINDS = {"tools/call": Kind.TOOL, "prompts/get": Kind.PROMPT, "resources/read": Kind.RESOURCE}

_rule = st.builds(
    RoleRule,
    servers=st.sampled_from([("*",), ("files",), ("issues", "bare"), ()]),
    tools=st.sampled_from([("*",), ("read",), ("w*", "echo"), ()]),
    prompts=st.sampled_from([("*",), ("s*",), ()]),
    resources=st.sampled_from([("*",), ("file:///*",), ("common://doc", "ui://*"), ()]),
)
_message = st.tuples(
    st.sampled_from([modern, legacy]),
    st.sampled_from(_METHODS),
    st.sampled_from(_NAMES),
    st.sampled_from([None, "files", "issues", "bare"]),
    st.sampled_from(["a", "b", "developer", "viewer", "nobody"]),
    st.sampled_from([1, "x", None]),
)


def _target(at: str | None, kind: Kind, name: str) -> Item | None:
    """Which item a name stands for, told from what the servers offer and from nothing else."""
    servers = {"files": "files__", "issues": "issues__", "bare": ""}
    own = {
        ("files", Kind.TOOL): {"read", "write"},
        ("issues", Kind.TOOL): {"search", "read"},
        ("bare", Kind.TOOL): {"echo"},
        ("files", Kind.PROMPT): {"summary"},
    }
    if kind is Kind.RESOURCE:
        if at is not None:
            return Item(kind, at, name, name, {})
        found = name.startswith("file:///")
        return Item(kind, "files", name, name, {}) if found else None
    for server, prefix in servers.items():
        for tool in own.get((server, kind), ()):
            shown = tool if at is not None else prefix + tool
            if name == shown and at in (None, server):
                return Item(kind, server, tool, prefix + tool, {})
    return None


@settings(max_examples=250, deadline=None)
@given(_rule, _rule, st.lists(_message, min_size=1, max_size=8))
def test_what_reaches_a_server_is_exactly_what_the_policy_allows_asked_directly(
    one: RoleRule, other: RoleRule, messages: list[tuple[Any, ...]]
) -> None:
    roles = {"a": one, "b": other}
    asyncio.run(_send_all(House(roles=roles), Roles(roles), messages))


async def _send_all(house: House, policy: Roles, messages: list[tuple[Any, ...]]) -> None:
    for ask, method, name, at, role, id_ in messages:
        who = Principal("p", ISSUER, frozenset({role}), float("inf"))
        item = _target(at, _KINDS[method], name) if method in _KINDS else None
        if id_ is None and ask is modern:
            id_ = 5
        allowed = item is not None and id_ is not None and policy.decide(who, item).allowed
        house.journal.clear()
        params = {"uri" if method == "resources/read" else "name": name, "taskId": name}
        if ask is modern and method not in _KINDS:
            params = {"taskId": name} if method.startswith("tasks/") else {}
        await house.answer(ask(method, params, who=who, at=at, id_=id_))
        reached = [(sent.server, sent.name) for sent in house.sent]
        assert reached == ([(item.server, item.name)] if allowed and item else [])
        words = [word for word in house.journal.words() if word != "refusal"]
        assert words == (["intent", "send", "outcome"] if allowed else [])
