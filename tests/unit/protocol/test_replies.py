from __future__ import annotations

import json
from typing import Any

import pytest

from bawn.errors import REASONS, Reason, Refused
from bawn.model import Answer
from bawn.ports import Reply
from bawn.protocol import replies
from tests.gate import LEGACY, MODERN

TRACE = "b" * 32


def _refusal(
    refused: Refused, *, modern: bool, id_: str | int | None = 1, method: str = "tools/call"
) -> tuple[Reply, dict[str, Any]]:
    reply = replies.refusal(refused, id_=id_, trace=TRACE, method=method, modern=modern)
    body = json.loads(reply.body)
    assert body["jsonrpc"] == "2.0"
    assert body["id"] == id_
    return reply, body["error"]


# ── a server's answer ───────────────────────────────────────────────────────────────────────────


def test_a_result_is_passed_on_in_the_callers_era() -> None:
    answer = Answer(result={"resultType": "complete", "content": []})
    modern = replies.answer("a", "tools/call", answer, MODERN)
    assert modern.status == 200
    assert json.loads(modern.body) == {"jsonrpc": "2.0", "id": "a", "result": answer.result}
    legacy = replies.answer("a", "tools/call", answer, LEGACY)
    assert json.loads(legacy.body)["result"] == {"content": []}


def test_what_is_written_already_goes_out_as_it_is_and_only_to_modern_callers() -> None:
    answer = Answer(
        result={"resultType": "complete", "a": 1}, written=b'{"resultType":"complete","a":1}'
    )
    modern = replies.answer('i"', "tools/call", answer, MODERN)
    assert json.loads(modern.body) == {"jsonrpc": "2.0", "id": 'i"', "result": answer.result}
    legacy = replies.answer(1, "tools/call", answer, LEGACY)
    assert json.loads(legacy.body)["result"] == {"a": 1}


@pytest.mark.parametrize(
    ("code", "status"),
    [
        (-32700, 400), (-32600, 400), (-32602, 400), (-32020, 400), (-32021, 400), (-32022, 400),
        (-32601, 404), (-32603, 200), (-32002, 200), (31001, 200), (5, 200),
    ],
)  # fmt: skip
def test_an_error_has_the_status_that_its_code_asks_for(code: int, status: int) -> None:
    answer = Answer(error={"code": code, "message": "m", "data": {"own": 1}})
    reply = replies.answer(1, "tools/call", answer, MODERN)
    assert reply.status == status
    assert json.loads(reply.body)["error"] == answer.error
    assert replies.answer(1, "tools/call", answer, LEGACY).status == 200


def test_a_missing_resource_has_the_code_of_the_callers_era() -> None:
    answer = Answer(error={"code": -32602, "message": "no such resource"})
    modern = replies.answer(1, "resources/read", answer, MODERN)
    legacy = replies.answer(1, "resources/read", answer, LEGACY)
    assert json.loads(modern.body)["error"]["code"] == -32602
    assert json.loads(legacy.body)["error"]["code"] == -32002


# ── a refusal of ours ───────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("reason", REASONS.values(), ids=lambda reason: reason.id)
@pytest.mark.parametrize("modern", [True, False])
def test_a_refusal_tells_the_kind_and_the_ids_and_never_the_detail(
    reason: Reason, modern: bool
) -> None:
    refused = Refused(reason, "public", detail="s3cr3t", data={"own": 1})
    reply, error = _refusal(refused, modern=modern, method="prompts/get")
    assert error["message"] == f"{reason.message}: public"
    assert error["data"] == {"own": 1, "reason": reason.id, "trace": TRACE}
    assert b"s3cr3t" not in reply.body
    assert (b"content-type", b"application/json") in reply.headers
    if modern:
        assert (reply.status, error["code"]) == (reason.status, reason.code)


@pytest.mark.parametrize("reason", REASONS.values(), ids=lambda reason: reason.id)
def test_a_legacy_call_that_is_refused_is_no_broken_transport(reason: Reason) -> None:
    reply, error = _refusal(Refused(reason), modern=False, method="prompts/get")
    # policy.denied is for the audit alone: a caller reads target.unknown
    of_a_call = reason.id.split(".")[0] in {"target", "cursor", "resource", "method", "input"}
    expected = 200 if of_a_call or reason.id == "message.params" else reason.status
    assert reply.status == expected
    assert error["code"] not in {-32020, -32021}


def test_a_legacy_model_reads_that_its_client_lacks_a_capability() -> None:
    refused = Refused(REASONS["input.undeclared"], "say so", data={"requiredCapabilities": {}})
    told = {"type": "text", "text": refused.message}
    reply = replies.refusal(refused, id_=1, trace=TRACE, method="tools/call", modern=False)
    assert reply.status == 200
    assert json.loads(reply.body)["result"] == {"content": [told], "isError": True}
    answer = Answer(error={"code": -32021, "message": refused.message})
    assert replies.answer(1, "tools/call", answer, LEGACY).body == reply.body
    _, error = _refusal(refused, modern=True)
    assert error["code"] == -32021


def test_our_own_data_cannot_be_replaced() -> None:
    forged = Refused(REASONS["internal.error"], data={"reason": "x", "trace": "y"})
    assert _refusal(forged, modern=True)[1]["data"] == {"reason": "internal.error", "trace": TRACE}


@pytest.mark.parametrize(
    ("reason", "code"),
    [
        ("target.unknown", -32002),
        ("resource.claimed", -32002),
        ("message.params", -32602),
        ("version.unsupported", -32022),
    ],
)
def test_a_legacy_client_reads_the_code_that_its_version_gives_the_matter(
    reason: str, code: int
) -> None:
    _, error = _refusal(Refused(REASONS[reason]), modern=False, method="resources/read")
    assert error["code"] == code


@pytest.mark.parametrize("modern", [True, False])
def test_without_an_id_the_status_speaks(modern: bool) -> None:
    reply, error = _refusal(Refused(REASONS["message.json"]), modern=modern, id_=None)
    assert (reply.status, error["code"]) == (400, -32700)
    reply, _ = _refusal(Refused(REASONS["message.params"]), modern=modern, id_=None)
    assert reply.status == 400


def test_a_challenge_goes_into_its_header() -> None:
    refused = Refused(REASONS["auth.missing"], challenge='Bearer realm="é€"')
    reply, _ = _refusal(refused, modern=True)
    assert reply.status == 401
    assert dict(reply.headers)[b"www-authenticate"] == b'Bearer realm="\xe9?"'
    assert b"www-authenticate" not in dict(
        _refusal(Refused(REASONS["auth.missing"]), modern=True)[0].headers
    )


def test_a_wrong_http_method_is_told_the_right_one() -> None:
    def headers(reason: str) -> dict[bytes, bytes]:
        refused = Refused(REASONS[reason])
        reply = replies.refusal(refused, id_=None, trace="", method="", modern=True)
        return dict(reply.headers)

    assert headers("http.method")[b"allow"] == b"GET, POST, DELETE"
    assert b"allow" not in headers("http.not_found")
