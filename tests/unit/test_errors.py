from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from bawn import errors
from bawn.errors import REASONS, BawnError, Misconfigured, Reason, Refused

SOURCE = Path(errors.__file__).parent
NAMES = {name: value for name, value in vars(errors).items() if isinstance(value, Reason)}

every_reason = pytest.mark.parametrize("reason", REASONS.values(), ids=lambda reason: reason.id)


@every_reason
def test_an_id_is_two_plain_words_and_leads_to_its_reason(reason: Reason) -> None:
    assert re.fullmatch(r"[a-z]+\.[a-z_]+", reason.id)
    assert REASONS[reason.id] is reason


@every_reason
def test_the_caller_reads_a_sentence_without_a_full_stop_that_a_colon_may_follow(
    reason: Reason,
) -> None:
    assert re.fullmatch(r"[A-Z].*\w", reason.message)


@every_reason
def test_the_operator_reads_what_to_do(reason: Reason) -> None:
    assert re.fullmatch(r"\S.*[.]", reason.fix)
    assert reason.fix != reason.message


@every_reason
def test_codes_are_the_specifications_or_outside_its_range(reason: Reason) -> None:
    specified = {-32700, -32600, -32601, -32602, -32603, -32020, -32021, -32022}
    assert reason.code in specified or not -32768 <= reason.code <= -32000


@every_reason
def test_a_status_is_one_that_http_has(reason: Reason) -> None:
    assert reason.status in {
        *(200, 400, 401, 403, 404, 405, 406, 408, 413, 415, 417, 421, 431, 503, 505)
    }


@pytest.mark.parametrize(
    ("code", "status"), [(-32700, 400), (-32601, 404), (-32020, 400), (-32022, 400), (-32602, 400)]
)
def test_a_code_that_asks_for_a_status_has_it(code: int, status: int) -> None:
    found = {reason.status for reason in REASONS.values() if reason.code == code}
    assert found == {status}


def test_a_denial_reads_as_what_does_not_exist() -> None:
    denied, unknown = REASONS["policy.denied"], REASONS["target.unknown"]
    assert (denied.code, denied.status, denied.message) == (
        unknown.code,
        unknown.status,
        unknown.message,
    )


def test_what_failed_before_a_call_was_sent_is_told_from_what_may_have_been_done() -> None:
    unknown = {"upstream.died", "upstream.outcome_unknown", "upstream.first_byte", "upstream.total"}
    unknown |= {"gate.worker_lost", "state.lost"}
    said = {reason.id for reason in REASONS.values() if "outcome is unknown" in reason.message}
    assert said == unknown


def test_every_reason_has_a_name_of_its_own_and_is_given_somewhere() -> None:
    assert {reason.id for reason in NAMES.values()} == set(REASONS)
    assert len(NAMES) == len(REASONS)
    used: set[str] = set()
    for path in SOURCE.rglob("*.py"):
        if path.name != "errors.py":
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.Name):
                    used.add(node.id)
                elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                    used.add(node.value)
    unused = {name for name, reason in NAMES.items() if not {name, reason.id} & used}
    assert unused == set()


def test_an_id_cannot_be_given_twice() -> None:
    with pytest.raises(ValueError, match="defined twice"):
        errors._reason("internal.error", 1, 200, "Another", "None.")


def test_a_refusal_keeps_the_cause_from_the_caller() -> None:
    refused = Refused(errors.INTERNAL, "what concerns you", detail="s3cr3t")
    assert refused.message == f"{errors.INTERNAL.message}: what concerns you"
    assert str(refused) == "internal.error: s3cr3t"
    assert Refused(errors.INTERNAL, detail="s3cr3t").message == errors.INTERNAL.message
    assert str(Refused(errors.INTERNAL, "public")) == "internal.error: public"
    assert str(Refused(errors.INTERNAL)) == f"internal.error: {errors.INTERNAL.message}"


def test_a_configuration_tells_all_its_problems_at_once() -> None:
    wrong = Misconfigured("a: one", "b: two")
    assert wrong.problems == ("a: one", "b: two")
    assert str(wrong) == "a: one\nb: two"


def test_there_is_one_root() -> None:
    assert issubclass(Refused, BawnError)
    assert issubclass(Misconfigured, BawnError)
    assert BawnError.__base__ is Exception
