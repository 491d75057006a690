"""`bawn scan`: what the MCP clients of this machine start; nothing is started, nothing is sent."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bawn.cli.options import JsonOption
from bawn.cli.quoting import command_line, printable

if TYPE_CHECKING:
    from bawn.discovery.entry import Entry
    from bawn.discovery.inventory import ClientFile


def scan(
    directory: Annotated[
        Path, typer.Option("--dir", help="Project whose own files are looked at too.")
    ] = Path(),
    as_json: JsonOption = False,
) -> None:
    """List every MCP server that your clients would start, with its exact command and its inline secrets.

    Reads files, and does nothing else. Exit code 1 when secrets stand in the files. (stable)
    """
    from bawn.discovery.clients import Roots
    from bawn.discovery.inventory import inventory

    found = inventory(Roots.of(os.environ), directory.absolute())
    if as_json:
        print(json.dumps(as_tree(found), indent=2))
    else:
        for file in found:
            _show(file)
        _sum_up(found)
    if any(entry.secrets for file in found for entry in file.entries):
        raise typer.Exit(1)


def describe(entry: Entry) -> str:
    """How an entry reaches its server: the exact command, or the URL."""
    return command_line(entry.command) if entry.command else printable(entry.url) or "?"


def as_tree(found: Sequence[ClientFile]) -> dict[str, Any]:
    """The inventory for programs."""
    return {
        "servers": [_entry_tree(file, entry) for file in found for entry in file.entries],
        "unreadable": [
            {"client": file.client.id, "file": str(file.path), "error": file.error}
            for file in found
            if file.error
        ],
    }


def _entry_tree(file: ClientFile, entry: Entry) -> dict[str, Any]:
    return {
        "client": file.client.id,
        "scope": entry.scope,
        "project": entry.project or None,
        "file": str(entry.path),
        "line": entry.line,
        "name": entry.name,
        "transport": entry.transport,
        "command": list(entry.command) or None,
        "url": entry.url or None,
        "env": list(entry.env),
        "headers": list(entry.headers),
        "secrets": [
            {"place": secret.place, "name": secret.name, "length": secret.length}
            for secret in entry.secrets
        ],
        "disabled": entry.disabled,
        "problem": entry.problem or None,
    }


def _show(file: ClientFile) -> None:
    if not file.error and not file.entries:
        return
    print(f"{file.client.title}: {printable(str(file.path))}")
    if file.error:
        print(f"  not usable: {printable(file.error)}")
    width = max((len(printable(entry.name)) for entry in file.entries), default=0)
    for entry in file.entries:
        marks = f" [{entry.scope}]" if entry.scope != "user" else ""
        marks += " [disabled]" if entry.disabled else ""
        print(f"  {printable(entry.name):{width}}  {entry.transport:7}  {describe(entry)}{marks}")
        for line in _notes(entry):
            print(f"  {'':{width}}  {line}")
    print()


def _notes(entry: Entry) -> list[str]:
    notes = [f"for {printable(entry.project)}"] if entry.project else []
    notes += [printable(str(secret)) for secret in entry.secrets]
    if entry.problem:
        notes.append(f"line {entry.line}: {printable(entry.problem)}")
    return notes


def _sum_up(found: Sequence[ClientFile]) -> None:
    entries = [entry for file in found for entry in file.entries]
    secrets = sum(len(entry.secrets) for entry in entries)
    clients = {entry.client for entry in entries}
    if not entries:
        print("No client of this machine has an MCP server in the files that were looked at.")
        return
    print(
        f"{_count(len(entries), 'server')} in {_count(len(clients), 'client')},"
        f" {_count(secrets, 'inline secret')}."
    )
    print("Next: `bawn init` writes a configuration with them, secrets moved out of sight.")


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
