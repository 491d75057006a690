"""`bawn connect --exclusive`: a client that has bawn, and nothing else; `disconnect` brings the rest back."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from bawn.cli.pointing import refuse
from bawn.cli.quoting import printable

if TYPE_CHECKING:
    from bawn.discovery.clients import Client, Place
    from bawn.discovery.inventory import ClientFile
    from bawn.discovery.pointing.rewrite import Gate, Plan


def planned(clients: list[Client], gate: Gate, directory: Path | None) -> tuple[list[Plan], int]:
    """A plan for each file of these clients, and how many files are refused."""
    from bawn.discovery.documents.spans import Unreadable
    from bawn.discovery.pointing.exclusive import plan_exclusive

    plans: list[Plan] = []
    refused = 0
    project = directory.absolute() if directory else None
    for client in clients:
        found = _files(client, project)
        if found is None:
            refused += 1
            continue
        for file, place in found:
            try:
                plans.append(plan_exclusive(file, gate, place))
            except Unreadable as problem:
                refused += refuse(file.path, problem)
    return plans, refused


def _files(
    client: Client, project: Path | None
) -> tuple[tuple[ClientFile, Place | None], ...] | None:
    """A client's files, with the place for bawn's own entry in one of them; None where it has none."""
    from bawn.discovery.clients import Roots
    from bawn.discovery.inventory import aggregate_target, inventory
    from bawn.discovery.pointing.exclusive import has_ours

    roots = Roots.of(os.environ)
    files = inventory(roots, project, [client])
    if not any(file.found or file.error for file in files):
        return ()
    if not client.writable:
        names = ", ".join(dict.fromkeys(_others(files)))
        print(
            f"bawn: {client.title}: its files are YAML and only read; switch off by hand: "
            f"{printable(names) or 'nothing'}",
            file=sys.stderr,
        )
        return None
    if has_ours(files):
        return tuple((file, None) for file in files)
    target = aggregate_target(client, roots, None, create=True)
    if target is None:
        print(f"bawn: {client.title}: it has no file for an entry of bawn.", file=sys.stderr)
        return None
    file, place = target
    rest = tuple((other, None) for other in files if other.path != file.path)
    return ((file, place), *rest)


def _others(files: tuple[ClientFile, ...]) -> Iterator[str]:
    for file in files:
        for _, entry in file.found:
            if not entry.disabled:
                yield entry.name
