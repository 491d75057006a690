"""`bawn scan`: what servers would do, told by reading; nothing is started unless `--live` says so."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from bawn.cli.options import ConfigOption, JsonOption, fail
from bawn.cli.quoting import command_line, printable
from bawn.cli.reading import explained

if TYPE_CHECKING:
    from bawn.discovery.entry import Entry
    from bawn.discovery.inventory import ClientFile


def scan(
    directory: Annotated[
        Path | None,
        typer.Option(
            "--dir",
            help="Project whose own files are looked at too; default the current directory.",
            show_default=False,
        ),
    ] = None,
    config: ConfigOption = None,
    server: Annotated[
        str | None, typer.Option("--server", help="Only this server of the configuration.")
    ] = None,
    url: Annotated[
        str | None, typer.Option("--url", help="A remote server; needs --live, for it is asked.")
    ] = None,
    tools: Annotated[
        list[Path] | None,
        typer.Option("--tools", metavar="FILE", help="A saved tools/list result; repeatable."),
    ] = None,
    lock: Annotated[
        Path | None, typer.Option("--lock", metavar="FILE", help="The servers of a bawn.lock.")
    ] = None,
    live: Annotated[
        bool,
        typer.Option(
            "--live", help="Start or reach the servers of --config or --url, and ask them."
        ),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="With --live: do not ask.")] = False,
    database: Annotated[
        str | None,
        typer.Option(
            metavar="WHERE",
            help="URL of an OSV API, or a directory or .zip of OSV records; default `vulnerabilities.database`.",
        ),
    ] = None,
    fail_on: Annotated[
        Literal["error", "warning", "note"],
        typer.Option("--fail-on", help="Exit code 1 from findings of this level on."),
    ] = "warning",
    as_json: JsonOption = False,
    sarif: Annotated[
        Path | None,
        typer.Option("--sarif", metavar="FILE", help="Write SARIF 2.1.0 there; `-` for here."),
    ] = None,
    markdown: Annotated[
        Path | None,
        typer.Option("--markdown", metavar="FILE", help="Write Markdown there; `-` for here."),
    ] = None,
) -> None:
    """Look at MCP servers: launch commands, secrets, definitions, vulnerabilities, permissions, each other.

    Without a target: every server that your clients would start. Reads files, and does nothing else; only
    with --live are servers started or reached, after their commands were shown. Exit code 1 when there are
    findings, secrets among them. (stable)
    """
    from bawn.app.compiling import keep_compiled
    from bawn.assurance.scanning.examine import at_least
    from bawn.cli.scan_report import Report, write
    from bawn.cli.scan_targets import Asked, gather

    keep_compiled()
    if [as_json, str(sarif) == "-", str(markdown) == "-"].count(True) > 1:
        fail(
            "expected one of --json, --sarif - and --markdown -, for they share the output.", code=2
        )
    asked = Asked(directory, config, server, url, tuple(tools or ()), lock, live, yes, database)
    with explained():
        scanned = gather(asked)
    findings = scanned.findings
    quiet = write(Report(findings, len(scanned.targets)), sarif, markdown)
    if as_json:
        print(json.dumps(scanned.tree(as_tree(scanned.files)), indent=2))
    elif not quiet:
        if scanned.clients:
            for file in scanned.files:
                _show(file)
        for line in scanned.lines():
            print(line)
        if scanned.clients:
            _sum_up(scanned.files)
    if at_least(findings, fail_on):
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
