"""The rules that come with bawn keep what they promise."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bawn.config import RoleRule
from bawn.model import Call, Item, Kind, Label, Principal
from bawn.policy.cedar.evaluate import Oracle, Verdict
from bawn.policy.files.reading import ruleset
from bawn.policy.files.source import builtin
from bawn.policy.files.statements import split
from bawn.policy.roles import Granting
from bawn.policy.rules import Source
from bawn.review.formatting import formatted
from tests.unit.policy.house import NOON, call, item, who

READS = item("read", annotations={"readOnlyHint": True})
WRITES = item("write", annotations={"destructiveHint": False})
DESTROYS = item("drop", annotations={"destructiveHint": True})
UNSAID = item("odd")
SENDS = item("send_email", annotations={"destructiveHint": False, "openWorldHint": True})
PROMPT = item("p", kind=Kind.PROMPT)
RESOURCE = item("file:///a", kind=Kind.RESOURCE)
EXTENSION = item("x/y", kind=Kind.METHOD)
BOTH = frozenset({Label.UNTRUSTED, Label.PRIVATE})
METHODS = {
    Kind.TOOL: "tools/call",
    Kind.PROMPT: "prompts/get",
    Kind.RESOURCE: "resources/read",
    Kind.METHOD: "x/y",
}
CUSTOM = {"reader": RoleRule(tools=("read*", "drop"), prompts=("p",)), "viewer": RoleRule()}


def oracle(source: Source | None, touched: frozenset[Label] = frozenset()) -> Oracle:
    def conversation(call: Call) -> frozenset[Label]:
        return touched

    return Oracle(ruleset(source, 900), {}, clock=lambda: NOON, touched=conversation)


SAFE = oracle(Source("empty", ()))


def safe(role: str, about: Item, judge: Oracle = SAFE) -> Verdict:
    return judge.verdict(call(who("ann", role), method=METHODS[about.kind]), about)


def asked(verdict: Verdict) -> list[str]:
    assert verdict.allowed
    assert all(ask.confirm and not ask.roles for ask in verdict.asks)
    return [ask.rule for ask in verdict.asks]


@pytest.mark.parametrize("role", ["developer", "admin"])
def test_developers_and_admins_read_freely_and_confirm_what_may_destroy(role: str) -> None:
    for about in (READS, WRITES, PROMPT, RESOURCE, EXTENSION):
        assert asked(safe(role, about)) == [], about
    for about in (DESTROYS, UNSAID):
        assert asked(safe(role, about)) == ["destructive-asks"], about


def test_viewers_get_prompts_and_resources_alone() -> None:
    for about in (PROMPT, RESOURCE):
        assert asked(safe("viewer", about)) == []
    for about in (READS, WRITES, DESTROYS, EXTENSION):
        assert not safe("viewer", about).allowed


@pytest.mark.parametrize("role", ["operator", "auditor", "unheard-of", ""])
def test_who_runs_the_gate_gets_nothing_of_the_servers(role: str) -> None:
    for about in (READS, DESTROYS, PROMPT, RESOURCE, EXTENSION):
        assert not safe(role, about).allowed


def test_after_untrusted_and_private_content_sending_asks_and_reading_does_not() -> None:
    both = oracle(Source("empty", ()), BOTH)
    assert asked(safe("developer", SENDS, both)) == ["flow-asks"]
    assert asked(safe("developer", READS, both)) == []
    for one in BOTH:
        assert asked(safe("developer", SENDS, oracle(Source("empty", ()), frozenset({one})))) == []


def test_following_a_task_is_not_asked_again() -> None:
    judge = oracle(Source("empty", ()), BOTH)
    for method in ("tasks/get", "tasks/cancel"):
        assert asked(judge.verdict(call(who("ann", "developer"), method=method), DESTROYS)) == []


def test_what_a_task_waits_for_is_sent_with_consent_alone() -> None:
    judge = oracle(Source("empty", ()), BOTH)
    told = judge.verdict(call(who("ann", "developer"), method="tasks/update"), SENDS)
    assert asked(told) == ["flow-asks"]
    told = judge.verdict(call(who("ann", "developer"), method="tasks/update"), READS)
    assert asked(told) == []


def test_labels_say_what_is_harmless() -> None:
    labels = "servers: {files: {tools: {odd: {destructive: false}}}}"
    judge = oracle(Source("d", (("labels.yaml", labels),)))
    assert asked(safe("developer", UNSAID, judge)) == []


def test_configured_roles_go_on_narrowing() -> None:
    judge = Oracle(
        ruleset(Source("empty", ()), 900), CUSTOM, clock=lambda: NOON, touched=lambda _: frozenset()
    )
    assert asked(safe("reader", READS, judge)) == []
    assert asked(safe("reader", DESTROYS, judge)) == ["destructive-asks"]
    assert not safe("reader", WRITES, judge).allowed
    assert not safe("viewer", PROMPT, judge).allowed


ITEMS = st.sampled_from((READS, WRITES, DESTROYS, UNSAID, PROMPT, RESOURCE, EXTENSION))
CALLERS = st.builds(
    lambda roles: who("ann", *roles),
    st.sets(st.sampled_from(("viewer", "developer", "operator", "admin", "reader", "none"))),
)


@given(CALLERS, ITEMS)
def test_the_rule_of_roles_decides_as_roles_do(caller: Principal, about: Item) -> None:
    judge = Oracle(ruleset(None, 900), CUSTOM, clock=lambda: NOON, touched=lambda _: frozenset())
    said = judge.verdict(call(caller, method=METHODS[about.kind]), about)
    assert said.allowed is bool(caller.roles & Granting(CUSTOM).allows(about))


@pytest.mark.parametrize("name", ["roles", "safe"])
def test_they_are_in_their_usual_form(name: str) -> None:
    ((file, text),) = builtin(name).files
    assert formatted(text, file) == text
    assert all(piece.text.startswith("@id(") for piece in split(text))
