from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bawn.audit.describe import CLIENT_CHARS, Describer
from bawn.audit.entries import encode
from bawn.audit.subjects import Subjects
from bawn.model import Client, Item, Kind
from bawn.storage import StateDirectory
from tests.audited import ADA, ALLOWED, BOB, TOOL, call, state_in

URI = "file:///home/ada/salary.txt"


@pytest.fixture
def state(tmp_path: Path) -> StateDirectory:
    return state_in(tmp_path)


def resource(kind: Kind, name: str) -> tuple[Item, dict[str, Any]]:
    return Item(kind, "files", name, name, {}), {"method": "resources/read", "params": {"uri": URI}}


def test_an_intent_tells_what_is_about_to_be_called(state: StateDirectory) -> None:
    described = Describer(state).intent(call(endpoint="files"), TOOL, ALLOWED, 5)
    assert (described.method, described.server, described.name, described.shown) == (
        "tools/call", "files", "read_file", "files__read_file",
    )  # fmt: skip
    assert (described.at, described.rule, described.endpoint) == (5, ALLOWED.rule, "files")
    assert (described.client, described.version) == ("test-client", "2026-07-28")


def test_who_called_is_sealed_under_a_stable_pseudonym(state: StateDirectory) -> None:
    first = Describer(state).intent(call(), TOOL, ALLOWED, 1)
    again = Describer(state).intent(call(2), TOOL, ALLOWED, 2)
    bob = Describer(state).intent(call(3, BOB), TOOL, ALLOWED, 3)
    assert first.subject == again.subject != bob.subject
    assert Subjects(state.subjects).open(first.subject, "who", first.who) == {
        "subject": ADA.subject,
        "issuer": ADA.issuer,
        "roles": ["developer"],
    }


def test_sealing_who_is_done_once_until_the_next_segment(state: StateDirectory) -> None:
    describer = Describer(state)
    first = describer.intent(call(), TOOL, ALLOWED, 1).who
    assert describer.intent(call(2), TOOL, ALLOWED, 2).who == first
    describer.forget()
    assert describer.intent(call(3), TOOL, ALLOWED, 3).who != first


def test_neither_person_nor_arguments_nor_session_stand_in_clear(state: StateDirectory) -> None:
    asked = call(session="sess-1", params={"name": "x", "arguments": {"pin": "1234"}})
    describer = Describer(state)
    refusal = describer.refusal(asked, "policy.denied", "role guest of ada@example.com", 2)
    lines = encode(describer.intent(asked, TOOL, ALLOWED, 1)) + encode(refusal)
    for secret in (b"ada@", b"idp.example", b"1234", b"sess-1", b"guest"):
        assert secret not in lines


def test_equal_arguments_have_equal_digests_and_others_do_not(state: StateDirectory) -> None:
    describer = Describer(state)

    def digest(arguments: Any) -> str:
        asked = call(params={"name": "x", "arguments": arguments, "_meta": {"progressToken": 1}})
        return describer.intent(asked, TOOL, ALLOWED, 1).arguments

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
    described = Describer(state).intent(call(**asked), item, ALLOWED, 1)
    assert described.name == described.shown == in_clear
    assert described.uri
    assert b"salary" not in encode(described)
    assert described.sealed
    opened = Subjects(state.subjects).open(described.subject, "sealed", described.sealed)
    assert opened == {"uri": URI}


def test_a_refusal_seals_the_detail_and_what_was_asked_for(state: StateDirectory) -> None:
    described = Describer(state).refusal(call(), "policy.denied", "no role", 1)
    assert described.reason == "policy.denied"
    assert described.sealed
    assert Subjects(state.subjects).open(described.subject, "sealed", described.sealed) == {
        "detail": "no role",
        "name": "files__read_file",
    }


def test_what_a_client_says_of_itself_is_cut(state: StateDirectory) -> None:
    asked = call(client=Client("v" * 9999, "n" * 9999), method="m" * 9999)
    describer = Describer(state)
    for described in (
        describer.intent(asked, TOOL, ALLOWED, 1),
        describer.refusal(asked, "r", "d" * 9999, 1),
    ):
        assert len(described.client) == len(described.version) == CLIENT_CHARS
    assert len(encode(describer.refusal(asked, "r", "d" * 9999, 1))) < 4096
