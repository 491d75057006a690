from __future__ import annotations

import json
from pathlib import Path

import pytest
from msgspec.structs import replace

from bawn.audit.calls import AuditedCall, Joiner, as_json
from bawn.audit.read import Problem, Reader
from bawn.audit.recover import recover
from bawn.audit.subjects import Subjects
from bawn.audit.writer import Writer
from bawn.model import Item, Kind
from bawn.storage import StateDirectory
from tests.audited import ADA, ALLOWED, BOB, TOOL, call, calls, die, state_in, ticking


@pytest.fixture
def state(tmp_path: Path) -> StateDirectory:
    return state_in(tmp_path)


@pytest.fixture
def writer(state: StateDirectory) -> Writer:
    return Writer(state, clock=ticking())


def test_an_intent_and_its_outcome_are_one_call(state: StateDirectory, writer: Writer) -> None:
    intent = writer.intent(call(), TOOL, ALLOWED)
    writer.outcome(intent, f"{1:032x}", "ok", 0.0015, 42)
    writer.close()
    (one,) = calls(state)
    assert (one.who, one.decision, one.rule, one.server, one.name, one.status) == (
        ADA.subject, "allowed", ALLOWED.rule, "files", "read_file", "ok",
    )  # fmt: skip
    assert (one.duration_us, one.size, one.trace, one.line) == (1500, 42, f"{1:032x}", 3)


def test_an_intent_without_outcome_is_unknown(state: StateDirectory, writer: Writer) -> None:
    writer.intent(call(), TOOL, ALLOWED)
    writer.close()
    (one,) = calls(state)
    assert (one.status, one.duration_us, one.size) == ("unknown", None, None)


def test_a_refusal_tells_its_reason_and_what_was_asked_for(
    state: StateDirectory, writer: Writer
) -> None:
    writer.refusal(call(principal=BOB, endpoint="files"), "policy.denied", "no role")
    writer.close()
    (one,) = calls(state)
    assert (one.who, one.decision, one.status, one.server, one.name) == (
        BOB.subject, "refused", "policy.denied", "files", "files__read_file",
    )  # fmt: skip
    assert one.sealed == {"detail": "no role", "name": "files__read_file"}


def test_a_call_and_a_refusal_tell_whose_tenant_it_was(
    state: StateDirectory, writer: Writer
) -> None:
    acme = replace(ADA, tenant="acme")
    writer.intent(call(1, acme), TOOL, ALLOWED)
    writer.refusal(call(2, replace(BOB, tenant="zeta")), "policy.denied", "")
    writer.intent(call(3), TOOL, ALLOWED)
    writer.close()
    assert {int(one.trace, 16): one.tenant for one in calls(state)} == {1: "acme", 2: "zeta", 3: ""}


def test_an_erased_subject_is_erased_everywhere_and_the_chain_stands(
    state: StateDirectory, writer: Writer
) -> None:
    uri = "file:///salary"
    item = Item(Kind.RESOURCE, "files", uri, uri, {})
    writer.intent(call(1, method="resources/read", params={"uri": uri}), item, ALLOWED)
    writer.intent(call(2, BOB), TOOL, ALLOWED)
    writer.close()
    before = {one.who: one for one in calls(state)}
    assert before[ADA.subject].name == uri
    (state.subjects / before[ADA.subject].subject).unlink()
    joined = list(Joiner(Subjects(state.subjects)).join(Reader(state.audit).poll()))
    assert not [item for item in joined if isinstance(item, Problem)]
    first, second = calls(state)
    assert (first.who, first.sealed, second.who) == ("erased", {"erased": True}, BOB.subject)
    assert "salary" not in first.name


def test_outcomes_of_writers_with_the_same_numbers_are_kept_apart(
    state: StateDirectory, writer: Writer
) -> None:
    other = Writer(state, clock=ticking())
    number = writer.intent(call(1), TOOL, ALLOWED)
    assert other.intent(call(2), TOOL, ALLOWED) == number
    writer.outcome(number, f"{1:032x}", "ok", 1, 1)
    other.outcome(number, f"{2:032x}", "error", 1, 1)
    writer.close()
    other.close()
    assert {int(one.trace, 16): one.status for one in calls(state)} == {1: "ok", 2: "error"}


def test_an_outcome_in_a_later_segment_is_found(state: StateDirectory) -> None:
    writer = Writer(state, clock=ticking(), rotate=1000)
    first = writer.intent(call(1), TOOL, ALLOWED)
    for number in range(2, 6):
        writer.intent(call(number), TOOL, ALLOWED)
    writer.outcome(first, f"{1:032x}", "ok", 1, 1)
    writer.close()
    assert {int(one.trace, 16): one.status for one in calls(state)}[1] == "ok"


def test_while_following_a_dead_writers_open_calls_become_unknown(
    state: StateDirectory, writer: Writer
) -> None:
    writer.intent(call(), TOOL, ALLOWED)
    joiner, reader = Joiner(Subjects(state.subjects)), Reader(state.audit)
    assert list(joiner.join(reader.poll())) == []
    die(writer)
    recover(state.audit)
    told = [item for item in joiner.join(reader.poll()) if isinstance(item, AuditedCall)]
    assert [one.status for one in told] == ["unknown"]
    assert list(joiner.rest()) == []


def test_as_json_it_is_one_object(state: StateDirectory, writer: Writer) -> None:
    writer.intent(call(), TOOL, ALLOWED)
    writer.close()
    told = json.loads(json.dumps(as_json(calls(state)[0])))
    assert told["at"].startswith("2026-11-22T")
    assert (told["who"], told["status"]) == (ADA.subject, "unknown")


def test_an_event_tells_who_did_what_and_is_erased_with_its_subject(
    state: StateDirectory, writer: Writer
) -> None:
    writer.event(BOB, "approval.granted", f"{1:032x}", {"approval": "x", "note": "fine"})
    writer.close()
    (one,) = calls(state)
    assert (one.who, one.decision, one.method, one.status) == (
        BOB.subject, "event", "approval.granted", "ok",
    )  # fmt: skip
    assert one.sealed == {"approval": "x", "note": "fine"}
    (state.subjects / one.subject).unlink()
    (erased,) = calls(state)
    assert (erased.who, erased.sealed) == ("erased", {"erased": True})
