"""What a line of the audit is: one JSON object, chained to the line before by `prev`.

`prev` is the SHA-256 of the previous line without its newline, in hex; empty on the first line of a
segment. `seq` counts one writer's lines, over all its segments. `at` is nanoseconds since the epoch.
What could be personal or secret stands in `who` and `sealed`, as ciphertext under the subject's key;
what names it in clear is a keyed digest.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from typing import Final, TypeAlias

import msgspec

VERSION: Final = 1


class Line(msgspec.Struct, tag_field="kind", omit_defaults=True, gc=False):
    """What every line has."""

    v: int
    seq: int
    prev: str
    at: int


class Segment(Line, tag="segment"):
    """The first line of a file. `after` maps the segments it follows to the hash of their last line."""

    name: str
    writer: str
    pid: int
    after: dict[str, str]


class Intent(Line, tag="intent"):
    """A call is about to leave; whoever finds no outcome must take it for `unknown`.

    `arguments` is a keyed digest of the call's `arguments`, or of all params where it has none.
    For resources `name` and `shown` are absent: `uri` is a keyed digest, and `sealed` holds the URI.
    """

    trace: str
    subject: str
    who: str
    method: str
    server: str
    rule: str
    arguments: str
    client: str
    version: str
    name: str | None = None
    shown: str | None = None
    endpoint: str | None = None
    session: str | None = None
    uri: str | None = None
    sealed: str | None = None


class Outcome(Line, tag="outcome"):
    """How an intent ended; `intent` is its `seq`, `size` the bytes of the result."""

    intent: int
    trace: str
    status: str
    duration_us: int
    size: int


class Refusal(Line, tag="refusal"):
    """A call was refused before it left; `sealed` holds the operator's detail and what was asked for."""

    trace: str
    subject: str
    who: str
    method: str
    reason: str
    client: str
    version: str
    endpoint: str | None = None
    session: str | None = None
    sealed: str | None = None


class Dropped(Line, tag="dropped"):
    """Refusals and outcomes that were lost while nothing could be written, or could not be encoded."""

    count: int


class Close(Line, tag="close"):
    """The last line of a segment that ended in order; `more` when its writer went on in another."""

    more: bool


class Recovered(Line, tag="recovered"):
    """The last line of a segment whose writer died or gave it up.

    `torn` bytes in `lines` whole lines (0 for a line cut short) were set aside; `unknown` intents of
    the segment have no outcome in it.
    """

    torn: int
    lines: int
    unknown: int


Record: TypeAlias = Segment | Intent | Outcome | Refusal | Dropped | Close | Recovered
Ending: Final = (Close, Recovered)
"""The records after which a segment has no more."""

encode: Final = msgspec.json.Encoder().encode
_decode: Final[Callable[[bytes], Record]] = msgspec.json.Decoder(Record).decode


def decode(line: bytes) -> Record:
    """The record of a line without its newline.

    Raises:
        ValueError: it is none, or of a later version.
    """
    try:
        record = _decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError) as problem:
        raise ValueError(f"not an audit record: {problem}") from None
    if record.v != VERSION:
        raise ValueError(f"written as version {record.v}; expected version {VERSION}")
    return record


def hash_of(line: bytes) -> str:
    """What the next line's `prev` must be."""
    return sha256(line).hexdigest()
