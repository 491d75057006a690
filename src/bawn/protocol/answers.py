"""A server's message, judged: the response to our request, in canonical form, or a notification."""

from __future__ import annotations

from typing import Any, Final

from bawn.errors import INTERNAL_ERROR, UPSTREAM_INPUT, UPSTREAM_INVALID, Refused
from bawn.model import Answer, Json

_NEEDS: Final = {"input_required": "input", "task": "a task"}


def is_response(tree: Any) -> bool:
    """Whether this message answers a request, rather than asking or telling something."""
    return isinstance(tree, dict) and "method" not in tree


def response(tree: Any, expected: str | int) -> Answer:
    """The answer that a response carries.

    Raises:
        Refused: upstream.invalid when it is no response to the request with this id.
    """
    if not isinstance(tree, dict) or tree.get("jsonrpc") != "2.0":
        raise Refused(UPSTREAM_INVALID, detail="the answer is not a JSON-RPC object")
    id_ = tree.get("id")
    error = tree.get("error")
    if error is not None and "result" not in tree and (id_ == expected or id_ is None):
        return Answer(error=_error(error))
    if type(id_) is not type(expected) or id_ != expected:
        raise Refused(UPSTREAM_INVALID, detail="the answer has another request's id")
    result = tree.get("result")
    if error is not None or not isinstance(result, dict):
        raise Refused(UPSTREAM_INVALID, detail="the answer has not exactly one of result and error")
    return Answer(result=result)


def canonical_response(tree: Any, expected: int, body: bytes) -> Answer:
    """The same for a response whose body is as we would write it: then its result is, too.

    Raises:
        Refused: upstream.invalid, as `response`.
    """
    head = b'{"jsonrpc":"2.0","id":%d,"result":{' % expected
    if body.startswith(head) and len(tree) == 3:
        return Answer(result=tree["result"], written=body[len(head) - 1 : -1])
    return response(tree, expected)


def private(answer: Answer) -> Answer:
    """The answer as one caller's: the gate decided by who asked, so nobody may keep it for others.

    Source: basic/utilities/caching (2026-07-28).
    """
    if answer.result is None or answer.result.get("cacheScope", "private") == "private":
        return answer
    return Answer(result={**answer.result, "cacheScope": "private"})


def complete(answer: Answer) -> Answer:
    """The answer, if it ends the call.

    Raises:
        Refused: upstream.input_required when the server asks back, upstream.invalid when its
            `resultType` is not one of the protocol's.
    """
    if answer.result is None:
        return answer
    if "resultType" not in answer.result:  # every result has one (basic/index), said or not
        return Answer(result={"resultType": "complete", **answer.result})
    kind = answer.result["resultType"]
    if kind == "complete":
        return answer
    if isinstance(kind, str) and kind in _NEEDS:
        raise Refused(UPSTREAM_INPUT, detail=f"the server answered with {_NEEDS[kind]}")
    raise Refused(UPSTREAM_INVALID, detail="the result's resultType is unknown")


def _error(error: Any) -> Json:
    if not isinstance(error, dict):
        raise Refused(UPSTREAM_INVALID, detail="the answer's error is not an object")
    code, message = error.get("code"), error.get("message")
    if type(code) is not int:
        code = INTERNAL_ERROR
    if not isinstance(message, str):
        message = "The server reported an error without a message"
    return {**error, "code": code, "message": message}
