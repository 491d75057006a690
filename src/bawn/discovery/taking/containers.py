"""Container commands: secrets given as `-e NAME=VALUE` become variables that the container inherits."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath

from bawn.discovery.secrets import in_pair

_RUNNERS = frozenset({"docker", "podman", "nerdctl"})
_OPTIONS = ("-e", "--env")


def inherited(command: Sequence[str]) -> tuple[tuple[str, ...], dict[str, str]]:
    """The command with the names of such variables only, and the variables."""
    if not command or PurePath(command[0]).name not in _RUNNERS:
        return tuple(command), {}
    words: list[str] = []
    env: dict[str, str] = {}
    for word in command:
        option = words[-1] if words and words[-1] in _OPTIONS else ""
        prefix = "" if option else next((f"{o}=" for o in _OPTIONS if word.startswith(f"{o}=")), "")
        name, equals, value = word.removeprefix(prefix).partition("=")
        if (option or prefix) and equals and in_pair(name, value):
            env[name] = value
            words.append(prefix + name)
        else:
            words.append(word)
    return tuple(words), env
