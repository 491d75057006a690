from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bawn.approvals.request import ARGUMENTS, Digests, Request, opened, request_of, seal
from bawn.errors import APPROVAL_UNKNOWN, Refused
from bawn.model import Call, Item, Kind
from bawn.protocol.sealing import Sealer
from tests.approving import ADA, BOB, ONCALL, SELF, TOOL, TWO, asking, call, person

DIGESTS = Digests(b"d" * 32)
ODD = st.text(alphabet=st.characters(exclude_categories=["Cs"]))


def digest(asked: Call, item: Item = TOOL, policy: str = "p", *asks: Any) -> str:
    return DIGESTS.request(asked, item, asking(*asks), policy)


def shown(asked: Call) -> Request:
    return request_of(asked, TOOL, asking(), lambda rule: f"{rule}:1")


def sealer() -> Sealer:
    return Sealer([b"k" * 32], lambda: b"n" * 12)


def test_the_same_call_is_the_same_request_on_whichever_endpoint() -> None:
    assert digest(call()) == digest(call(endpoint="deploys"))


def test_metadata_and_the_answers_to_questions_change_nothing() -> None:
    more = call(_meta={"x": 1}, requestState="s", inputResponses={"a": {}})
    assert digest(call()) == digest(more)


@pytest.mark.parametrize(
    "other",
    [
        digest(call(BOB)),
        digest(call(person("ada", "developer", tenant="t"))),
        digest(call(person("ada", "developer", issuer="https://other.example.com"))),
        digest(call(person("ada", "developer", agent="robot"))),
        digest(call(arguments={"to": "production "})),
        digest(call(arguments={"to": ["production"]})),
        digest(call(task={"ttl": 1})),
        digest(call(), policy="p2"),
        digest(call(), replace(TOOL, server="other")),
        digest(call(), replace(TOOL, name="other")),
        digest(call(), replace(TOOL, kind=Kind.PROMPT)),
        digest(call(), replace(TOOL, definition={"name": "roll_out", "v": 2})),
        digest(call(), TOOL, "p", TWO),
        digest(call(), TOOL, "p", ONCALL, SELF),
    ],
)
def test_whatever_else_differs_is_another_request(other: str) -> None:
    assert digest(call()) != other


def test_a_digest_cannot_be_found_by_trying_without_the_key() -> None:
    other = Digests(b"e" * 32)
    assert digest(call()) != other.request(call(), TOOL, asking(), "p")
    assert DIGESTS.owner(ADA) != other.owner(ADA)
    assert DIGESTS.of("owner", "ab", "c") != DIGESTS.of("owner", "a", "bc")


def test_one_subject_is_one_voter_whichever_token_it_came_with() -> None:
    assert DIGESTS.voter(ADA) == DIGESTS.voter(person("ada", issuer="local", token="t"))
    assert DIGESTS.voter(ADA) != DIGESTS.voter(person("ada", tenant="t"))


@given(ODD, st.dictionaries(ODD, ODD | st.integers() | st.none(), max_size=4))
def test_what_was_sealed_is_what_is_read_and_for_its_own_approval_alone(
    subject: str, arguments: dict[str, Any]
) -> None:
    request = shown(call(person(subject), arguments))
    sealed = seal(sealer(), "a", request)
    assert opened(sealer(), "a", sealed) == request
    assert json.loads(request.arguments) == arguments
    with pytest.raises(Refused) as caught:
        opened(sealer(), "b", sealed)
    assert caught.value.reason is APPROVAL_UNKNOWN


@given(st.sampled_from(['"', "\\", "\x00", "é", "\U0001f600", "a"]), st.integers(0, 200_000))
def test_arguments_of_any_size_are_shown_to_a_bound_and_can_be_read(char: str, count: int) -> None:
    request = shown(call(arguments={"x": char * count}))
    assert len(request.arguments) <= ARGUMENTS
    assert request.whole == (len(request.arguments) == request.characters)
    assert opened(sealer(), "a", seal(sealer(), "a", request)) == request


def test_other_params_than_arguments_are_shown_too() -> None:
    assert json.loads(shown(call()).arguments) == {"to": "production"}
    asked = json.loads(shown(call(task={"ttl": 1})).arguments)
    assert asked == {"arguments": {"to": "production"}, "task": {"ttl": 1}}
