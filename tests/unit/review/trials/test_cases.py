from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bawn.errors import Misconfigured
from bawn.model import Kind
from bawn.review.trials.cases import Cases, read

CASE = """\
servers:
  files:
    tools:
      - name: read_file
        annotations: {readOnlyHint: true}
        inputSchema: {type: object}
      - name: write_file
    prompts: [{name: brief}]
cases:
  - name: developers read
    as: {subject: ada, roles: [developer], scopes: [files], agent: desk, tenant: acme, issuer: "https://idp"}
    call: {server: files, tool: read_file, arguments: {path: /notes, deep: [1, 2.5]}}
    given: {flow: [untrusted, private], now: 2026-03-01T10:00:00Z, client: {name: desk, version: "1"}}
    expect: ask
    rule: flows
    asks: [operator, self]
  - as: {roles: [viewer]}
    call: {server: files, tool: write_file}
    expect: deny
"""


def cases(text: str) -> Cases:
    return read(text.encode(), "tests/a.yaml")


def problems(text: str) -> tuple[str, ...]:
    with pytest.raises(Misconfigured) as caught:
        cases(text)
    return caught.value.problems


def test_a_case_tells_who_calls_what_and_what_is_expected() -> None:
    first, second = cases(CASE).cases
    entry = first.entry
    assert (first.place, first.title) == ("tests/a.yaml:10", "developers read")
    assert (entry.caller.subject, entry.caller.tenant, entry.expect) == ("ada", "acme", "ask")
    assert entry.given.instant == 1772359200.0
    assert (entry.rule, entry.asks) == ("flows", ("operator", "self"))
    assert entry.call.arguments == {"path": "/notes", "deep": [1, 2.5]}
    assert first.item.definition["annotations"] == {"readOnlyHint": True}
    assert (second.place, second.title) == (
        "tests/a.yaml:17",
        "somebody (viewer): tools/call files/write_file",
    )


def test_what_the_servers_offer_is_there_whether_or_not_a_case_names_it() -> None:
    assert {(item.kind, item.name) for item in cases(CASE).items} == {
        (Kind.TOOL, "read_file"), (Kind.TOOL, "write_file"), (Kind.PROMPT, "brief"),
    }  # fmt: skip


def test_without_servers_any_name_is_taken() -> None:
    (case,) = cases("cases: [{call: {server: x, tool: any}, expect: deny}]").cases
    assert (case.item.kind, case.item.server, case.item.name) == (Kind.TOOL, "x", "any")


def test_a_case_without_a_time_happens_at_the_same_time_always() -> None:
    (case,) = cases("cases: [{call: {server: x, tool: any}, expect: deny}]").cases
    assert case.entry.given.instant == 1767787200.0


@pytest.mark.parametrize(
    ("call", "kind", "method"),
    [
        ("tool: t", Kind.TOOL, "tools/call"),
        ("prompt: p", Kind.PROMPT, "prompts/get"),
        ("resource: 'a:b'", Kind.RESOURCE, "resources/read"),
        ("template: 'a:{b}'", Kind.TEMPLATE, "resources/read"),
        ("tool: t, method: tasks/get", Kind.TOOL, "tasks/get"),
        ("prompt: p, method: completion/complete", Kind.PROMPT, "completion/complete"),
        ("method: acme/run", Kind.METHOD, "acme/run"),
    ],
)
def test_every_kind_of_item_can_be_called(call: str, kind: Kind, method: str) -> None:
    (case,) = cases(f"cases: [{{call: {{server: x, {call}}}, expect: deny}}]").cases
    assert (case.item.kind, case.entry.call.called) == (kind, method)


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("cases:\n  - call: {server: x, tool: t}\n    expct: deny", 3, "did you mean `expect`?"),
        ("cases:\n  - call: {server: x, tool: t}", 2, "cases[0].expect: missing"),
        ("cases:\n  - as: {rols: []}\n    call: {server: x, tool: t}\n    expect: deny", 2, "did you mean `roles`?"),
        ("cases:\n  - call: {server: x, tool: t}\n    expect: maybe", 3, "expected 'allow', 'deny' or 'ask', got"),
        ("cases:\n  - call: {server: x, tool: 1}\n    expect: deny", 2, "expected text, got 1"),
        ("cases:\n  - call: {server: x}\n    expect: deny", 2, "expected exactly one of tool"),
        ("cases:\n  - call: {server: x, tool: t, prompt: p}\n    expect: deny", 2, "expected exactly one"),
        ("cases:\n  - call: {server: x, method: tools/call}\n    expect: deny", 2, "expected the tool, prompt"),
        ("cases:\n  - call: {server: x, tool: t, method: prompts/get}\n    expect: deny", 2, "expected one of"),
        ("cases:\n  - call: {server: x, tool: t}\n    given: {now: soon}\n    expect: deny", 3, "2026-01-07T12:00:00Z"),
        ("cases:\n  - call: {server: x, tool: t}\n    given: {now: 2026-01-07T12:00:00}\n    expect: deny", 3, "its zone"),
        ("cases:\n  - call: {server: x, tool: t}\n    given: {flow: [bad]}\n    expect: deny", 3, "'untrusted'"),
        ("cases:\n  - call: {server: x, tool: t}\n    expect: deny\n    asks: [a]", 2, "`asks` goes with"),
        ("servers:\n  Files: {}", 2, "expected a server id"),
        ("servers:\n  x:\n    tools: [{name: a, anotations: {}}]", 3, "did you mean `annotations`?"),
        ("servers:\n  x:\n    tols: []", 3, "did you mean `tools`?"),
        ("servers:\n  x:\n    tools: [{name: a}, {name: a}]", 3, "a second one is named"),
        ("servers:\n  x:\n    resources: [{name: a}]", 3, "expected `uri`"),
        ("servers: {x: {tools: [{name: read}]}}\ncases:\n  - call: {server: x, tool: raed}\n    expect: deny", 3, "did you mean \"read\"?"),
        ("servers: {x: {}}\ncases:\n  - call: {server: y, tool: t}\n    expect: deny", 3, "which has: x"),
        ("case: []", 1, "did you mean `cases`?"),
        ("cases: 1", 1, "expected a list, got 1"),
        ("- 1", 1, ""),
        ("a: [", 1, ""),
    ],
)  # fmt: skip
def test_a_problem_tells_its_line_and_what_was_expected(text: str, line: int, said: str) -> None:
    place = f"tests/a.yaml:{line}: "
    assert any(found.startswith(place) and said in found for found in problems(text))


def test_every_problem_is_told_in_the_order_of_the_file() -> None:
    text = "cases:\n  - {call: {server: x, tool: t}, expect: no}\n  - {call: {server: x}, expect: deny}"
    assert [problem.split(":")[1] for problem in problems(text)] == ["2", "3"]


words = st.sampled_from(
    ["servers", "cases", "tools", "name", "as", "call", "server", "tool", "method", "given", "flow",
     "now", "client", "expect", "rule", "asks", "roles", "subject", "tenant", "annotations", "x"]
)  # fmt: skip
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**17), 10**17) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=4),
    max_leaves=12,
)


@settings(deadline=None, max_examples=300)
@given(
    st.one_of(
        st.binary(max_size=60), st.text(max_size=60).map(lambda t: t.encode("utf-8", "replace"))
    )
)
def test_any_bytes_are_cases_or_problems(raw: bytes) -> None:
    _cases_or_problems(raw)


@settings(deadline=None, max_examples=300)
@given(st.dictionaries(words, json_values, max_size=3))
def test_any_tree_is_cases_or_problems(tree: Any) -> None:
    _cases_or_problems(json.dumps(tree).encode())


def _cases_or_problems(raw: bytes) -> None:
    told: tuple[str, ...] = ()
    try:
        read(raw, "a.yaml")
    except Misconfigured as error:
        told = error.problems
    assert all(problem.startswith("a.yaml:") for problem in told)
