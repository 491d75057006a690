"""`bawn connect --managed DIR`: the administrator's files, to be rolled out to every machine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bawn.cli.options import fail
from bawn.cli.pointing import ask, files
from bawn.cli.quoting import printable

if TYPE_CHECKING:
    from bawn.config.model import Config
    from bawn.discovery.clients import Client
    from bawn.discovery.pointing.managed import Managed
    from bawn.discovery.pointing.rewrite import Gate


def write_managed(
    directory: Path,
    clients: list[Client],
    gate: Gate,
    config: Config,
    *,
    yes: bool,
    dry_run: bool,
) -> None:
    """Write the files of those clients that have any, after showing them, and tell which have none."""
    from bawn.discovery.pointing import managed

    chosen = {client.id for client in clients}
    found = [file for file in managed.files(gate, config) if file.client in chosen]
    for file in found:
        _show(directory, file)
    have = {file.client for file in found}
    for client in clients:
        if client.id not in have:
            why = managed.WITHOUT.get(client.id, "nothing of the kind is documented")
            why = managed.needs_open_registry(config) if client.id == "vscode" else why
            print(f"{client.title}: no file: {why}.")
    if not found:
        print("Nothing to write.")
        return
    if dry_run:
        return
    ask(yes, f"Write {files(len(found))} below {printable(str(directory))}?")
    for file in found:
        _write(directory / file.path, file.content)
    print("Copy each to its place, owned by the administrator and writable by nobody else.")


def _show(directory: Path, file: Managed) -> None:
    path = directory / file.path
    print(f"{printable(str(path))}  → {file.linux} (macOS: {file.macos})")
    if file.note:
        print(f"  {file.note}")
    for line in file.content.splitlines():
        print(f"  {printable(line)}")
    print()


def _write(path: Path, content: str) -> None:
    from bawn.config import atomic

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        atomic.replace(path, content.encode(), 0o644)
    except OSError as problem:
        fail(f"{printable(str(path))}: cannot be written ({problem.strerror}).", code=2)
