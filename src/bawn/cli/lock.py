"""`bawn lock`: write, check and install what bawn.lock says."""

from __future__ import annotations

import json as jsonlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bawn.cli.locking import known, listed, path_of
from bawn.cli.options import ConfigOption, JsonOption, fail
from bawn.cli.quoting import printable
from bawn.cli.reading import explained, loaded

if TYPE_CHECKING:
    from bawn.assurance.lock.make import Made
    from bawn.assurance.lock.reading import Lock
    from bawn.config.load import Loaded


def lock(
    check: Annotated[
        bool, typer.Option("--check", help="Compare; exits with 1 if something differs.")
    ] = False,
    live: Annotated[
        bool,
        typer.Option("--live", help="Start and reach the servers, and take what they offer now."),
    ] = False,
    install: Annotated[
        bool, typer.Option("--install", help="Install the packages exactly as they are locked.")
    ] = False,
    allow_waiting: Annotated[
        bool, typer.Option("--allow-waiting", help="Lock what is approved, whatever else waits.")
    ] = False,
    trust_config: Annotated[
        bool,
        typer.Option("--trust-config", help="With --live: consent to this configuration, first."),
    ] = False,
    root: Annotated[
        Path | None,
        typer.Option(
            "--root",
            help="With --check: trust root whose reviewers must have signed. Default: `signing.root`.",
            show_default=False,
        ),
    ] = None,
    sarif: Annotated[
        Path | None,
        typer.Option("--sarif", metavar="FILE", help="With --check: write SARIF 2.1.0 there."),
    ] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write bawn.lock beside the configuration: what is approved, for `bawn up --locked`. (preview)"""
    if (install and (check or live or allow_waiting)) or (check and allow_waiting):
        fail("expected one of writing, --check and --install.", "See `bawn lock --help`.", code=2)
    if (trust_config and not live) or (not check and (root is not None or sarif is not None)):
        fail("--trust-config goes with --live; --root and --sarif go with --check.", code=2)
    found = loaded(config)
    with explained():
        if install:
            _install(found, _read(found))
        elif check:
            from bawn.cli.lock_check import run

            run(found, _read(found), live, trust_config, root, sarif, as_json=as_json)
        else:
            _write(found, live, trust_config, allow_waiting, as_json=as_json)


def _read(found: Loaded) -> Lock:
    from bawn.assurance.lock import reading

    path = path_of(found)
    try:
        return reading.read(path)
    except FileNotFoundError:
        fail(f"{printable(str(path))}: no such file.", "`bawn lock` writes it.", code=2)


def _before(found: Loaded) -> Lock | None:
    """The lockfile that will be replaced, as far as it can be read."""
    from bawn.assurance.lock import reading
    from bawn.errors import Misconfigured

    try:
        return reading.read(path_of(found))
    except FileNotFoundError:
        return None
    except Misconfigured as error:
        print(printable(f"bawn: the one that is there is replaced: {error}"), file=sys.stderr)
        return None


def _write(
    found: Loaded, live: bool, trust_config: bool, allow_waiting: bool, *, as_json: bool
) -> None:
    from bawn.assurance.lock import reading
    from bawn.assurance.lock.contents import LARGEST
    from bawn.assurance.lock.make import of_listings, of_records
    from bawn.errors import Misconfigured
    from bawn.signing.editing import edit

    path, before = path_of(found), _before(found)
    on_record = known(found, before)
    if live:
        now = listed(found, trust_config=trust_config)
        made = of_listings(found.config, now.listings, on_record, now.failed)
    else:
        made = of_records(found.config, on_record)
    if before is not None:
        made.keep_times(before.servers)
    content = made.content(before.tree if before else None)
    written = allow_waiting or not made.waiting
    if len(content) > LARGEST:
        raise Misconfigured(f"{path}: would be larger than {LARGEST} bytes; nothing was written")
    if written:
        edit(path, lambda _: content)
    _tell(path, made, reading.parse(content, str(path)), written=written, as_json=as_json)
    if not written:
        raise typer.Exit(1)


def _tell(path: Path, made: Made, lock: Lock, *, written: bool, as_json: bool) -> None:
    items = {name: len(each.pins) for name, each in made.servers.items()}
    if as_json:
        told: dict[str, Any] = {
            "file": str(path),
            "written": written,
            "digest": lock.digest,
            "servers": items,
            "waiting": made.waiting,
        }
        print(jsonlib.dumps(told, indent=2))
        return
    for line in made.waiting:
        print(f"not locked: {printable(line)}")
    if not written:
        fail(
            "nothing was written: not everything is approved.",
            "Approve it (`bawn server diff NAME`), or lock the rest with --allow-waiting; without a gate, "
            "`--live` locks what the servers offer now.",
        )
    print(f"{printable(str(path))}: {len(items)} servers, {sum(items.values())} items")
    print(f"  sha256:{lock.digest}")
    print("Review it, commit it, and sign it with `bawn sign lock`; `bawn up --locked` serves it.")


def _install(found: Loaded, lock: Lock) -> None:
    """Put what is locked into the store, from its digests, for servers that are configured as locked."""
    from bawn.assurance.lock.reach import reach_of
    from bawn.errors import Refused
    from bawn.packages import installed
    from bawn.packages.install import install
    from bawn.packages.store import resolutions
    from bawn.storage.directory import StateDirectory

    state, count = StateDirectory(found.state), 0
    for name, server in found.config.servers.items():
        one = lock.servers.get(name)
        named = installed.package_of(server, found.base)
        if one is None or one.package is None or named is None:
            continue
        if one.reach != reach_of(server):
            fail(f"{name}: is not configured as it is locked.", "`bawn lock --check` shows how.")
        try:
            wanted = installed.wanted(named[1])
            done = install(one.package, state.packages, found.base, wanted=wanted)
            files = resolutions(state)
            files.remove(name)  # whatever was there, this takes its place
            files.update(name, lambda _, done=done: done)  # type: ignore[misc]  # bound on purpose
        except Refused as refused:
            fail(printable(f"{refused.message}: {refused.detail}"), refused.reason.fix)
        count += 1
        print(f"{name}: {printable(str(done.package))} is installed as locked")
    if not count:
        print("No package is locked.")
