"""`bawn policy suggest`: the least that would have allowed what was seen, to be reviewed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bawn.cli.audited import SinceOption, UntilOption, recorded
from bawn.cli.options import ConfigOption, JsonOption, fail
from bawn.cli.policy_set import served, state_of
from bawn.cli.reading import explained, loaded

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bawn.config.load import Loaded

OutOption = Annotated[
    Path | None,
    typer.Option("--out", metavar="DIR", help="Write the files there, and print nothing."),
]
ForceOption = Annotated[bool, typer.Option("--force", help="Overwrite files that are there.")]


def suggest(
    since: SinceOption = None,
    until: UntilOption = None,
    out: OutOption = None,
    force: ForceOption = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write a least-privilege policy from the calls in the audit, with its tests, as a diff.

    Roles get the tools they used, and prompts and resources of servers of which they used any. (preview)
    """
    from bawn.review.past.suggest import difference
    from bawn.review.past.suggest import suggest as drafted

    found = loaded(config)
    state = state_of(found)
    view = served(state)
    files = drafted(recorded(state, view, since, until), view)
    if not files:
        fail("no call of that time went to a server.", "Use the gate, or choose another time.")
    if as_json:
        print(json.dumps(files, indent=2))
    elif out is None:
        print(difference(files, _there(found, files)), end="")
    if out is not None:
        _write(out, files, force=force)


def _there(found: Loaded, files: Mapping[str, str]) -> dict[str, str]:
    """What the configured policy directory has in the place of these files."""
    from bawn.policy.files import source

    if found.config.policy is None:
        return {}
    with explained():
        read = source.read(found.base / Path(found.config.policy).expanduser())
    return {path: text for path, text in read.files if path in files}


def _write(out: Path, files: Mapping[str, str], *, force: bool) -> None:
    from bawn.config.atomic import replace

    there = sorted(path for path in files if _taken(out / path))
    if there and not force:
        fail(f"{out / there[0]} is there already.", "Choose another --out, or add --force.", code=2)
    try:
        for path, text in files.items():
            (out / path).parent.mkdir(parents=True, exist_ok=True)
            replace(out / path, text.encode(), 0o644)
    except OSError as problem:
        fail(f"{out} cannot be written ({problem.strerror}).", "Some files may be there.", code=2)
    print(
        f"{len(files)} files written; `bawn policy check {out}` and `bawn policy test {out}` next"
    )


def _taken(path: Path) -> bool:
    """Whether anything is there, a link that leads nowhere as well."""
    return path.exists() or path.is_symlink()
