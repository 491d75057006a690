"""`bawn discover --adopt`: move servers of clients behind the gate, shown first and taken back by `disconnect`."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

import typer

from bawn.cli.init import into_files, into_keyring
from bawn.cli.init import show as show_servers
from bawn.cli.options import fail
from bawn.cli.pointing import ask, carried_out, program, show
from bawn.cli.quoting import printable
from bawn.cli.reading import explained
from bawn.cli.servers import tell_next

if TYPE_CHECKING:
    from bawn.config.load import Loaded
    from bawn.discovery.pointing.rewrite import Gate, Plan
    from bawn.discovery.taking.adoption import Adoption, Chosen
    from bawn.discovery.taking.importing import Imported
    from bawn.discovery.telling.registered import Registered
    from bawn.discovery.telling.survey import Scope


def adopt_servers(
    found: Loaded,
    registered: Registered,
    scope: Scope,
    names: Sequence[str],
    *,
    keyring: bool,
    yes: bool,
) -> None:
    """Move the servers of these names behind the gate, or all of them when none is named."""
    from bawn.discovery.taking.adoption import plan_adoption

    chosen = list(_chosen(found, registered, scope, names))
    _insist_on(names, chosen)
    with explained():
        adoption = plan_adoption(
            chosen, lambda servers: _gate(found, servers), _refer(found, keyring),
            tuple(found.config.servers),
        )  # fmt: skip
    _show(found, adoption)
    changing = [plan for plan in adoption.plans if plan.changes]
    if not changing:
        print("Nothing to move.")
        raise typer.Exit(1 if adoption.refusals else 0)
    ask(yes, "Add these to bawn.yaml, let the gate start them, and point the clients at it?")
    with explained():
        _insist_unchanged(changing)
        after = _add(found, adoption.servers, keyring)
        failed = _point(changing)
    if adoption.servers:
        tell_next(after, f"Added {len(adoption.servers)} to {printable(str(after.path))}.")
    print("Restart the clients. `bawn disconnect` takes back what was done to their files.")
    if adoption.refusals or failed:
        raise typer.Exit(1)


def _chosen(
    found: Loaded, registered: Registered, scope: Scope, names: Sequence[str]
) -> Iterator[Chosen]:
    """The entries that are meant; look-alikes only where they are named."""
    from bawn.discovery.entry import launch_of
    from bawn.discovery.inventory import inventory
    from bawn.discovery.shadow.sighting import of_entry
    from bawn.discovery.taking.adoption import Chosen
    from bawn.discovery.taking.matching import same_server

    for file in inventory(scope.roots, scope.project):
        for slot, entry in file.found:
            seen = of_entry(entry)
            if seen is None or registered.is_gate(seen):
                continue
            match = registered.match(seen)
            if names and entry.name not in names and (match is None or match.id not in names):
                continue
            alike = registered.alike(seen) if match is None else ()
            if not names and (entry.disabled or alike):
                _skip(entry.name, alike or ("it is switched off",))
                continue
            for why in alike:
                print(f"warning: {printable(entry.name)}: {printable(why)}")
            launch = launch_of(file.client, slot.value)
            servers = found.config.servers.items()
            same = (id_ for id_, known in servers if same_server(launch, known, found.base))
            yield Chosen(file, slot, entry, next(same, ""))


def _skip(name: str, why: Sequence[str]) -> None:
    print(f"left as it is: {printable(name)} ({printable('; '.join(why))})")


def _insist_on(names: Sequence[str], chosen: Sequence[Chosen]) -> None:
    known = {each.slot.name for each in chosen}
    for name in names:
        if name not in known and not any(each.server == name for each in chosen):
            fail(
                f"no client of yours has a server `{printable(name)}` that is not behind the gate.",
                "`bawn discover` shows them; one that only runs is added with `bawn server add`.",
                code=2,
            )


def _refer(found: Loaded, keyring: bool) -> Callable[[str], str]:
    state = found.config.state
    place = str(found.state) if state.startswith("~") else state.rstrip("/")
    kind = "keyring:" if keyring else f"file:{place}/secrets/"
    return lambda name: f"${{{kind}{name}}}"


def _with(found: Loaded, servers: Sequence[Imported]) -> Loaded:
    """The configuration as it will be.

    Raises:
        Misconfigured: it would not load, or a server would get bawn's own files.
    """
    from bawn.config import edit
    from bawn.config.load import parse, read_file
    from bawn.config.roots import refuse_roots

    raw = read_file(found.path)
    for server in servers:
        raw = edit.added(raw, found.path.name, server.id, server.settings)
    after = parse(raw, found.path, os.environ)
    refuse_roots(after)
    return after


def _gate(found: Loaded, servers: Sequence[Imported]) -> Gate:
    from bawn.discovery.pointing.rewrite import Gate

    return Gate(program(), found.path, _with(found, servers).config.servers)


def _show(found: Loaded, adoption: Adoption) -> None:
    """The exact commands, what is added to bawn.yaml, and the difference in each client's file."""
    from bawn.config.render import rendered

    if adoption.servers:
        show_servers(adoption.servers)
        path = printable(str(found.path))
        print(f"\n--- {path}\n+++ {path}, with what is adopted")
        for server in adoption.servers:
            for line in rendered({server.id: server.settings}):
                print(f"+  {printable(line)}")
        print()
    for plan in adoption.plans:
        show(plan)
    for refusal in adoption.refusals:
        where = printable(refusal.where)
        why = printable(refusal.why)
        print(f"bawn: {printable(refusal.name)} ({where}): {why}", file=sys.stderr)


def _insist_unchanged(plans: Sequence[Plan]) -> None:
    """Nothing is written anywhere when one of the files is not what was shown any more.

    Raises:
        Misconfigured: one has changed.
    """
    from bawn.discovery.documents import files
    from bawn.discovery.documents.spans import Unreadable
    from bawn.errors import Misconfigured

    for plan in plans:
        try:
            now = files.read(plan.snapshot.target) if plan.snapshot else None
        except Unreadable:
            now = None
        if plan.snapshot is None or now is None or now.raw != plan.snapshot.raw:
            raise Misconfigured(
                f"{plan.path}: changed in the meantime: nothing was written, look at the difference again"
            )


def _add(found: Loaded, servers: Sequence[Imported], keyring: bool) -> Loaded:
    """Write secrets and servers; those before a failure are taken out again.

    Raises:
        Misconfigured: something cannot be written; bawn.yaml is as it was.
    """
    from bawn.config import edit, trust
    from bawn.errors import Misconfigured

    # Whoever had consented, or had nothing to consent to, has now seen these commands and agreed.
    consented = not trust.needs_consent(found.config) or trust.is_trusted(found.path, found.digest)
    secrets = {name: value for server in servers for name, value in server.secrets.items()}
    (into_keyring if keyring else into_files)(secrets, found)
    after = found
    done: list[str] = []
    try:
        for server in servers:
            after = edit.add(found.path, server.id, server.settings, os.environ)
            done.append(server.id)
    except Misconfigured:
        for name in done:
            edit.remove(found.path, name, os.environ)
        raise
    if consented and servers:
        trust.record(after.path, after.digest)
    return after


def _point(plans: Sequence[Plan]) -> int:
    """Rewrite the clients' entries; how many files were refused."""
    from bawn.discovery.pointing.journal import Journal, default_path
    from bawn.discovery.pointing.rewrite import apply

    journal = Journal(default_path(os.environ))
    return carried_out((plan.path, partial(apply, plan, journal)) for plan in plans)
