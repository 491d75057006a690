"""Launch commands of package runners: no silent installs, and a word about versions that float."""

from __future__ import annotations

from collections.abc import Sequence

from bawn.launching.grammar import read


def without_surprise(command: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The command without a runner's consent to install, and notes about versions that float."""
    launching = read(command, {})
    found = launching.problems
    # Inside a container nothing is installed yet, and nobody is there to ask.
    consents = {
        each.at
        for each in found
        if each.kind == "launch/consent" and launching.runner in {"npx", "npm exec"}
    }
    kept = tuple(
        word for at, word in enumerate(command) if at not in consents or word not in {"-y", "--yes"}
    )
    floating = dict.fromkeys(
        f"{each.message}; {each.fix}"
        for each in found
        if each.kind in {"launch/floating", "launch/remote"}
    )
    return kept, tuple(floating)
