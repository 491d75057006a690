"""The promises of the specification and how each is kept: `docs/spec.md`, from tests/spec."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Final

from tests.spec.manifest import Pages, Requirement, Status, Strength, pages, requirements

from docs.tables import table

_SITE: Final = "https://modelcontextprotocol.io/"

_HEAD: Final = """\
# What the specification asks of a gateway

<!-- Generated from tests/spec by `make docs`. -->

Every MUST and SHOULD of MCP 2026-07-28, and of the handshake versions where clients or servers of theirs
are served, as far as it concerns a gateway; in our own words. `OURS` is what bawn promises where the
specification is silent. Each is tested, diverges with the conflict named, or is somebody else's with the
reason; `open` is none of these yet. The tests stand beside each promise in `tests/spec/requirements`.
Side: as server to clients, as client to servers, or both.
"""


def spec() -> str:
    """The whole of docs/spec.md: a table for each page, in the order of the pages."""
    known, promises = pages(), requirements()
    sections = (_section(code, known, promises) for code in known.pages)
    return "\n".join([_HEAD, _summary(promises), *sections, _left_out(known)])


def _summary(promises: Iterable[Requirement]) -> str:
    counted = Counter((each.strength, each.status) for each in promises)
    strengths: tuple[Strength, ...] = ("MUST", "MUST NOT", "SHOULD", "SHOULD NOT", "OURS")
    statuses: tuple[Status, ...] = ("tested", "diverges", "not ours", "open")
    rows = [(name, *(str(counted[name, status]) for status in statuses)) for name in strengths]
    return table(("", *statuses), rows)


def _section(code: str, known: Pages, promises: Iterable[Requirement]) -> str:
    page = known.pages[code]
    rows = [
        (each.id, each.strength, each.side, each.text, _kept(each))
        for each in promises
        if each.page == code
    ]
    heading = ("Id", "Strength", "Side", "Promise", "Status")
    return f"## {code}: [{page}]({_url(page)})\n\n{table(heading, rows)}"


def _kept(promise: Requirement) -> str:
    why = promise.divergence or promise.not_ours
    return f"{promise.status}: {why}" if why else promise.status


def _url(page: str) -> str:
    elsewhere = page.startswith(("docs/", "extensions/"))
    return f"{_SITE}{page}" if elsewhere else f"{_SITE}specification/{page}"


def _left_out(known: Pages) -> str:
    rows = [(page, why) for page, why in known.left_out.items()]
    return f"## Pages left out\n\n{table(('Page', 'Why'), rows)}"
