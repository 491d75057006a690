"""What a server asks back, on its way to the caller: `input_required` results (MRTR).

Judged before anybody sees it: its shape, whether this caller said that it can be asked so, and that
the person who reads it learns which server asks.

Sources: basic/patterns/mrtr, client/elicitation, client/sampling, client/roots (2026-07-28).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import urlsplit

from bawn.errors import UPSTREAM_INVALID, Refused
from bawn.model import Json

SAMPLING: Final = "sampling/createMessage"
ELICITATION: Final = "elicitation/create"
ROOTS: Final = "roots/list"
METHODS: Final = frozenset({SAMPLING, ELICITATION, ROOTS})

RESERVED: Final = "bawn."
"""Keys that begin so are the gate's own questions."""

MOST: Final = 64
"""Requests of one round."""

_OF_TOOLS: Final = frozenset({"tool_use", "tool_result"})


def check(result: Json) -> None:
    """Refuse an `input_required` result that is not one; members of other names are not judged.

    Raises:
        Refused: upstream.invalid.
    """
    requests, state = result.get("inputRequests"), result.get("requestState")
    if not isinstance(state, str | None):
        raise _invalid("its requestState is not a string")
    if not requests and state is None:
        raise _invalid("it has neither inputRequests nor requestState")
    if requests is not None:
        check_requests(requests)


def check_requests(requests: Any) -> None:
    """Refuse `inputRequests` that are none, those of a task too.

    Raises:
        Refused: upstream.invalid.
    """
    if not isinstance(requests, dict) or len(requests) > MOST:
        raise _invalid(f"its inputRequests are not an object of {MOST} requests at most")
    for key, request in requests.items():
        if key.startswith(RESERVED):
            raise _invalid(f"a key begins with `{RESERVED}`, which is the gate's own")
        _check_request(request)


def undeclared(requests: Json, capabilities: Json) -> Json | None:
    """What a caller would have to declare besides, in the form of `requiredCapabilities`; else None.

    `requests` have passed one of the checks.
    """
    required: Json = {}
    for request in requests.values():
        name, part = _needed(request["method"], request.get("params") or {})
        declared = capabilities.get(name)
        if not isinstance(declared, dict):
            required.setdefault(name, {})
        if part is not None and not _declares(declared, name, part):
            required.setdefault(name, {})[part] = {}
    return required or None


def named(requests: Json, server: str) -> Json:
    """The same requests, with the server that asks named in the message of each elicitation.

    A message that has the name already is left alone; so is one that is no text.
    """
    mark = f"[{server}] "
    return {key: _marked(request, mark) for key, request in requests.items()}


def of_tools(params: Json) -> bool:
    """Whether a request to sample needs a client that lets models use tools."""
    return (
        params.get("tools") is not None
        or params.get("toolChoice") is not None
        or any(block.get("type") in _OF_TOOLS for block in _blocks(params))
    )


def _blocks(params: Json) -> Iterator[Json]:
    messages = params.get("messages")
    for message in messages if isinstance(messages, list) else ():
        content = message.get("content") if isinstance(message, dict) else None
        for block in content if isinstance(content, list) else [content]:
            if isinstance(block, dict) and isinstance(block.get("type"), str):
                yield block


def _needed(method: str, params: Json) -> tuple[str, str | None]:
    """The capability that a request needs, and the part of it."""
    if method == ELICITATION:
        return "elicitation", params.get("mode") or "form"
    if method == SAMPLING:
        return "sampling", "tools" if of_tools(params) else None
    return "roots", None


def _declares(declared: Any, name: str, part: str) -> bool:
    if not isinstance(declared, dict):
        return False
    if not declared and name == "elicitation":
        return part == "form"  # as before there was anything else
    return isinstance(declared.get(part), dict)


def _marked(request: Any, mark: str) -> Any:
    if not isinstance(request, dict) or request.get("method") != ELICITATION:
        return request
    params = request.get("params")
    message = params.get("message") if isinstance(params, dict) else None
    if not isinstance(params, dict) or not isinstance(message, str) or message.startswith(mark):
        return request
    return {**request, "params": {**params, "message": mark + message}}


def _check_request(request: Any) -> None:
    method = request.get("method") if isinstance(request, dict) else None
    if not isinstance(request, dict) or not isinstance(method, str) or method not in METHODS:
        raise _invalid("a request is not one that clients can be asked")
    params = request.get("params")
    if params is None and method == ROOTS:
        return
    if not isinstance(params, dict):
        raise _invalid(f"the params of {method} are not an object")
    if method == SAMPLING and not isinstance(params.get("messages"), list):
        raise _invalid(f"{method} has no messages")
    if method == ELICITATION:
        _check_elicitation(params)


def _check_elicitation(params: Json) -> None:
    if not isinstance(params.get("message"), str):
        raise _invalid("an elicitation has no message")
    mode = params.get("mode")
    if mode == "url":
        if not _safe(params.get("url")):
            raise _invalid("an elicitation's url is not one that a person may be sent to")
    elif mode not in (None, "form"):
        raise _invalid("an elicitation's mode is neither form nor url")
    elif not isinstance(params.get("requestedSchema"), dict):
        raise _invalid("an elicitation has no requestedSchema")


def _safe(url: Any) -> bool:
    """Whether a URL leads by HTTP to a host that it shows: nothing hidden, no credentials."""
    if not isinstance(url, str) or not url.isprintable() or " " in url or "\\" in url:
        return False  # browsers drop some of these and read others as a slash
    try:
        parts = urlsplit(url)
        _ = parts.port  # its digits are judged only when it is asked for
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc


def _invalid(why: str) -> Refused:
    return Refused(UPSTREAM_INVALID, detail=f"what the server asks is not valid: {why}")
