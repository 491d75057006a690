"""The rules that a command is about: of a directory, or those that the configuration names."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bawn.cli.options import fail, user_config
from bawn.cli.reading import explained, loaded

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bawn.config import Config
    from bawn.config.load import Loaded
    from bawn.model import View
    from bawn.policy.rules import RuleSet, Source
    from bawn.storage import StateDirectory

DirectoryArgument = Annotated[
    Path | None,
    typer.Argument(
        metavar="[DIR]", help="Policy directory. Default: `policy` of the configuration."
    ),
]


@dataclass(frozen=True, slots=True)
class PolicySet:
    """The rules, with what the configuration adds; `source` is None where roles alone decide."""

    source: Source | None
    rules: RuleSet
    config: Config

    @property
    def tenant_of(self) -> Mapping[str, str]:
        """The tenant of each server that has one."""
        servers = self.config.servers.items()
        return {name: server.tenant for name, server in servers if server.tenant}


def chosen(config: Path | None, directory: Path | None) -> tuple[Loaded | None, Path | None]:
    """The configuration, which need not be there with a directory, and the directory. Exits with 2."""
    from bawn.app import policies

    needed = config is not None or directory is None
    there = needed or Path("bawn.yaml").is_file() or user_config().is_file()
    found = loaded(config) if there else None
    if directory is None and found is not None:
        directory = policies.directory(found)
    return found, directory


def policy_set(config: Path | None, directory: Path | None) -> PolicySet:
    """Read the rules; with a directory, a configuration need not be there. Exits with 2."""
    from bawn.config import Config
    from bawn.policy.files import source
    from bawn.policy.files.reading import ruleset

    found, directory = chosen(config, directory)
    settings = found.config if found else Config()
    with explained():
        read = None if directory is None else source.read(directory)
        return PolicySet(read, ruleset(read, settings.approvals.within), settings)


def state_of(found: Loaded) -> StateDirectory:
    """The state directory with an audit in it; exits with 1 when there is none yet."""
    from bawn.storage import StateDirectory

    if not (found.state / "audit").is_dir():
        fail(f"there is no audit in {found.state} yet.", "Start the gate with `bawn up`.")
    with explained():
        return StateDirectory(found.state)


def published(state: StateDirectory) -> View | None:
    """What the running gate offers; None when no gate runs, or it has nothing yet."""
    from bawn.app.places import Places
    from bawn.review import known

    places = Places(state)
    return known.view(places.barrier, places.shelf())


def served(state: StateDirectory) -> View:
    """The same, for what cannot do without; exits with 1."""
    view = published(state)
    if view is None:
        fail("no gate runs that could tell what there is to call.", "Start it with `bawn up`.")
    return view
