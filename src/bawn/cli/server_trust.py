"""`bawn server trust`: how far each server deserves trust, and on what that rests."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from bawn.cli.options import ConfigOption, JsonOption
from bawn.cli.quoting import printable
from bawn.cli.reading import loaded
from bawn.cli.servers import insist_on

if TYPE_CHECKING:
    from bawn.assurance.trust.gathering import Trust
    from bawn.assurance.trust.status import Status
    from bawn.config.load import Loaded

_MARKS = {"verified": "ok", "failed": "FAILED", "unmeasured": "-"}


def trust(
    name: Annotated[
        str | None, typer.Argument(help="Id of the server; default all.", show_default=False)
    ] = None,
    sort: Annotated[
        bool, typer.Option("--sort", help="Those that need somebody first, not by the file.")
    ] = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the trust status: publisher, provenance, signature, pin, scan, vulnerabilities, drift.

    Each is verified, failed or unmeasured; unmeasured is never clean. Exit code 1 when any has failed. (preview)
    """
    found = loaded(config)
    if name is not None:
        insist_on(found, name)
    known = statuses(found)
    told = known.every() if name is None else [known.of(name)]
    if not sort:
        order = list(found.config.servers)
        told.sort(key=lambda each: order.index(each.server))
    if as_json:
        print(json.dumps([each.json() for each in told], indent=2))
    else:
        for line in _lines(told):
            print(line)
    if any(each.of("failed") for each in told):
        raise typer.Exit(1)


def statuses(found: Loaded) -> Trust:
    """What gathers the trust of the servers of a configuration; nothing is made or asked."""
    from bawn.assurance.trust.gathering import Trust, listed_by

    return Trust(found.config, found.base, found.state, listed_by(found.state))


def lines(status: Status) -> Iterator[str]:
    """One status, a line for each question."""
    from bawn.assurance.trust.status import words

    for each in status.evidence:
        age = f" ({words(status.age(each))})" if each.at else ""
        detail = printable(each.detail)
        yield f"  {each.dimension:<15}  {_MARKS[each.verdict]:<6}  {detail}{age}"


def _lines(told: list[Status]) -> Iterator[str]:
    if not told:
        yield "No servers yet. Add one with `bawn server add`."
    for status in told:
        yield f"{status.server}: {status.summary}"
        yield from lines(status)
