"""The JSON-RPC envelope: what kind of message a decoded body is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from bawn.errors import MESSAGE_PARAMS, MESSAGE_SHAPE, Refused
from bawn.model import Json
from bawn.protocol import versions
from bawn.protocol.strict import encode


class Message(msgspec.Struct, frozen=True, gc=False):
    """A request (`id` is set) or a notification, with its `params` and their `_meta` as objects."""

    id: str | int | None
    method: str
    params: Json
    meta: Json


class Response(msgspec.Struct, frozen=True, gc=False):
    """What a client answers to a server's request: exactly one of result and error is set."""

    id: str | int
    result: Json | None
    error: Json | None


_REQUEST: Final = frozenset({"jsonrpc", "id", "method", "params"})
_ENVELOPE: Final = _REQUEST | {"result", "error"}
_PARAMS: Final = frozenset(
    {"name", "arguments", "uri", "cursor", "_meta", "ref", "argument", "context", "taskId"}
    | {"requestState", "inputResponses", "protocolVersion", "capabilities", "clientInfo"}
    | {"requestId", "reason", "level", "task", "notifications"}
)
_META: Final = frozenset(
    {versions.META_VERSION, versions.META_CAPABILITIES, versions.META_CLIENT}
    | {versions.META_LOG_LEVEL, versions.META + "subscriptionId"}
    | {"progressToken", "traceparent", "tracestate", "baggage"}
)


def _fold(key: str) -> str:
    """What a reader without regard to case takes the key for, whichever Unicode rule it follows."""
    return key.upper().casefold().replace("\u0307", "")  # the dot that a folded İ leaves behind


def _folding(names: frozenset[str]) -> Mapping[str, str]:
    return {_fold(name): name for name in names}


_FOLDED: Final = {names: _folding(names) for names in (_ENVELOPE, _PARAMS, _META)}


def _no_variants(tree: Json, names: frozenset[str], where: str) -> None:
    """Refuse keys that differ from a protocol key by case alone: some peers would read them as it."""
    folded = _FOLDED[names]
    for key in tree:
        meant = folded.get(_fold(key), key)
        if meant != key:
            raise Refused(MESSAGE_SHAPE, f"a key of {where} differs from `{meant}` by case")


def read(tree: Any) -> Message:
    """The message that a decoded body is.

    Raises:
        Refused: message.shape for anything but one request or notification; message.params when
            `params` or `_meta` is not an object.
    """
    if not isinstance(tree, dict):
        raise Refused(MESSAGE_SHAPE, "it is not an object")
    method, id_, params = tree.get("method"), tree.get("id"), tree.get("params")
    if not _REQUEST.issuperset(tree):
        _check_keys(tree)
    if tree.get("jsonrpc") != "2.0" or not isinstance(method, str):
        raise Refused(MESSAGE_SHAPE)
    if not isinstance(id_, str) and type(id_) is not int and "id" in tree:
        raise Refused(MESSAGE_SHAPE, "`id` must be a string or an integer")
    if params is None:
        params = {}
    elif not isinstance(params, dict):
        raise Refused(MESSAGE_PARAMS, "`params` must be an object")
    elif not _PARAMS.issuperset(params):
        _no_variants(params, _PARAMS, "params")
    meta = params.get("_meta")
    if meta is None:
        meta = {}
    elif not isinstance(meta, dict):
        raise Refused(MESSAGE_PARAMS, "`_meta` must be an object")
    elif not _META.issuperset(meta):
        _no_variants(meta, _META, "_meta")
    return Message(id_, method, params, meta)


def is_response(tree: Any) -> bool:
    """Whether a decoded body answers something, rather than asking or telling it."""
    return isinstance(tree, dict) and "method" not in tree and ("result" in tree or "error" in tree)


def response(tree: Json) -> Response:
    """The response that a decoded body is.

    Raises:
        Refused: message.shape.
    """
    _no_variants(tree, _ENVELOPE, "the message")
    id_, result_, error_ = tree.get("id"), tree.get("result"), tree.get("error")
    one = ("result" in tree) != ("error" in tree)
    right = isinstance(error_ if "error" in tree else result_, dict)
    if tree.get("jsonrpc") != "2.0" or not one or not right:
        raise Refused(MESSAGE_SHAPE, "a response has either a result or an error, an object")
    if not isinstance(id_, str) and type(id_) is not int:
        raise Refused(MESSAGE_SHAPE, "`id` must be a string or an integer")
    return Response(id_, result_, error_)


def _check_keys(tree: Json) -> None:
    _no_variants(tree, _ENVELOPE, "the message")
    if "result" in tree or "error" in tree:
        raise Refused(MESSAGE_SHAPE)


def identifier(tree: Any) -> str | int | None:
    """The id that an error about this body should name: null when it has none of a right type."""
    id_ = tree.get("id") if isinstance(tree, dict) else None
    return id_ if isinstance(id_, str) or type(id_) is int else None


def result(id_: str | int, value: Json) -> bytes:
    """The response that carries a result."""
    return encode({"jsonrpc": "2.0", "id": id_, "result": value})


def written_result(id_: str | int, value: bytes) -> bytes:
    """The same for a result that is written already."""
    return b'{"jsonrpc":"2.0","id":%b,"result":%b}' % (encode(id_), value)


def error(id_: str | int | None, value: Json) -> bytes:
    """The response that carries an error."""
    return encode({"jsonrpc": "2.0", "id": id_, "error": value})
