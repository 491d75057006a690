"""`bawn server export`: servers as server.json, for one's own files or for those who come by the gate."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bawn.cli.options import ConfigOption, fail
from bawn.cli.quoting import printable
from bawn.cli.reading import explained, loaded
from bawn.cli.servers import insist_on

if TYPE_CHECKING:
    from bawn.config.load import Loaded
    from bawn.model import Json


def export(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[NAME]...", help="Ids; default: every server that is not disabled."
        ),
    ] = None,
    *,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File to write, in place of printing.")
    ] = None,
    public: Annotated[
        bool, typer.Option("--public", help="As others reach them: through the gate.")
    ] = False,
    config: ConfigOption = None,
) -> None:
    """Print servers as server.json of the official registry: one, or a list of them. (preview)"""
    found = loaded(config)
    for name in names or ():
        insist_on(found, name)
    servers = found.config.servers
    chosen = names or [name for name in servers if servers[name].status != "disabled"]
    with explained():
        trees = [_tree(found, name, public) for name in dict.fromkeys(chosen)]
    whole: Json = (
        trees[0]
        if names and len(trees) == 1
        else {
            "servers": [{"server": tree} for tree in trees],
            "metadata": {"count": len(trees)},
        }
    )
    text = json.dumps(whole, indent=2, ensure_ascii=False) + "\n"
    if output is None:
        print(text, end="")
    else:
        _write(output, text)


def _tree(found: Loaded, name: str, public: bool) -> Json:
    from bawn.errors import Misconfigured, Refused
    from bawn.registry import exporting
    from bawn.registry.collection import of

    try:
        entry = of(found).entry(name)
    except Refused as refused:
        raise Misconfigured(f"{name}: {refused.detail or refused.message}") from None
    base = found.config.base_url
    return exporting.public(entry, base) if public else exporting.private(entry)


def _write(output: Path, text: str) -> None:
    from bawn.config.atomic import replace

    try:
        replace(output, text.encode(), 0o644)
    except OSError as problem:
        fail(f"{printable(str(output))}: cannot be written ({problem.strerror}).", code=2)
