from __future__ import annotations

from typing import Any

import pytest

from bawn.config.policy import Quota
from bawn.model import Call, Client, Item, Kind, Principal
from bawn.quotas.rule import Rule

READ = Item(Kind.TOOL, "files", "read", "files__read", {"name": "read"})


def call(endpoint: str | None = None, **who: Any) -> Call:
    given = {"subject": "ada", "issuer": "i", "roles": frozenset({"developer"}), "expires": 9e9}
    principal = Principal(**{**given, **who})
    return Call(1, "tools/call", {}, principal, endpoint, Client("x"), "0" * 32)


def rule(per: str, place: int = 0, **more: Any) -> Rule:
    return Rule(Quota.model_validate({"per": per, "rate": "1/second", **more}), place)


def item(name: str, server: str = "files", kind: Kind = Kind.TOOL, **definition: Any) -> Item:
    return Item(kind, server, name, name, definition or {"name": name})


@pytest.mark.parametrize(
    ("covered", "name", "server"),
    [
        (True, "read_file", "files"),
        (False, "Read_file", "files"),
        (False, "read_file", "Files"),
        (False, "write", "files"),
        (False, "read_file", "issues"),
        (True, "read_\nfile", "files"),
    ],
)
def test_patterns_match_the_whole_name_with_case(covered: bool, name: str, server: str) -> None:
    assert rule("tool", servers=("files",), tools=("read*",)).covers(item(name, server)) is covered


def test_a_quota_without_patterns_covers_nothing() -> None:
    assert not rule("tool", tools=()).covers(item(""))


def test_who_has_none_of_the_roles_does_not_count() -> None:
    for_bots = rule("principal", roles=("bot",))
    assert for_bots.key(call(), READ, "") is None
    assert for_bots.key(call(roles=frozenset({"bot", "x"})), READ, "") is not None


PER = ["principal", "agent", "server", "tool", "tenant", "conversation"]


@pytest.mark.parametrize("per", PER)
def test_nothing_of_one_tenant_counts_for_another(per: str) -> None:
    keys = {rule(per).key(call(tenant=tenant), READ, "c") for tenant in ("", "red", "blue")}
    assert len(keys) == 3


@pytest.mark.parametrize("per", PER)
def test_a_key_tells_nobodys_name_and_is_the_same_whatever_token_or_endpoint(per: str) -> None:
    key = rule(per).key(call(), READ, "c")
    assert key is not None
    assert len(key) == 32
    assert set(key) <= set("0123456789abcdef")
    assert rule(per).key(call(endpoint="files", token="t", expires=1.0), READ, "c") == key


def different(per: str, *calls: tuple[Call, Item, str]) -> bool:
    return len({rule(per).key(*each) for each in calls}) == len(calls)


def test_each_is_counted_by_what_the_quota_says() -> None:
    ada, vic = call(), call(subject="vic")
    write, issue = item("write"), item("read", "issues")
    assert different("principal", (ada, READ, ""), (vic, READ, ""))
    assert not different("principal", (ada, READ, "c"), (ada, issue, "d"))
    assert different("server", (ada, READ, ""), (ada, issue, ""))
    assert not different("server", (ada, READ, ""), (vic, write, ""))
    assert different("tool", (ada, READ, ""), (ada, write, ""), (ada, issue, ""))
    assert different("tool", (ada, READ, ""), (ada, item("read", kind=Kind.PROMPT), ""))
    assert not different("tool", (ada, READ, ""), (vic, READ, ""))
    assert not different("tenant", (ada, READ, ""), (vic, issue, ""))
    assert different("conversation", (ada, READ, "c"), (ada, READ, "d"))


def test_an_agent_is_counted_over_all_its_users_and_who_has_none_alone() -> None:
    bot = {"agent": "bot"}
    assert not different("agent", (call(**bot), READ, ""), (call(subject="vic", **bot), READ, ""))
    assert different("agent", (call(**bot), READ, ""), (call(issuer="other", **bot), READ, ""))
    assert different("agent", (call(), READ, ""), (call(subject="vic"), READ, ""))


def test_a_made_up_uri_is_no_counter_of_its_own() -> None:
    made_up = [Item(Kind.RESOURCE, "files", f"file:///{n}", "", {}) for n in range(2)]
    assert not different("tool", *((call(), each, "") for each in made_up))
    listed = [item(f"file:///{n}", kind=Kind.RESOURCE) for n in range(2)]
    assert different("tool", *((call(), each, "") for each in listed))


def test_quotas_that_cover_the_same_count_apart() -> None:
    assert rule("tool", 0).key(call(), READ, "") != rule("tool", 1).key(call(), READ, "")
    changed = rule("tool", rate="7/day", cost=4).key(call(), READ, "")
    assert changed == rule("tool").key(call(), READ, "")
    assert rule("tool", tools=("r*",)).key(call(), READ, "") != changed
