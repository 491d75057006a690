"""`bawn server import`: a server of another registry, or of a server.json, into the configuration."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bawn.cli.options import ConfigOption, fail
from bawn.cli.quoting import command_line, printable
from bawn.cli.reading import explained, loaded, on_terminal
from bawn.cli.servers import tell_next

if TYPE_CHECKING:
    from bawn.launching.command import Launching
    from bawn.registry.importing import Proposal
    from bawn.registry.server_json import ServerJson

_SHOWN = 40  # names of a list


def import_server(
    source: Annotated[
        str,
        typer.Argument(
            metavar="URL|FILE|-",
            help="A registry, one server in it (…/v0.1/servers/NAME), or a server.json.",
            show_default=False,
        ),
    ],
    *,
    name: Annotated[
        str | None, typer.Option("--name", help="Id in bawn.yaml; default: from its name.")
    ] = None,
    select: Annotated[
        str, typer.Option("--select", help="Its name, or a part of it, where there are several.")
    ] = "",
    way: Annotated[
        str, typer.Option("--as", help="npm, pypi, oci or remote; default: the first usable.")
    ] = "",
    given: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="Fill in an argument or a variable."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    config: ConfigOption = None,
) -> None:
    """Add a server that a registry or server.json describes, after showing exactly what it would start. (preview)"""
    from bawn.config import edit
    from bawn.discovery.taking.names import free_id
    from bawn.registry.importing import proposals

    found = loaded(config)
    with explained():
        document = _chosen(_read(source, select), source, select)
    taken = {*found.config.servers, "bawn"}
    id_ = name or free_id(document.name.rpartition("/")[2], taken)
    if id_ in taken:
        fail(f"`{printable(id_)}` is taken; choose another with --name.", code=2)
    proposal = _usable(proposals(document, id_, dict(map(_pair, given or ()))), way)
    _show(document, id_, proposal)
    _insist_on_launch(_launching(proposal))
    _ask(yes, f"Add `{id_}`?")
    with explained():
        after = edit.add(found.path, id_, proposal.settings, os.environ)
    tell_next(after, f"Added `{id_}` to {printable(str(after.path))}.")


def _read(source: str, select: str) -> list[Any]:
    from bawn.registry import remote
    from bawn.registry.server_json import parse

    if remote.is_url(source):
        return asyncio.run(remote.fetch(source, select))
    label = "standard input" if source == "-" else source
    tree = parse(_bytes(source), printable(label))
    servers = tree.get("servers") if isinstance(tree, dict) else None
    return servers if isinstance(servers, list) else [tree]


def _bytes(source: str) -> bytes:
    from bawn.config import files
    from bawn.errors import Misconfigured
    from bawn.registry.server_json import LARGEST

    try:
        if source == "-":
            raw = sys.stdin.buffer.read(LARGEST + 1)
        else:
            raw = files.read(Path(source), LARGEST)[0]
    except (OSError, ValueError) as problem:
        why = getattr(problem, "strerror", None) or "not a usable path"
        raise Misconfigured(f"{source}: cannot be read ({why}); expected a server.json") from None
    if len(raw) > LARGEST:
        raise Misconfigured(f"{source}: larger than {LARGEST} bytes; expected a server.json")
    return raw


def _chosen(found: list[Any], source: str, select: str) -> ServerJson:
    """The one document that is meant; a list with several is shown, and left to be chosen from."""
    from bawn.errors import Misconfigured
    from bawn.registry.server_json import convert

    label = printable(source.partition("?")[0])
    trees = [_server(each) for each in found if not _is_deleted(each)]
    names = [str(tree.get("name")) for tree in trees]
    exact = [tree for tree, each in zip(trees, names, strict=True) if each == select]
    alike = [tree for tree, each in zip(trees, names, strict=True) if select in each]
    trees = exact[:1] or alike
    if len(trees) == 1:
        return convert(trees[0], label)
    if not trees:
        raise Misconfigured(f"{label}: no server is named like that")
    told = dict.fromkeys(str(tree.get("name"))[:200] for tree in trees)
    more = f"\n  and {len(told) - _SHOWN} more" if len(told) > _SHOWN else ""
    listed = "".join(f"\n  {printable(each)}" for each in list(told)[:_SHOWN])
    raise Misconfigured(f"{label}: has several servers; say --select NAME:{listed}{more}")


def _server(tree: Any) -> dict[str, Any]:
    """The server.json itself, out of the envelope of a registry."""
    inner = tree.get("server", tree) if isinstance(tree, dict) else None
    return inner if isinstance(inner, dict) else {}


def _is_deleted(tree: Any) -> bool:
    """Whether the registry has taken it back."""
    from bawn.registry.api import OFFICIAL

    meta = tree.get("_meta") if isinstance(tree, dict) else None
    official = meta.get(OFFICIAL) if isinstance(meta, dict) else None
    return isinstance(official, dict) and official.get("status") == "deleted"


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        fail("--set: expected NAME=VALUE.", code=2)
    return name, value


def _usable(found: tuple[Proposal, ...], way: str) -> Proposal:
    """The first that can be carried, of those that are wanted."""
    if way not in {"", "npm", "pypi", "oci", "remote"}:
        fail("--as: expected npm, pypi, oci or remote.", code=2)
    wanted = [each for each in found if way in {"", each.way}]
    for each in wanted:
        if not each.problem:
            return each
    for each in wanted:
        print(f"bawn: {printable(each.shown)}: {printable(each.problem)}", file=sys.stderr)
    what = f"nothing of it is reached by `{way}`" if found else "it has no packages or remotes"
    fail("none of it can be added." if wanted else f"{what}.", "`bawn server add` adds by hand.")


def _show(document: ServerJson, id_: str, proposal: Proposal) -> None:
    settings = proposal.settings
    print(f"{id_}  (from {document.name} {printable(document.version)})")
    for key in ("purpose", "source"):
        if key in settings:
            print(f"    {key}: {printable(settings[key])}")
    command = settings.get("command")
    print(f"    {command_line(command) if command else printable(settings['url'])}")
    for name, value in settings.get("env", {}).items():
        print(f"    with {printable(name)}={printable(value)}")
    for fill in proposal.references:
        told = f": {printable(fill.description)}" if fill.description else ""
        print(f"    to be filled: {fill.variable}, where bawn is started{told}")
    for name in proposal.left_out:
        print(f"    left out: {printable(name)}, which is optional")
    for note in proposal.notes:
        print(f"    note: {printable(note)}")
    if proposal.missing:
        for fill in proposal.missing:
            told = f": {printable(fill.description)}" if fill.description else ""
            print(f"bawn: `{printable(fill.name)}` is missing{told}", file=sys.stderr)
        fail("something has to be filled in.", "Say `--set NAME=VALUE` for each.", code=2)


def _launching(proposal: Proposal) -> Launching | None:
    from bawn.config.server import Server
    from bawn.registry.collection import launching_of

    if "command" not in proposal.settings:
        return None
    command = tuple(proposal.settings["command"])
    return launching_of(Server(command=command, env=proposal.settings.get("env", {})))


def _insist_on_launch(launching: Launching | None) -> None:
    """Show what the launch grammar says, and stop where the gate would not start it."""
    if launching is None:
        return
    for problem in launching.problems:
        print(f"    {problem.level}: {printable(problem.message)} ({problem.kind})")
    if launching.errors:
        fail(
            "the gate would not start this; nothing was added.",
            "If you have read it and want it so, add it by hand with `launch: any`.",
        )


def _ask(yes: bool, question: str) -> None:
    if yes:
        return
    if not on_terminal():
        fail("there is no terminal to ask on.", "Read the above, then say `--yes`.", code=2)
    if not typer.confirm(question, default=False):
        fail("nothing was written.")
