from __future__ import annotations

from math import inf

from bawn.model import Kind, Principal
from bawn.review.past.grants import Grantee, grants
from tests.unit.review.rulesets import item, recorded

READ, WRITE = item("read"), item("write")


def who(subject: str, *roles: str, agent: str = "", tenant: str = "") -> Principal:
    return Principal(subject, "https://idp", frozenset(roles), inf, agent=agent, tenant=tenant)


def test_only_calls_that_left_of_people_and_items_that_are_known_count() -> None:
    assert grants([recorded(READ, said="deny"), recorded(READ, None), recorded(None)]) == {}


def test_the_role_by_which_most_used_it_gets_it_alone() -> None:
    seen = [
        recorded(READ, who("ada", "developer", "operator")),
        recorded(READ, who("bob", "auditor", "operator")),
        recorded(READ, who("cy", "operator", "viewer")),
    ]
    assert {grantee.name for grantee in grants(seen)[""]} == {"operator"}


def test_every_user_is_reached_where_no_role_is_common() -> None:
    seen = [recorded(READ, who("ada", "developer")), recorded(READ, who("bob", "viewer"))]
    assert {grantee.name for grantee in grants(seen)[""]} == {"developer", "viewer"}


def test_tools_go_by_name_and_prompts_and_resources_by_server() -> None:
    seen = [
        recorded(READ, who("ada", "developer")),
        recorded(item("b", Kind.PROMPT), who("ada", "developer"), method="prompts/get"),
        recorded(
            item("u:/{x}", Kind.TEMPLATE), who("ada", "developer"), method="completion/complete"
        ),
        recorded(item("acme/run", Kind.METHOD), who("ada", "developer"), method="acme/run"),
    ]
    grant = grants(seen)[""][Grantee("developer")]["files"]
    assert (grant.tools, grant.methods, grant.kinds, grant.beside) == (
        {"read"}, {"acme/run"}, {Kind.PROMPT, Kind.RESOURCE}, {"completion/complete"},
    )  # fmt: skip


def test_tenants_and_agents_are_kept_apart() -> None:
    seen = [recorded(READ, who("bot", agent="bot", tenant="acme")), recorded(WRITE, who("bot"))]
    found = grants(seen)
    assert list(found["acme"]) == [Grantee("", "bot", "https://idp", agent=True)]
    assert list(found[""]) == [Grantee("", "bot", "https://idp", agent=False)]


def test_who_has_neither_role_nor_name_is_left_out() -> None:
    assert grants([recorded(READ, who("", ""))]) == {}
