from __future__ import annotations

from pathlib import Path

import pytest

from bawn.audit.writer import Writer
from bawn.model import Call, Client, Decision, Item, Kind, Principal, View
from bawn.review.past.recorded import Recorded, Recording, kinds_of
from bawn.storage import StateDirectory
from tests.audited import ADA, call, segment_files, state_in, ticking
from tests.unit.review.rulesets import endpoint, item, view

READ = item("read")
BRIEF = item("brief", Kind.PROMPT)
NOTE = item("note:/a", Kind.RESOURCE)
ANY = item("file:/{name}", Kind.TEMPLATE)
VIEW = view(READ, BRIEF, NOTE, ANY, item("x", server="web"))
START = 1_795_348_800_000_000_000


@pytest.fixture
def state(tmp_path: Path) -> StateDirectory:
    return state_in(tmp_path)


def left(
    state: StateDirectory,
    what: Item,
    method: str = "tools/call",
    rule: str = "permit x",
    **params: str,
) -> None:
    with_closing(
        state, lambda writer: _leave(writer, what, call(1, method=method, params=params), rule)
    )


def _leave(writer: Writer, what: Item, made: Call, rule: str) -> None:
    intent = writer.intent(made, what, Decision(True, rule))
    writer.outcome(intent, made.trace, "ok", 0.0, 1)


def refused(
    state: StateDirectory, name: str, reason: str = "policy.denied", *,
    method: str = "tools/call", endpoint: str | None = None, principal: Principal = ADA,
) -> None:  # fmt: skip
    key = "uri" if method.startswith("resources/") else "name"
    made = call(1, principal, method=method, params={key: name}, endpoint=endpoint)
    with_closing(state, lambda writer: writer.refusal(made, reason, "nothing permits it"))


def with_closing(state: StateDirectory, do: object) -> None:
    assert callable(do)
    writer = Writer(state, clock=ticking(START))
    do(writer)
    writer.close()


def read(state: StateDirectory, by: View = VIEW, **times: float) -> list[Recorded]:
    return list(Recording(state, by).calls(**times))


def test_a_call_that_left_is_told_with_caller_item_and_client(state: StateDirectory) -> None:
    left(state, READ)
    (found,) = read(state)
    assert found.principal is not None
    assert (found.principal.subject, found.principal.issuer, found.principal.roles) == (
        ADA.subject, ADA.issuer, ADA.roles,
    )  # fmt: skip
    assert (found.item, found.said, found.left, found.name) == (READ, "allow", True, "files/read")
    assert found.client == Client("2026-07-28", "test-client")


def test_the_facts_that_old_records_lack_are_empty(state: StateDirectory) -> None:
    left(state, READ)
    (found,) = read(state)
    assert found.principal is not None
    assert (found.principal.scopes, found.principal.agent, found.principal.tenant) == (
        frozenset(),
        "",
        "",
    )


@pytest.mark.parametrize(
    ("method", "what", "params"),
    [
        ("prompts/get", BRIEF, {"name": "files__brief"}),
        ("resources/read", NOTE, {"uri": "note:/a"}),
        ("resources/subscribe", NOTE, {"uri": "note:/a"}),
        ("completion/complete", ANY, {"uri": "file:/{name}"}),
        ("tasks/get", READ, {"taskId": "t"}),
    ],
)
def test_every_kind_of_item_is_found_again(
    state: StateDirectory, method: str, what: Item, params: dict[str, str]
) -> None:
    left(state, what, method, **params)
    assert [found.item for found in read(state)] == [what]


def test_a_resource_that_no_list_names_is_of_the_server_whose_template_it_fits(
    state: StateDirectory,
) -> None:
    left(state, item("file:/secret", Kind.RESOURCE), "resources/read", uri="file:/secret")
    refused(state, "file:/other", method="resources/read")
    found = {(f.item.server, f.item.name) for f in read(state) if f.item}
    assert found == {("files", "file:/secret"), ("files", "file:/other")}


def test_what_was_refused_is_found_by_the_name_it_has_where_it_was_asked_for(
    state: StateDirectory,
) -> None:
    refused(state, "files__read")
    refused(state, "read", endpoint="files")
    refused(state, "read")
    assert [found.item for found in read(state)] == [READ, READ, None]


def test_a_tenants_caller_asked_at_the_aggregate_of_the_tenant(state: StateDirectory) -> None:
    acme = Principal("eve", "https://idp", frozenset(), 2e9, tenant="acme")
    inside = item("inside", server="web")
    by = view(READ, aggregates={"acme": endpoint(None, [inside])})
    refused(state, "web__inside", principal=acme)
    refused(state, "files__read", principal=acme)
    refused(state, "web__inside")
    assert [found.item for found in read(state, by)] == [inside, None, None]


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("policy.denied", "deny"),
        ("policy.error", "deny"),
        ("approval.pending", "ask"),
        ("limit.rate", None),
    ],
)
def test_what_policy_said_is_told_from_what_refused_otherwise(
    state: StateDirectory, reason: str, said: str | None
) -> None:
    refused(state, "files__read", reason)
    assert [(found.said, found.left) for found in read(state)] == [(said, False)]


def test_a_call_that_left_with_consent_was_asked_for(state: StateDirectory) -> None:
    left(state, READ, rule="permit x; approval 1234")
    left(state, READ, rule="observed: would deny (nothing permits it)")
    assert [found.said for found in read(state)] == ["ask", "allow"]


def test_what_is_gone_and_who_was_erased_have_no_item_and_no_principal(
    state: StateDirectory,
) -> None:
    left(state, item("removed"))
    left(state, READ)
    assert [found.item for found in read(state)] == [None, READ]
    for key in state.subjects.iterdir():
        key.unlink()
    assert [found.principal for found in read(state)] == [None, None]


def test_only_calls_of_the_time_are_told(state: StateDirectory) -> None:
    left(state, READ)
    assert read(state, since=START / 1e9 + 1) == []
    assert read(state, until=START / 1e9) == []
    assert len(read(state, since=START / 1e9, until=START / 1e9 + 1)) == 1


def test_what_is_wrong_with_the_audit_is_kept_apart(state: StateDirectory) -> None:
    left(state, READ)
    (path,) = segment_files(state)
    path.write_bytes(path.read_bytes().replace(b'"files"', b'"fisle"'))
    recording = Recording(state, VIEW)
    assert len(list(recording.calls())) == 1
    assert recording.problems


def test_methods_of_extensions_are_items_of_their_own() -> None:
    assert kinds_of("acme/run") == (Kind.METHOD,)
    assert kinds_of("subscriptions/listen") == (Kind.RESOURCE, Kind.TEMPLATE)
