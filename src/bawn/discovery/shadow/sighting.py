"""What every source gives: servers that were seen, and what could not be seen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, Literal, TypeAlias

import msgspec

from bawn.discovery.entry import Entry
from bawn.discovery.secrets import in_arguments, in_text, mask

Source: TypeAlias = Literal[
    "client", "git", "image", "process", "socket", "probe", "cluster", "log"
]
What: TypeAlias = Literal["stdio", "http", "sse", "image"]
Access: TypeAlias = Literal["", "open", "guarded"]

MAX_TEXT: Final = 2048
"""Longest text of a sighting, in characters; what is hostile is often long."""

MAX_WORDS: Final = 256


class Sighting(msgspec.Struct, frozen=True, omit_defaults=True):
    """A server, as one source saw it. Secrets are masked; `secrets` names them.

    `where` is `file:line`, `repository@commit:path`, `image:path`, `pid 42`, `namespace/pod` or `log file`.
    `client` is the id of the client that uses it, `user` whose it is; `since` and `seen` are POSIX times
    (0 unknown), and `count` how often it showed. `access` says whether it answers without credentials, and
    `ours` that it is the gate or a child of its runner.
    """

    source: Source
    what: What
    name: str
    where: str
    command: tuple[str, ...] = ()
    url: str = ""
    client: str = ""
    user: str = ""
    since: float = 0.0
    seen: float = 0.0
    count: int = 1
    pid: int = 0
    parent: int = 0
    access: Access = ""
    ours: bool = False
    disabled: bool = False
    secrets: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()


class Unseen(msgspec.Struct, frozen=True):
    """Something that could not be looked at: it is never the same as nothing being there."""

    source: Source
    where: str
    why: str
    count: int = 1


class Look(msgspec.Struct, frozen=True):
    """What one source found."""

    sightings: tuple[Sighting, ...] = ()
    unseen: tuple[Unseen, ...] = ()


def joined(looks: Iterable[Look]) -> Look:
    """Several looks as one."""
    every = tuple(looks)
    return Look(
        tuple(sighting for look in every for sighting in look.sightings),
        tuple(unseen for look in every for unseen in look.unseen),
    )


def of_entry(
    entry: Entry, source: Source = "client", where: str = "", user: str = "", seen: float = 0.0
) -> Sighting | None:
    """A client's entry as a sighting; None when it says neither what to start nor where to go."""
    what: What
    if entry.transport == "unknown":
        if not entry.command and not entry.url:
            return None
        what = "stdio" if entry.command else "http"
    else:
        what = entry.transport
    return Sighting(
        source=source,
        what=what,
        name=clipped(entry.name),
        where=where or f"{entry.path}:{entry.line}",
        command=clipped_words(entry.command),
        url=clipped(entry.url),
        client=entry.client,
        user=user,
        seen=seen,
        disabled=entry.disabled,
        secrets=tuple(f"{secret.place} {secret.name}" for secret in entry.secrets),
        evidence=(f"{entry.client} configuration ({entry.scope})",),
    )


def masked_command(words: Sequence[str]) -> tuple[str, ...]:
    """A command line with every secret in it replaced by its length."""
    words = [clipped(word) for word in words[:MAX_WORDS]]
    hits = in_arguments(words)
    return tuple(mask(word, found) for word, found in zip(words, hits, strict=True))


def masked_text(text: str) -> str:
    """A text, such as a URL, with every secret in it replaced by its length."""
    text = clipped(text)
    return mask(text, in_text(text))


def clipped(text: str) -> str:
    """The beginning of a text, without characters that a terminal would act on."""
    return "".join(c if c.isprintable() else "\ufffd" for c in text[:MAX_TEXT])


def clipped_words(words: Sequence[str]) -> tuple[str, ...]:
    """The beginning of a command line."""
    return tuple(clipped(word) for word in words[:MAX_WORDS])
