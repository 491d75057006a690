from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bawn.config import RoleRule
from bawn.model import Item, Kind, Label
from bawn.policy.cedar.entities import Facts, World, action_facts, together
from bawn.policy.cedar.evaluate import known
from bawn.policy.cedar.uids import Uid
from bawn.policy.rules import RuleSet, ToolLabels
from tests.unit.policy import house
from tests.unit.policy.house import item, who

WORLD = World(
    RuleSet("v", (), house.ENTITIES, {("mail", "send"): ToolLabels(frozenset({Label.SENDS}))}),
    {"ops": RoleRule(servers=("mail",), tools=("s*",))},
    house.TENANT_OF,
)


def above(facts: Facts) -> set[tuple[str, str]]:
    return set(facts.above)


# ── callers ─────────────────────────────────────────────────────────────────────────────────────


def test_a_caller_is_in_its_roles_its_tenant_and_all_that_the_file_says() -> None:
    facts = WORLD.principal(who("ada", "ops", tenant="acme"))
    assert facts.uid == ("User", "ada")
    assert above(facts) == {
        ("Role", "ops"), ("Group", "g"), ("Group", "top"), ("Tenant", "acme"),
    }  # fmt: skip
    assert above(WORLD.principal(who("eve", "dev"))) == {
        ("Role", "dev"), ("Group", "g"), ("Group", "top"),
    }  # fmt: skip


def test_a_client_that_acts_for_itself_is_an_agent() -> None:
    assert WORLD.principal(who("bot", agent="bot")).uid == ("Agent", "bot")
    assert WORLD.principal(who("ada", agent="bot")).uid == ("User", "ada")
    assert WORLD.principal(who("")).uid == ("User", "")


def test_people_of_one_name_are_told_apart_by_issuer() -> None:
    one, two = WORLD.principal(who()), WORLD.principal(who(issuer="c"))
    assert one.uid == two.uid
    assert one.attributes["issuer"] != two.attributes["issuer"]


# ── items ───────────────────────────────────────────────────────────────────────────────────────


def test_a_tool_has_labels_hints_and_the_roles_that_cover_it() -> None:
    facts = WORLD.item(item("send", "mail", annotations={"readOnlyHint": False}))
    assert facts.uid == ("Tool", "mail/send")
    assert above(facts) == {("Server", "mail"), ("Tenant", "acme")}
    assert facts.attributes == {
        "server": "mail", "name": "send", "labels": frozenset({"sends"}),
        "allows": frozenset({"developer", "admin", "ops"}), "readOnly": False, "destructive": True,
        "idempotent": False, "openWorld": True, "annotated": True,
    }  # fmt: skip


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind is not Kind.TOOL])
def test_other_items_have_no_hints(kind: Kind) -> None:
    facts = WORLD.item(item(kind=kind))
    assert facts.attributes.keys() == {"server", "name", "labels", "allows"}
    assert facts.uid.type == kind.value.capitalize()


def test_another_definition_of_one_item_is_another_entity() -> None:
    hidden, reads = item(), item(annotations={"readOnlyHint": True})
    said = [WORLD.item(each).attributes["readOnly"] for each in (hidden, reads, hidden)]
    assert said == [False, True, False]


# ── actions, and what Cedar is given ────────────────────────────────────────────────────────────


def test_calls_of_tools_are_a_group_of_their_own() -> None:
    assert above(action_facts("call files/read")) == {("Action", "tools/call"), ("Action", "use")}
    assert above(action_facts("tasks/get")) == {("Action", "use")}


def test_policies_can_look_at_nothing_else() -> None:
    facts = (WORLD.principal(who()), action_facts("tasks/get"), WORLD.item(item()))
    named = {Uid(**entity["uid"]) for entity in together(*facts)}
    assert named == {
        ("User", "ada"), ("Group", "g"), ("Group", "top"), ("Action", "tasks/get"),
        ("Action", "use"), ("Tool", "files/read"), ("Server", "files"),
    }  # fmt: skip


@given(st.text(max_size=8), st.lists(st.text(max_size=5), max_size=3), st.text(max_size=8))
def test_any_name_is_one_entity(subject: str, roles: list[str], name: str) -> None:
    facts = (
        WORLD.principal(who(subject, *roles, tenant="t")),
        action_facts(f"call mail/{name}"),
        WORLD.item(Item(Kind.TOOL, "mail", name, name, {})),
    )
    assert len(known(*facts)) == len({uid for each in facts for uid in (each.uid, *each.above)})
