"""What a configuration relies on that stands beside its file: read once, so that all processes act alike.

What stands there next comes into force with `bawn reload` by the owner, as a whole or not at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bawn.app import locked, policies
from bawn.app.locked import Locked
from bawn.config.load import Loaded
from bawn.launching.installed import Installed
from bawn.packages.installed import for_servers
from bawn.policy.rules import RuleSet, Source
from bawn.storage.directory import StateDirectory


@dataclass(frozen=True, slots=True)
class Beside:
    """The policies (None where roles alone decide) and their rules; the packages that servers start from.

    `lock` is what serves by bawn.lock, None where the gate is not locked.
    """

    policy: Source | None
    rules: RuleSet
    installed: Mapping[str, Installed] = field(default_factory=dict)
    lock: Locked | None = None

    def changes_of(self, before: Beside) -> tuple[str, ...]:
        """What differs from before, in words.

        Raises:
            Misconfigured: the policies have lost their rules.
        """
        policies.refuse_emptied(before.policy, self.policy)
        told = (
            ("the policies", self.policy != before.policy),
            ("the installed packages", self.installed != before.installed),
            ("bawn.lock", self.lock != before.lock),
        )
        return tuple(words for words, changed in told if changed)


def read(loaded: Loaded, state: StateDirectory, *, lock: bool = False) -> Beside:
    """What stands there now; with `lock`, only what bawn.lock has is to serve.

    Raises:
        Misconfigured: it cannot be read, or cannot be in force: every problem with its place.
    """
    policy, rules = policies.read(loaded)
    installed = for_servers(loaded.config, state, loaded.base)
    found = locked.read(loaded, state, wanted=lock)
    if found is not None:  # whom it refuses is not even started
        refused = {name: Installed(problem=why) for name, why in found.refused.items()}
        installed = {**installed, **refused}
    return Beside(policy, rules, installed, found)
