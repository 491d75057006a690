"""Answers and refusals of the APIs, as HTTP."""

from __future__ import annotations

import json
from typing import Any, cast

import pytest

from bawn.console.told import problem, status_of, told
from bawn.errors import AUTH_MISSING, GATE_CUT, INTEGRITY_DRIFT, TARGET_UNKNOWN, Reason, Refused


@pytest.mark.parametrize(
    ("reason", "status"),
    [(GATE_CUT, 403), (INTEGRITY_DRIFT, 503), (TARGET_UNKNOWN, 400), (AUTH_MISSING, 401)],
)
def test_a_refusal_is_an_error_whatever_it_is_of_mcp_calls(reason: Reason, status: int) -> None:
    assert status_of(Refused(reason)) == status


async def test_an_answer_is_json_that_nobody_keeps_and_a_refusal_tells_its_kind_alone() -> None:
    async def fine(request: object) -> dict[str, Any]:
        return {"a": 1}

    async def refused(request: object) -> dict[str, Any]:
        raise Refused(AUTH_MISSING, detail="for the operator", challenge="Bearer x")

    nothing = cast(Any, None)
    good, bad = await told(fine)(nothing), await told(refused)(nothing)
    assert (good.status_code, json.loads(bytes(good.body))) == (200, {"a": 1})
    assert good.headers["cache-control"] == bad.headers["cache-control"] == "no-store"
    assert bad.headers["www-authenticate"] == "Bearer x"
    assert b"operator" not in bytes(bad.body)
    assert problem(Refused(AUTH_MISSING)).status_code == 401
