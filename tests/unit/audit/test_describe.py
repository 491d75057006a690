from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from bawn.audit.describe import CACHED, CLIENT_CHARS, Describer
from bawn.audit.entries import Context, Intent, Record, decode, encode, write_of
from bawn.audit.subjects import Subjects
from bawn.model import Call, Client, Item, Kind
from bawn.storage import StateDirectory
from tests.audited import ADA, ALLOWED, BOB, TOOL, call, state_in

URI = "file:///home/ada/salary.txt"


@pytest.fixture
def state(tmp_path: Path) -> StateDirectory:
    return state_in(tmp_path)


def describer_of(state: StateDirectory) -> Describer:
    return Describer(state, Subjects(state.subjects))


def records(describer: Describer, asked: Call, item: Item = TOOL, at: int = 1) -> list[Record]:
    """What the lines of an intent hold."""
    write = write_of(describer.intent(asked, item, ALLOWED, at, 7), prev="")
    return [decode(line) for line in write.splitlines()]


def first(describer: Describer, asked: Call, item: Item = TOOL) -> tuple[Context, Intent]:
    """The records of a call that is the first of its kind in a segment."""
    describer.lost()
    context, intent = records(describer, asked, item)
    assert isinstance(context, Context)
    assert isinstance(intent, Intent)
    assert intent.context == context.number
    return context, intent


def resource(kind: Kind, name: str) -> tuple[Item, dict[str, Any]]:
    return Item(kind, "files", name, name, {}), {"method": "resources/read", "params": {"uri": URI}}


def test_an_intent_tells_what_is_about_to_be_called(state: StateDirectory) -> None:
    context, intent = first(describer_of(state), call(endpoint="files"))
    assert (context.method, context.server, context.name, context.shown) == (
        "tools/call", "files", "read_file", "files__read_file",
    )  # fmt: skip
    assert (context.rule, context.endpoint) == (ALLOWED.rule, "files")
    assert (context.client, context.version) == ("test-client", "2026-07-28")
    assert (intent.at, intent.number, intent.trace) == (1, 7, f"{1:032x}")


def test_a_context_is_told_once_for_all_calls_that_have_it(state: StateDirectory) -> None:
    describer = describer_of(state)
    context, _ = first(describer, call(1))
    (again,) = records(describer, call(2))
    assert isinstance(again, Intent)
    assert again.context == context.number


@pytest.mark.parametrize(
    "changes",
    [
        {"principal": BOB},
        {"endpoint": "files"},
        {"client": Client("2026-07-28", "other")},
        {"client": Client("2025-11-25", "test-client")},
        {"method": "tools/other"},
    ],
)
def test_calls_that_differ_have_contexts_that_differ(
    state: StateDirectory, changes: dict[str, Any]
) -> None:
    describer = describer_of(state)
    one, _ = first(describer, call())
    other, intent = records(describer, call(**changes))
    assert isinstance(other, Context)
    assert isinstance(intent, Intent)
    assert one.number != other.number == intent.context


def test_items_that_differ_have_contexts_that_differ(state: StateDirectory) -> None:
    describer = describer_of(state)
    first(describer, call())
    for item in (
        Item(Kind.TOOL, "other", "read_file", "files__read_file", {}),
        Item(Kind.TOOL, "files", "read", "files__read_file", {}),
        Item(Kind.TOOL, "files", "read_file", "read_file", {}),
    ):
        context, _ = records(describer, call(), item)
        assert isinstance(context, Context)
        assert (context.server, context.name, context.shown) == (item.server, item.name, item.shown)


def test_callers_without_end_are_not_remembered_without_end(
    state: StateDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bawn.audit.describe.CACHED", 3)
    describer = describer_of(state)
    for number in range(10):
        assert len(records(describer, call(client=Client("v", f"{number}")))) == 2
    assert len(describer._contexts) <= 3 < CACHED


def test_who_called_is_sealed_under_a_stable_pseudonym(state: StateDirectory) -> None:
    one, _ = first(describer_of(state), call())
    again, _ = first(describer_of(state), call(2))
    bob, _ = first(describer_of(state), call(3, BOB))
    assert one.subject == again.subject != bob.subject
    assert Subjects(state.subjects).open(one.subject, "who", one.who) == {
        "subject": ADA.subject,
        "issuer": ADA.issuer,
        "roles": ["developer"],
        "scopes": [],
        "agent": "",
        "tenant": "",
    }


ACME = replace(
    ADA, agent="claude-code", tenant="acme", scopes=frozenset({"write", "read"}), token="t1"
)


def test_with_who_called_are_sealed_scopes_agent_and_tenant(state: StateDirectory) -> None:
    describer = describer_of(state)
    context, _ = first(describer, call(principal=ACME))
    refusal = describer.refusal(call(principal=ACME), "policy.denied", "", 1)
    for record in (context, refusal):
        who = Subjects(state.subjects).open(record.subject, "who", record.who)
        assert who is not None
        assert (who["scopes"], who["agent"], who["tenant"]) == (
            ["read", "write"], "claude-code", "acme",
        )  # fmt: skip
        assert b"claude-code" not in encode(record)
        assert b"write" not in encode(record)


def test_the_tenant_stands_in_clear_and_only_where_there_is_one(state: StateDirectory) -> None:
    describer = describer_of(state)
    for principal, tenant in ((ACME, "acme"), (ADA, "")):
        context, _ = first(describer, call(principal=principal))
        refusal = describer.refusal(call(principal=principal), "policy.denied", "", 1)
        assert context.tenant == refusal.tenant == tenant
        for record in (context, refusal):
            assert (b'"tenant"' in encode(record)) is bool(tenant)


def test_a_person_of_two_tenants_has_two_pseudonyms(state: StateDirectory) -> None:
    describer = describer_of(state)
    subjects = {
        first(describer, call(principal=replace(ADA, tenant=tenant)))[0].subject
        for tenant in ("", "acme", "zeta")
    }
    assert len(subjects) == 3


@pytest.mark.parametrize(
    "changes",
    [
        {"agent": "other"},
        {"tenant": "zeta"},
        {"scopes": frozenset({"read"})},
        {"roles": frozenset()},
    ],
)
def test_who_says_something_else_is_sealed_anew(
    state: StateDirectory, changes: dict[str, Any]
) -> None:
    describer = describer_of(state)
    one, _ = first(describer, call(principal=ACME))
    other, _ = records(describer, call(principal=replace(ACME, **changes)))
    assert isinstance(other, Context)
    assert other.who != one.who
    assert other.number != one.number


def test_another_token_of_the_same_caller_is_no_reason_to_seal_anew(state: StateDirectory) -> None:
    describer = describer_of(state)
    one, _ = first(describer, call(principal=ACME))
    other, _ = records(
        describer, call(principal=replace(ACME, token="t2", expires=3e9, endpoint="files"))
    )
    assert isinstance(other, Context)
    assert other.who == one.who


def test_sealing_who_is_done_once_until_the_next_segment(state: StateDirectory) -> None:
    describer = describer_of(state)
    who = first(describer, call())[0].who
    assert first(describer, call(2))[0].who == who
    describer.forget()
    assert first(describer, call(3))[0].who != who


def test_neither_person_nor_arguments_nor_session_stand_in_clear(state: StateDirectory) -> None:
    asked = call(session="sess-1", params={"name": "x", "arguments": {"pin": "1234 5678"}})
    describer = describer_of(state)
    refusal = describer.refusal(asked, "policy.denied", "role guest of ada@example.com", 2)
    lines = encode(records(describer, asked)) + encode(refusal)
    for secret in (b"ada@", b"idp.example", b"1234 5678", b"sess-1", b"guest"):
        assert secret not in lines


def test_equal_arguments_have_equal_digests_and_others_do_not(state: StateDirectory) -> None:
    describer = describer_of(state)

    def digest(arguments: Any) -> str:
        asked = call(params={"name": "x", "arguments": arguments, "_meta": {"progressToken": 1}})
        return first(describer, asked)[1].arguments

    assert digest({"a": 1}) == digest({"a": 1}) != digest({"a": 2})
    assert digest({}) != digest({"a": 1})


@pytest.mark.parametrize(
    ("kind", "name", "in_clear"),
    [(Kind.RESOURCE, URI, None), (Kind.TEMPLATE, "file:///home/{user}", "file:///home/{user}")],
)
def test_a_uri_is_sealed_and_digested(
    state: StateDirectory, kind: Kind, name: str, in_clear: str | None
) -> None:
    item, asked = resource(kind, name)
    context, intent = first(describer_of(state), call(session="s", **asked), item)
    assert context.name == context.shown == in_clear
    assert intent.uri
    assert intent.session
    assert b"salary" not in encode([context, intent])
    assert intent.sealed
    opened = Subjects(state.subjects).open(context.subject, "sealed", intent.sealed)
    assert opened == {"uri": URI}


def test_a_refusal_seals_the_detail_and_what_was_asked_for(state: StateDirectory) -> None:
    described = describer_of(state).refusal(call(), "policy.denied", "no role", 1)
    assert described.reason == "policy.denied"
    assert described.sealed
    assert Subjects(state.subjects).open(described.subject, "sealed", described.sealed) == {
        "detail": "no role",
        "name": "files__read_file",
    }


def test_what_a_client_says_of_itself_is_cut(state: StateDirectory) -> None:
    asked = call(client=Client("v" * 9999, "n" * 9999), method="m" * 9999)
    describer = describer_of(state)
    for described in (first(describer, asked)[0], describer.refusal(asked, "r", "d" * 9999, 1)):
        assert len(described.client) == len(described.version) == CLIENT_CHARS
    assert len(encode(describer.refusal(asked, "r", "d" * 9999, 1))) < 4096


def test_an_event_says_what_was_done_in_clear_and_the_detail_sealed(state: StateDirectory) -> None:
    subjects = Subjects(state.subjects)
    event = Describer(state, subjects).event(ADA, "approval.asked", "t", {"rules": ["r"]}, 5)
    assert (event.at, event.what, event.trace, event.tenant) == (5, "approval.asked", "t", "")
    assert b'"r"' not in encode(event)
    assert subjects.open(event.subject, "sealed", event.sealed) == {"rules": ["r"]}
    assert decode(encode(event)) == event
