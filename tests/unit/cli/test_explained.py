from __future__ import annotations

from bawn.cli.explained import as_json, text
from bawn.model import Call, Client, Label
from bawn.review.advice import advise
from bawn.review.explain import Explainer, Explanation
from tests.unit.review.rulesets import ADA, item, ruleset

RULES = ruleset("""
@id("dev") permit (principal in Role::"developer", action, resource);
@id("flows") @ask("boss") forbid (principal, action, resource) when { context.flow.private };
@id("dark") @shadow forbid (principal, action, resource);
@id("else") permit (principal, action == Action::"prompts/get", resource);
""")


def explanation(*touched: Label, name: str = "read") -> Explanation:
    call = Call(0, "tools/call", {}, ADA, None, Client(""), "")
    return Explainer(RULES, {}).explain(call, item(name), now=0.0, touched=frozenset(touched))


def test_each_part_of_each_rule_that_mattered_has_a_line() -> None:
    found = explanation()
    assert list(text(found, advise(found))) == [
        "allow: permit dev; shadow: would deny (forbid dark)",
        "  a.cedar:1: permit dev matches",
        '    + principal in Role::"developer"',
        "  a.cedar:2: forbid flows does not match",
        "    - when { (context.flow).private }",
        "  a.cedar:3: shadow forbid dark matches",
        "  1 more rules are about something else",
    ]


def test_what_is_asked_for_is_in_the_first_line_and_among_the_steps() -> None:
    found = explanation(Label.PRIVATE)
    lines = list(text(found, advise(found)))
    assert lines[0].startswith("ask: ")
    assert "consent of 1 with role boss" in lines[-1]
    assert as_json(found, advise(found))["asks"] == [
        {"rule": "flows", "roles": ["boss"], "self": False, "count": 1}
    ]


def test_nothing_in_a_name_can_move_the_cursor() -> None:
    rules = ruleset("forbid (principal, action, resource);")
    call = Call(0, "tools/call", {}, ADA, None, Client(""), "")
    found = Explainer(rules, {}).explain(call, item("a\u001b[2J\u202e"), now=0.0)
    assert all(line.isprintable() for line in text(found, advise(found)))
