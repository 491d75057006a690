"""`bawn sign init`: the first trust root, and keys for those who have none yet."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bawn.cli.options import fail
from bawn.cli.quoting import printable
from bawn.cli.reading import explained
from bawn.cli.sign_keys import (
    KeyOption,
    PassphraseOption,
    beside,
    judged,
    made,
    opened,
    plain,
    public_key,
    referenced,
)
from bawn.cli.sign_root import DaysOption, thresholds

if TYPE_CHECKING:
    from bawn.signing.root import Entry, Role

DirOption = Annotated[Path, typer.Option("--dir", help="Directory for the root and the keys.")]


def init(
    directory: DirOption = Path("signing"),
    organisation: Annotated[
        str, typer.Option("--organisation", help="Who signs the roots: names, with commas.")
    ] = "organisation",
    publishers: Annotated[
        str,
        typer.Option("--publishers", help="Who signs registry entries; NAME=SERVER limits one."),
    ] = "",
    reviewers: Annotated[
        str, typer.Option("--reviewers", help="Who signs pins and lockfiles.")
    ] = "",
    threshold: Annotated[
        list[str] | None,
        typer.Option("--threshold", help="ROLE=N: how many have to sign; 1 if not said."),
    ] = None,
    days: DaysOption = 365,
    key: KeyOption = None,
    passphrase: PassphraseOption = None,
) -> None:
    """Make version 1 of the trust root, and a key for everybody whose NAME.pub is not in the directory.

    The organisation's keys sign it: those made here, those that lie there, those of --key. (preview)
    """
    from bawn.signing import chain, proposal, rotation
    from bawn.signing.editing import edit

    path = directory / "root.json"
    if path.exists():
        fail(
            f"{printable(str(path))}: there is a trust root already.",
            "`bawn sign root rotate` changes it.",
            code=2,
        )
    named: dict[Role, list[str]] = {
        "organisation": _names(organisation),
        "publisher": _names(publishers),
        "reviewer": _names(reviewers),
    }
    wanted = thresholds(threshold or ())
    for role, number in wanted.items():
        if not 1 <= number <= len(named[role]):
            fail(f"{role}={number}: there are {len(named[role])} keys in this role.", "", code=2)
    with judged(), explained():
        directory.mkdir(parents=True, exist_ok=True)
        edit(directory / ".gitignore", lambda content: content or b"*.key\n.lock\n")
        secret = referenced(passphrase)
        fresh = list(_make_keys(directory, named, secret))
        entries = _entries(directory, named)
        envelope = rotation.first(
            rotation.Changes(entries, (), wanted), time.time(), days * 86_400.0
        )
        lying = (directory / f"{name.split('=')[0]}.key" for name in named["organisation"])
        paths = [*(each for each in lying if each.exists()), *(key or ())]
        content = chain.write([proposal.signed(envelope, opened(paths, passphrase))])
        chain.load(content, time.time())
        edit(path, lambda _: content)
    print(f"wrote {printable(str(path))}: commit it, and set `signing.root` to it")
    for each in fresh:
        print(f"made {printable(str(each))}: give it to its owner alone, and keep no copy")


def _names(text: str) -> list[str]:
    return [each for each in text.split(",") if each]


def _make_keys(
    directory: Path, named: dict[Role, list[str]], secret: bytes | None
) -> Iterator[Path]:
    for name in sorted({plain(each.split("=")[0]) for names in named.values() for each in names}):
        path = directory / f"{name}.key"
        if not beside(path).exists():
            made(path, secret)
            yield path


def _entries(directory: Path, named: dict[Role, list[str]]) -> Sequence[tuple[Role, Entry]]:
    from bawn.signing.root import Entry

    found: list[tuple[Role, Entry]] = []
    limits: dict[str, tuple[str, ...]] = {}
    for each in named["publisher"]:
        name, _, server = each.partition("=")
        if server:
            limits[name] = (*limits.get(name, ()), server)
    for role, names in named.items():
        for name in dict.fromkeys(each.split("=")[0] for each in names):
            key = public_key(beside(directory / f"{name}.key"))
            found.append((role, Entry.of(key, name, "", limits.get(name, ()))))
    return found
