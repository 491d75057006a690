"""The generated documents: what the code says of its reasons, settings and commands."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import typer.main

from bawn.cli import app
from bawn.config.schema import TIERS, markdown
from bawn.errors import REASONS
from docs.rules import rules
from docs.spec import spec
from docs.tables import table
from docs.threats import threats

FOLDER: Final = Path(__file__).parent

_TIER: Final = re.compile(rf"\s*\(({'|'.join(TIERS)})\)\s*\Z")

_REASONS: Final = """\
# Reasons

<!-- Generated from src/bawn/errors.py by `make docs`. -->

Every refusal has a reason: an id that stays the same within a major version. The caller finds it in
`error.data.reason`, and beside it `error.data.trace`, by which log and audit are searched. The caller
reads the kind of the refusal, never its cause; the cause stands in the log.

A caller's message may be followed by a colon and what concerns it. Clients of a handshake version
read the codes and statuses of their version: -32002 for a resource that is not known, -32600 where
2026-07-28 has a code of its own, and HTTP 200 for the refusal of a call.
"""

_COMMANDS: Final = """\
# Commands

<!-- Generated from src/bawn/cli by `make docs`. -->

Exit codes: 0 fine, 1 findings or refused, 2 wrong use or configuration. Errors say what happened, what
was expected and the next step, on standard error. Commands that read take `--json`. `NO_COLOR` is
respected. `bawn COMMAND --help` says the same as this page.

`stable` commands keep their name, options and JSON within a major version; `preview` ones may change
with a minor version and a note in the changelog; `experimental` ones may go at any time.
"""


def reasons() -> str:
    """The whole of docs/reasons.md: the reasons in the order of a call, by room."""
    heading = ("Reason", "HTTP", "JSON-RPC", "The caller reads", "What to do")
    rooms: dict[str, list[tuple[str, ...]]] = {}
    for r in REASONS.values():
        row = (f"`{r.id}`", str(r.status), str(r.code), f"{r.message}.", r.fix)
        rooms.setdefault(r.id.partition(".")[0], []).append(row)
    sections = (f"## {room}\n\n{table(heading, rows)}" for room, rows in rooms.items())
    return "\n".join([_REASONS, *sections])


def commands() -> str:
    """The whole of docs/commands.md: the command tree, depth first."""
    return "\n".join([_COMMANDS, *_sections()])


def tier(command: Any) -> str | None:
    """The stability that a command's help ends in."""
    found = _TIER.search(command.help or "")
    return found[1] if found else None


def walk(command: Any, name: str = "bawn") -> Iterator[tuple[str, Any]]:
    """Every command that does something, by its whole name, in the order of `--help`."""
    inner: Mapping[str, Any] | None = getattr(command, "commands", None)
    if inner is None:
        yield name, command
        return
    for word, child in inner.items():
        if not child.hidden:
            yield from walk(child, f"{name} {word}")


def tree() -> Iterator[tuple[str, Any]]:
    """`walk` of the whole program."""
    return walk(typer.main.get_command(app))


def _sections() -> Iterator[str]:
    for name, command in tree():
        text = " ".join(_TIER.sub("", command.help or "").split())
        yield f"## `{name}`\n\n{text}\n\nStability: {tier(command)}.\n"
        rows = [_row(p) for p in command.params if p.name != "help"]
        if rows:
            yield table(("Argument or option", "Default", "Meaning"), rows)


def _row(parameter: Any) -> tuple[str, str, str]:
    spelled = parameter.metavar or parameter.name.upper()
    if parameter.param_type_name == "argument":
        shown = spelled if parameter.metavar else spelled + "..." * (parameter.nargs == -1)
    else:
        value = "" if parameter.is_flag else f" {spelled}"
        shown = "`, `".join((*parameter.opts, *parameter.secondary_opts)) + value
    return f"`{shown}`", _default(parameter), parameter.help or ""


def _default(parameter: Any) -> str:
    if parameter.required:
        return "required"
    return f"`{parameter.default}`" if parameter.default not in (None, False, "", ()) else ""


PAGES: Final[Mapping[str, Callable[[], str]]] = {
    "commands.md": commands,
    "configuration.md": markdown,
    "reasons.md": reasons,
    "rules.md": rules,
    "spec.md": spec,
    "threat-model.md": threats,
}
"""Each generated document, by its name in this folder."""
