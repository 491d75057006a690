"""What `bawn lock` and its check share: where the file is, what is known, and what servers offer now."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from bawn.cli.options import fail

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bawn.app.listing import Listed
    from bawn.assurance.lock.make import Known
    from bawn.assurance.lock.reading import Lock
    from bawn.config.load import Loaded
    from bawn.launching.installed import Installed


def listed(found: Loaded, *, trust_config: bool) -> Listed:
    """What the servers offer now; says that it starts and reaches them, and needs the owner's consent.

    Raises:
        Misconfigured: they must not be started, or cannot.
    """
    from bawn.app import listing
    from bawn.app.process import ChildFailedError
    from bawn.cli.trust import consent, first_consent
    from bawn.packages.installed import for_servers
    from bawn.storage.directory import StateDirectory
    from bawn.telemetry import logs

    first_consent(found) if trust_config else consent(found)
    servers = found.config.servers
    local = [name for name, each in servers.items() if each.command is not None]
    remote = [name for name in servers if name not in local]
    told = [f"starts {', '.join(local)}"] if local else []
    told += [f"reaches {', '.join(remote)}"] if remote else []
    print(f"bawn: {' and '.join(told) or 'has nothing to start'}, to list once", file=sys.stderr)
    logs.configure("auto", "error", sys.stderr)
    hide: tuple[Path, ...] = ()
    installed: Mapping[str, Installed] = {}
    if found.state.is_dir():
        state = StateDirectory(found.state)
        hide, installed = (state.path,), for_servers(found.config, state, found.base)
    try:
        return listing.run(found, installed, hide)
    except ChildFailedError as error:
        fail(str(error), "`bawn doctor` checks the surroundings.")


def known(found: Loaded, before: Lock | None) -> Known:
    """What is on record here; where no gate has run, what the lockfile says of packages and checks."""
    from bawn.assurance.lock.make import Known
    from bawn.assurance.lock.reach import reach_of
    from bawn.findings.evidence import Evidence
    from bawn.packages.store import resolutions
    from bawn.pins.record import Record
    from bawn.storage.directory import StateDirectory
    from bawn.storage.files import ServerFiles

    if found.state.is_dir():
        state = StateDirectory(found.state)
        evidence = ServerFiles(state.evidence, tuple[Evidence, ...])
        return Known(ServerFiles(state.pins, Record).read, resolutions(state).read, evidence.read)
    same = {
        name: each
        for name, each in (before.servers if before else {}).items()
        if name in found.config.servers and each.reach == reach_of(found.config.servers[name])
    }
    return Known(
        lambda _: None,
        lambda name: same[name].package if name in same else None,
        lambda name: same[name].evidence if name in same else None,
    )


def path_of(found: Loaded) -> Path:
    """Where the lockfile of a configuration is."""
    from bawn.assurance.lock.contents import NAME

    return found.base / NAME
