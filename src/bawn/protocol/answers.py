"""A server's message, judged: the response to our request, in canonical form, or a notification."""

from __future__ import annotations

from typing import Any, Final

from bawn.errors import (
    HEADER_MISMATCH,
    INTERNAL_ERROR,
    INVALID_PARAMS,
    MISSING_CAPABILITY,
    RESOURCE_NOT_FOUND_LEGACY,
    UNSUPPORTED_VERSION,
    UPSTREAM_INVALID,
    Refused,
)
from bawn.model import Answer, Json

_HINTS: Final = frozenset({"ttlMs", "cacheScope"})
_DEFINED: Final = frozenset({HEADER_MISMATCH, MISSING_CAPABILITY, UNSUPPORTED_VERSION})
_RESERVED: Final = frozenset({*range(-32099, -32019), -32042}) - _DEFINED
_KINDS: Final = frozenset({"complete", "input_required", "task"})


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

    Both hints stand on it; a lifetime that is none counts as 0.

    Source: basic/utilities/caching (2026-07-28).
    """
    result = answer.result
    if result is None:
        return answer
    ttl = result.get("ttlMs")
    lifetime = max(ttl, 0) if type(ttl) is int else 0
    if ttl == lifetime and result.get("cacheScope") == "private":
        return answer
    return Answer(result={**result, "ttlMs": lifetime, "cacheScope": "private"})


def uncached(result: Json) -> Json:
    """A result that nobody may keep, without hints that somebody might."""
    if _HINTS.isdisjoint(result):
        return result
    return {key: value for key, value in result.items() if key not in _HINTS}


def canonical_error(error: Json) -> Json:
    """A server's error in the codes of 2026-07-28: of those it reserves, only the defined ones.

    Source: basic/index, "Error codes" (2026-07-28).
    """
    code = error.get("code")
    if code == RESOURCE_NOT_FOUND_LEGACY:
        return {**error, "code": INVALID_PARAMS}
    if code in _RESERVED:
        return {**error, "code": INTERNAL_ERROR}
    return error


def judged(answer: Answer) -> Answer:
    """The answer with the `resultType` that every result has (basic/index), said or not.

    Raises:
        Refused: upstream.invalid when it is not one of the protocol's.
    """
    if answer.result is None:
        error = canonical_error(answer.error or {})
        return answer if error is answer.error else Answer(error=error)
    if "resultType" not in answer.result:
        return Answer(result={"resultType": "complete", **answer.result})
    kind = answer.result["resultType"]
    if isinstance(kind, str) and kind in _KINDS:
        return answer
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
