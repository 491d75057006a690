from __future__ import annotations

from math import inf

from hypothesis import given, settings
from hypothesis import strategies as st

from bawn.model import Call, Client, Item, Kind, Principal
from bawn.policy.cedar.evaluate import Oracle
from bawn.policy.files.reading import ruleset
from bawn.policy.rules import RuleSet, Source
from bawn.review.checking.check import check
from bawn.review.past.recorded import Recorded
from bawn.review.past.suggest import difference, suggest
from bawn.review.trials import cases
from bawn.review.trials.testing import run
from tests.unit.review.rulesets import ADA, item, recorded, view

READ, WRITE, DROP = item("read", annotations={"readOnlyHint": True}), item("write"), item("drop")
BRIEF = item("brief", Kind.PROMPT)
NOTE = item("note:/secret", Kind.RESOURCE)
VIEW = view(READ, WRITE, DROP, BRIEF, NOTE, item("only", server="other"))


def who(subject: str, *roles: str, agent: str = "", tenant: str = "") -> Principal:
    return Principal(subject, "https://idp", frozenset(roles), inf, agent=agent, tenant=tenant)


def rules_of(files: dict[str, str]) -> RuleSet:
    """As the gate reads them; none of them is no default."""
    if not files:
        return RuleSet("", ())
    return ruleset(Source("suggested", tuple(files.items())), 900.0)


def oracle(files: dict[str, str]) -> Oracle:
    return Oracle(rules_of(files), {}, clock=lambda: 0.0, touched=lambda _: frozenset())


def allowed(judge: Oracle, principal: Principal, what: Item, method: str = "tools/call") -> bool:
    call = Call(0, method, {}, principal, None, Client(""), "")
    return judge.verdict(call, what).allowed


def check_own_tests(files: dict[str, str]) -> None:
    written = [
        cases.read(text.encode(), path) for path, text in files.items() if path.endswith(".yaml")
    ]
    report = run(rules_of(files), {}, written)
    assert [result.failures for result in report.failed] == []
    assert report.unused == ()


def test_what_is_suggested_has_nothing_that_a_check_would_tell() -> None:
    seen = [
        recorded(READ),
        recorded(WRITE),
        recorded(READ, who("ada")),
        recorded(READ, method="tasks/get"),
    ]
    files = suggest([*seen, recorded(BRIEF, method="prompts/get")], VIEW)
    assert check(rules_of(files), VIEW, {"developer"}) == []


def test_nothing_seen_suggests_nothing() -> None:
    assert suggest([recorded(READ, said="deny"), recorded(READ, None), recorded(None)], VIEW) == {}


def test_tools_are_granted_by_name_to_the_role_that_used_them() -> None:
    files = suggest([recorded(READ), recorded(READ), recorded(WRITE)], VIEW)
    assert files["suggested.cedar"] == (
        "// Written by `bawn policy suggest` from the calls that were seen. Review before use.\n\n"
        "// 2 of 3 tools were used\n"
        '@id("suggested/developer/files/tools")\n'
        "permit (\n"
        '  principal in Role::"developer",\n'
        '  action in [Action::"call files/read", Action::"call files/write"],\n'
        '  resource in Server::"files"\n'
        ");\n"
    )
    check_own_tests(files)


def test_a_server_of_which_every_tool_was_used_is_granted_as_a_whole() -> None:
    files = suggest(map(recorded, (READ, WRITE, DROP)), VIEW)
    assert 'action in Action::"tools/call"' in files["suggested.cedar"]
    assert allowed(oracle(files), ADA, DROP)
    assert (
        'Action::"tools/call"'
        not in suggest([recorded(item("only", server="other"))], VIEW)["suggested.cedar"]
    )


def test_a_use_is_granted_to_one_of_the_roles_by_which_it_could_have_been() -> None:
    both, one = who("ada", "developer", "operator"), who("bob", "operator")
    judge = oracle(suggest([recorded(READ, both), recorded(READ, one)], VIEW))
    assert allowed(judge, both, READ)
    assert not allowed(judge, who("eve", "developer"), READ)


def test_who_has_no_role_is_granted_by_name() -> None:
    robot = who("robot", agent="robot")
    files = suggest([recorded(READ, who("ada")), recorded(WRITE, robot)], VIEW)
    judge = oracle(files)
    assert allowed(judge, who("ada"), READ)
    assert allowed(judge, robot, WRITE)
    assert not allowed(judge, robot, READ)
    assert not allowed(judge, Principal("ada", "https://elsewhere", frozenset(), inf), READ)
    check_own_tests(files)


def test_a_tenant_has_a_file_of_its_own() -> None:
    files = suggest([recorded(READ, who("ada", "developer", tenant="acme"))], VIEW)
    assert set(files) == {"tenants/acme/suggested.cedar", "tests/suggested-files.yaml"}
    assert "    tenant: acme\n" in files["tests/suggested-files.yaml"]


def test_the_uri_of_a_resource_is_not_written_down() -> None:
    files = suggest([recorded(NOTE, method="resources/read")], VIEW)
    assert not any("secret" in text for text in files.values())
    assert allowed(oracle(files), ADA, NOTE, "resources/read")
    check_own_tests(files)


def test_what_accompanied_a_use_is_granted_with_it() -> None:
    files = suggest(
        [recorded(READ, method="tasks/get"), recorded(BRIEF, method="completion/complete")], VIEW
    )
    judge = oracle(files)
    assert allowed(judge, ADA, READ, "tasks/get")
    assert allowed(judge, ADA, BRIEF, "completion/complete")
    assert not allowed(judge, ADA, READ, "tasks/cancel")


def test_long_names_are_divided_into_statements_that_can_be_read() -> None:
    tools = [item(f"{number}" + "\u202e" * 3000) for number in range(8)]
    files = suggest([recorded(each) for each in tools[:7]], view(*tools))
    judge = oracle(files)
    assert all(allowed(judge, ADA, each) for each in tools[:7])
    assert not allowed(judge, ADA, tools[7])


def test_many_cases_are_divided_into_files_that_can_be_read() -> None:
    tools = [item(f"tool{number}") for number in range(900)]
    files = suggest(map(recorded, tools), view(*tools))
    assert sorted(files) == [
        "suggested.cedar", "tests/suggested-files-2.yaml", "tests/suggested-files-3.yaml",
        "tests/suggested-files.yaml",
    ]  # fmt: skip
    check_own_tests(files)


def test_the_difference_is_what_writing_would_change() -> None:
    assert (
        difference({"a": "x\ny\n"}, {"a": "x\nz\n"})
        == "--- a/a\n+++ b/a\n@@ -1,2 +1,2 @@\n x\n-z\n+y\n"
    )
    assert difference({"a": "x\n"}, {}) == "--- /dev/null\n+++ b/a\n@@ -0,0 +1 @@\n+x\n"
    assert difference({"a": "x\n"}, {"a": "x\n"}) == ""


NAMES = st.sampled_from(["read", 'wr"ite', "d\u202erop", "\U0001f600", "a/b", "è\n", "call x"])
SERVERS = st.sampled_from(["files", "web"])
KINDS = st.sampled_from([Kind.TOOL, Kind.PROMPT, Kind.RESOURCE, Kind.METHOD])
METHODS = {
    Kind.TOOL: "tools/call", Kind.PROMPT: "prompts/get", Kind.RESOURCE: "resources/read", Kind.METHOD: "acme/run",
}  # fmt: skip
ITEMS = st.builds(lambda name, kind, server: item(name, kind, server), NAMES, KINDS, SERVERS)
ROLES = st.sampled_from(["dev", 'ops"', "revue \u00e9"])
PEOPLE = st.builds(
    lambda subject, roles: who(subject, *roles), st.sampled_from(["ada", "b\"ob"]), st.frozensets(ROLES, max_size=2)
)  # fmt: skip


@settings(deadline=None, max_examples=60)
@given(st.lists(ITEMS, min_size=1, max_size=8), st.data())
def test_all_that_was_seen_is_allowed_and_no_tool_to_a_role_that_was_never_seen_with_it(
    items: list[Item], data: st.DataObject
) -> None:
    pairs = data.draw(st.lists(st.tuples(st.sampled_from(items), PEOPLE), max_size=8))
    seen: list[Recorded] = [recorded(what, person, method=_method(what)) for what, person in pairs]
    listed = [each for each in items if each.kind is not Kind.METHOD]
    files = suggest(seen, view(*listed, item("read", server="files"), item("read", server="web")))
    judge = oracle(files)
    for what, person in pairs:
        assert allowed(judge, person, what, _method(what))
    for what in {each for each in items if each.kind in {Kind.TOOL, Kind.METHOD}}:
        for role in ("dev", 'ops"', "revue \u00e9"):
            used = any(role in person.roles for used, person in pairs if used == what)
            assert used or not allowed(judge, who("eve", role), what, _method(what))
    check_own_tests(files)


def _method(what: Item) -> str:
    return what.name if what.kind is Kind.METHOD else METHODS[what.kind]
