"""What a line of the audit is: one JSON object; the lines of one write stand and fall together.

The first line of each write has `prev`: the BLAKE2b-256, in hex, of all bytes of the write before it
(newlines and its own `prev` included). A segment's first line is a write by itself, without `prev`; so
is its last. `at` is nanoseconds since the epoch. What could be personal or secret stands in `who` and
`sealed`, as ciphertext under the subject's key; what names it in clear is a keyed digest.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from hashlib import blake2b
from typing import Final, TypeAlias

import msgspec

VERSION: Final = 2


class Line(msgspec.Struct, tag_field="kind", omit_defaults=True, gc=False, kw_only=True):
    """What every line has; `prev` is empty on all but the first line of a write."""

    at: int
    prev: str = ""


class Segment(Line, tag="segment"):
    """The first line of a file. `after` maps the segments it follows to the hash of their last write."""

    v: int
    name: str
    writer: str
    pid: int
    after: dict[str, str]


class Context(Line, tag="context"):
    """What a caller's calls of one item have in common; intents after it in its segment refer to it.

    `number` is one of its own in the segment. For resources `name` and `shown` are absent.
    """

    number: int
    subject: str
    who: str
    method: str
    server: str
    rule: str
    client: str
    version: str
    name: str | None = None
    shown: str | None = None
    endpoint: str | None = None
    tenant: str = ""


class Intent(Line, tag="intent"):
    """A call is about to leave; whoever finds no outcome must take it for `unknown`.

    `number` counts one writer's intents, over all its segments; one that was refused may leave a gap.
    `arguments` is a keyed digest of the call's `arguments`, or of all params where it has none.
    For resources and templates `uri` is a keyed digest, and `sealed` holds the URI.
    """

    number: int
    context: int
    trace: str
    arguments: str
    session: str | None = None
    uri: str | None = None
    sealed: str | None = None


class Outcome(Line, tag="outcome"):
    """How an intent ended; `intent` is its `number`, `size` the bytes of the result."""

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
    tenant: str = ""


class Event(Line, tag="event"):
    """Somebody did what is no call, such as deciding an approval: `what`; `sealed` holds the detail."""

    trace: str
    subject: str
    who: str
    what: str
    sealed: str
    tenant: str = ""


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


Record: TypeAlias = (
    Segment | Context | Intent | Outcome | Refusal | Event | Dropped | Close | Recovered
)
Ending: Final = (Close, Recovered)
"""The records after which a segment has no more."""

encode: Final = msgspec.json.Encoder().encode
_decode: Final[Callable[[bytes], Record]] = msgspec.json.Decoder(Record).decode


hasher: Final = blake2b(digest_size=32).copy
"""A new BLAKE2b-256 (RFC 7693): on the path it costs half of what OpenSSL's SHA-256 does."""


@lru_cache(256)
def quoted(text: str) -> str:
    """The text as JSON; for texts of which there are few."""
    return encode(text).decode()


def decode(line: bytes) -> Record:
    """The record of a line without its newline.

    Raises:
        ValueError: it is none, or begins a segment of another version.
    """
    try:
        record = _decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError) as problem:
        raise ValueError(f"not an audit record: {problem}") from None
    if isinstance(record, Segment) and record.v != VERSION:
        raise ValueError(f"written as version {record.v}; expected version {VERSION}")
    return record


def write_of(*lines: str, prev: str) -> bytes:
    """The bytes of one write: lines as JSON objects without their `{`, each ending in a newline."""
    return (f'{{"prev":"{prev}",' + "{".join(lines)).encode()


def line_of(record: Record) -> str:
    """A record as `write_of` takes it.

    Raises:
        ValueError: it holds what JSON cannot, such as a lone surrogate.
    """
    return encode(record)[1:].decode() + "\n"


def hash_of(write: bytes) -> str:
    """What the `prev` of the next write must be."""
    state = hasher()
    state.update(write)
    return state.hexdigest()
