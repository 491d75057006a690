"""`launch: checked`: a server whose command breaks the launch grammar is not started."""

from __future__ import annotations

from typing import Final

from bawn.config.server import Server
from bawn.launching.grammar import read

_LOOK_THERE_FIRST: Final = frozenset(["npx", "npm exec", "npm x", "bunx", "bun x"])
"""Runners that take a package of the directory's own `node_modules` before that of the registry."""


def refuse(name: str, server: Server) -> tuple[str, ...]:
    """Why this server is not started, one line each: where, what is wrong, what to do. Empty when it may be."""
    if server.command is None or server.launch == "any" or server.status == "disabled":
        return ()
    errors = read(server.command, server.env, server.cwd or "").errors
    lines = []
    for each in errors:
        place = f"command[{each.at}]" if isinstance(each.at, int) else f"env.{each.at}"
        lines.append(
            f"servers.{name}.{place}: {each.message}; {each.fix}; or, "
            "if you have read it and want it as it is, set `launch: any` for this server"
        )
    return tuple(dict.fromkeys(lines))


def refuse_in_project(name: str, server: Server) -> str:
    """Why this server is not started in a caller's project; empty when it may be.

    What lies there is whoever's the project is: it would be started in the package's place, with its secrets.
    """
    if server.command is None or server.launch == "any" or server.cwd is not None:
        return ""
    launching = read(server.command, server.env)
    if launching.runner in _LOOK_THERE_FIRST:
        return (
            f"servers.{name}: with `isolation: project`, {launching.runner} runs what the project's own "
            f"`node_modules` has under the package's name; `bawn server install {name}` installs the one that "
            "is meant, or set `launch: any` if the project is to choose"
        )
    own = server.command[1 : len(server.command) - len(launching.arguments)]
    if launching.runner == "python" and "PYTHONSAFEPATH" not in server.env and _from_here(own):
        return (
            f"servers.{name}: with `isolation: project`, `-m` takes a module of the project's directory before "
            "the installed one; write `-P -m` (Python 3.11), or set `launch: any` if the project is to choose"
        )
    return ""


def _from_here(words: tuple[str, ...]) -> bool:
    """Whether Python would look for a module in the directory that it is started in (`-m` without `-P` or `-I`)."""
    for word in words:
        letters, module, _ = word[1:].partition("m") if word[:1] == "-" else ("", "", "")
        if letters[:1] in {"X", "W", "-"} or not word.startswith("-"):
            continue
        if "P" in letters or "I" in letters:
            return False
        if module:
            return True
    return False
