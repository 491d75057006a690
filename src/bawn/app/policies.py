"""The policy files of a configuration: read once by the supervisor, so that all processes decide alike.

What they say next comes into force with `bawn reload` by the owner, as a whole or not at all.
"""

from __future__ import annotations

from pathlib import Path

from bawn.config.load import Loaded
from bawn.errors import Misconfigured
from bawn.policy.files import reading, source
from bawn.policy.rules import RuleSet, Source


def directory(loaded: Loaded) -> Path | None:
    """Where the policies are, if any are configured."""
    named = loaded.config.policy
    return None if named is None else loaded.base / Path(named).expanduser()


def refuse_emptied(before: Source | None, after: Source | None) -> None:
    """Let no directory that has lost its rules put the built-in ones in force: half a checkout looks so.

    Raises:
        Misconfigured: there were rules, and the directory is there without any.
    """
    if _has_rules(before) and after is not None and not _has_rules(after):
        raise Misconfigured(
            f"{after.directory}: there is no .cedar file any more, and the rules in force came from "
            "such; expected at least one: restore them, or restart `bawn up` for the built-in ones"
        )


def _has_rules(found: Source | None) -> bool:
    return found is not None and any(name.endswith(".cedar") for name, _ in found.files)


def read(loaded: Loaded) -> tuple[Source | None, RuleSet]:
    """The policies as they stand in their files now, None where roles alone decide; and their rules.

    Raises:
        Misconfigured: they cannot be read, or cannot be in force: every problem with its place.
    """
    place = directory(loaded)
    found = None if place is None else source.read(place)
    return found, reading.ruleset(found, loaded.config.approvals.within)
