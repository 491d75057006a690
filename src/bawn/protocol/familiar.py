"""Tool calls that repeat an earlier one in all but their id and arguments, as nearly all do.

What `envelope` and `inbound` judge of a modern call is said by its name, the bytes of its `_meta` and
two headers. The same means the same: such a call is recognised, not judged again. It is recognised only
when its body holds nothing else, which its length tells, and its arguments are canonical.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, TypeAlias

import msgspec

from bawn.model import Client, Json
from bawn.protocol import strict
from bawn.protocol.headers import METHOD, NAME, VERSION
from bawn.protocol.inbound import Notification, Request
from bawn.protocol.strict import JsonLimits
from bawn.protocol.versions import METHODS

_REMEMBERED: Final = 1024
_OF_ONE_CALL: Final = frozenset({"progressToken", "traceparent"})
"""What callers say in `_meta` of one call alone: it does not come again."""
_TOKEN: Final = b'"progressToken":'


class _Params(msgspec.Struct, rename={"meta": "_meta"}, gc=False):
    name: str
    arguments: msgspec.Raw
    meta: msgspec.Raw


class _Message(msgspec.Struct, gc=False):
    jsonrpc: Literal["2.0"]
    id: msgspec.Raw
    method: Literal["tools/call"]
    params: _Params


class _Judged(msgspec.Struct, frozen=True, gc=False):
    """What was found; `size` is that of a body without id and arguments."""

    size: int
    name: str
    meta: Json
    client: Client


_take_apart: Final = msgspec.json.Decoder(_Message).decode
_decode: Final = msgspec.json.decode

_CALL: Final = METHODS["tools/call"]
_METHOD: Final = b"tools/call"
_AROUND: Final = len(
    b'{"jsonrpc":"2.0","id":,"method":"tools/call","params":{"name":"","arguments":,"_meta":}}'
)
"""Bytes besides the values, in any order of the keys; an escape, a blank or another key adds some."""

_Key: TypeAlias = tuple[str, bytes, bytes | None, bytes | None]
"""The name, the bytes of `_meta`, and the headers that repeat name and version."""


class Familiar:
    """Remembers what was judged of calls; `limits` are those of a whole message."""

    def __init__(self, limits: JsonLimits) -> None:
        self._longest = limits.short
        self._nested = JsonLimits(limits.depth - 2, limits.nodes)
        self._judged: dict[_Key, _Judged] = {}

    def read(self, body: bytes, named: Mapping[bytes, bytes]) -> Request | None:
        """The request that a body is, or None: then it has to be judged."""
        if named.get(METHOD) != _METHOD or len(body) > self._longest or _TOKEN in body:
            return None
        try:
            message = _take_apart(body)
            params, id_ = message.params, _decode(message.id)
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            return None
        key = (params.name, bytes(params.meta), named.get(NAME), named.get(VERSION))
        judged = self._judged.get(key)
        if judged is None or (type(id_) is not int and type(id_) is not str):
            return None
        written = bytes(params.arguments)
        if len(body) != judged.size + len(message.id) + len(written):
            return None
        arguments = strict.canonical(written, self._nested)
        if arguments is None:
            return None
        whole = {"name": judged.name, "arguments": arguments, "_meta": judged.meta}
        return Request(id_, _CALL, whole, judged.client, modern=True)

    def remember(
        self, body: bytes, named: Mapping[bytes, bytes], asked: Request | Notification
    ) -> None:
        """Recognise calls like this one, which was judged to be good, from here on."""
        if not isinstance(asked, Request) or asked.method is not _CALL or not asked.modern:
            return
        name, meta = asked.params.get("name"), asked.params["_meta"]
        if len(body) > self._longest or not _OF_ONE_CALL.isdisjoint(meta):
            return
        if not isinstance(name, str) or strict.encode(name) != f'"{name}"'.encode():
            return
        try:
            params = _take_apart(body).params
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            return  # there is more to it, or less
        if len(self._judged) >= _REMEMBERED:
            self._judged.clear()
        size = _AROUND + len(name.encode()) + len(params.meta)
        key = (name, bytes(params.meta), named.get(NAME), named.get(VERSION))
        self._judged[key] = _Judged(size, name, meta, asked.client)
