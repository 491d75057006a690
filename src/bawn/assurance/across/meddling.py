"""Definitions that speak of another server's tools: what they say there, they say to the model (shadowing)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from bawn.assurance.across.offer import Offer, finding, shown
from bawn.drift.cues import LARGEST, Names, cues
from bawn.drift.said import Said, said
from bawn.findings.finding import Finding
from bawn.model import Json

MOST: Final = 8
"""Other servers' names that are told of one definition."""

_TOKEN: Final = re.compile(r"[A-Za-z0-9_.-]{1,256}")
_SERVER: Final = re.compile(
    r"`([a-z0-9-]{1,32})`|[\"']([a-z0-9-]{1,32})[\"']"
    r"|\b([a-z0-9-]{1,32}) (?:mcp )?server\b|\bserver (?:named |called )?([a-z0-9-]{1,32})\b"
)
_ORDERS: Final = frozenset(("instruction", "concealment"))


def meddling(offers: Sequence[Offer]) -> Iterator[Finding]:
    """Of servers that one caller can reach."""
    owners = _owners(offers)
    ids = frozenset(each.server for each in offers)
    for offer in offers:
        own = offer.names | {offer.prefix + name for name in offer.names}
        foreign = frozenset(name for name in owners if name not in own)
        for aspect, name, definition in offer.texts():
            told = _judged(definition, foreign, ids - {offer.server})
            if told is not None:
                mentioned, ordered = told
                label = f"the {aspect}" if aspect == "instructions" else f"{aspect} `{shown(name)}`"
                yield _told(offer.server, name, label, mentioned, owners, ordered=ordered)


def _owners(offers: Iterable[Offer]) -> dict[str, str]:
    """Whose a name is: the server's own names, and those on the aggregate."""
    found: dict[str, str] = {}
    for offer in offers:
        for name in offer.names:
            found.setdefault(name, offer.server)
            found.setdefault(offer.prefix + name, offer.server)
    return found


def _judged(
    definition: Json, foreign: frozenset[str], ids: frozenset[str]
) -> tuple[list[str], bool] | None:
    """The other servers' names in a definition, and whether they stand in an instruction."""
    mentioned: dict[str, None] = {}
    ordered = False
    names = Names(foreign=foreign)
    for text in _texts(definition):
        if not _may_speak(text.text, foreign, ids):
            continue
        found = list(cues(text, names))
        here = [each.found for each in found if each.kind == "other-tool"]
        here += [f"server {each}" for each in sorted(_servers(text.text) & ids)]
        if here:
            mentioned.update(dict.fromkeys(here))
            ordered = ordered or any(each.kind in _ORDERS for each in found)
    return (list(mentioned), ordered) if mentioned else None


def _texts(definition: Json) -> Iterator[Said]:
    """The texts of a definition, up to as many characters as are looked at of one."""
    left = LARGEST
    for key, value in definition.items():
        for text in said(value, key):
            yield Said(text.text[:left], text.free)
            left -= len(text.text)
            if left <= 0:
                return


def _may_speak(text: str, foreign: frozenset[str], ids: frozenset[str]) -> bool:
    """Whether any word of it is another's: a look at an index, before the words are weighed."""
    if len(text) < 2:
        return False
    tokens = set(_TOKEN.findall(text))
    tokens |= {each.rstrip(".-") for each in tokens}
    return not (tokens.isdisjoint(foreign) and {each.lower() for each in tokens}.isdisjoint(ids))


def _servers(text: str) -> frozenset[str]:
    found = (each for match in _SERVER.finditer(text.lower()) for each in match.groups())
    return frozenset(filter(None, found))


def _told(
    server: str,
    name: str,
    label: str,
    mentioned: Sequence[str],
    owners: Mapping[str, str],
    *,
    ordered: bool,
) -> Finding:
    of = sorted({owners[each] for each in mentioned if each in owners})
    whose = f" of {', '.join(f'`{each}`' for each in of[:MOST])}" if of else ""
    named = ", ".join(f"`{shown(each)}`" for each in mentioned[:MOST])
    more = f" and {len(mentioned) - MOST} more" if len(mentioned) > MOST else ""
    subject = f"{server}/{name}" if name else server
    if ordered:
        return finding(
            "error", "across/shadowing", subject,
            f"{label} of `{server}` tells the model what to do about {named}{more}{whose}",
            "Reject it, unless the servers belong together and you know why it says so.",
        )  # fmt: skip
    return finding(
        "note", "across/mention", subject,
        f"{label} of `{server}` speaks of {named}{more}{whose}",
        "Read it once: it names what is not its own.",
    )  # fmt: skip
