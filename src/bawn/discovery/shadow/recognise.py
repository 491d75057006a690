"""Telling an MCP server by its command line, its image or its package's name."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Final

from bawn.launching import grammar

SDK_NPM: Final = "@modelcontextprotocol/sdk"
SDKS_PYPI: Final = frozenset(["mcp", "fastmcp"])

_WORDS: Final = 12
"""How far into a command line a program or package is looked for."""

# `mcp` as a word of its own in a name: mcp-server-git, github-mcp-server, mcp_server_time, foo-mcp.
_NAME: Final = re.compile(r"(?:^|[-_./@:])(?:mcp[-_]?server|server[-_]mcp|mcp)(?:$|[-_./@:=])")
_NO_SERVER: Final = re.compile(r"mcp[-_.]?(?:client|config|settings|inspector|cli|log|json)")
_RUNNERS: Final = frozenset(
    [
        *("npx", "npm", "pnpm", "yarn", "node", "tsx", "bun", "bunx", "deno", "uv", "uvx", "pipx"),
        *("docker", "podman", "java", "ruby", "dotnet", "sh", "bash", "env"),
    ]
)
_PYTHON: Final = re.compile(r"python[0-9.]*$")
_ASSIGNED: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=(?!=)")
_SERVING: Final = frozenset(["run", "dev"])
_PATH_TAIL: Final = 3  # components of a path that may name the package


def server_in(command: Sequence[str]) -> str:
    """The name of the server that a command line starts; empty when it is not recognised as one."""
    if not command:
        return ""
    program = _base(command[0])
    if program in SDKS_PYPI:
        return _by_sdk(program, command[1:])
    if name := _named(command[0]):
        return name
    if program in _RUNNERS or _PYTHON.match(program):
        return _started(command[1 : 1 + _WORDS]) or _launched(command)
    return ""


def _launched(command: Sequence[str]) -> str:
    """By the launch grammar: the package or program, however far behind options it stands."""
    launch = grammar.read(command, {})
    package = launch.package
    if package is not None and package.ecosystem == "oci":
        return image_server(package.name)
    return _named(package.name if package is not None else launch.program)


def _started(words: Sequence[str]) -> str:
    for at, word in enumerate(words):
        if word.startswith("-") or _ASSIGNED.match(word):
            continue
        if _base(word) in SDKS_PYPI and (found := _by_sdk(_base(word), words[at + 1 :])):
            return found
        if name := _named(word):
            return name
    return ""


def _by_sdk(program: str, words: Sequence[str]) -> str:
    """`fastmcp run server.py`, `mcp run server.py`: the file is the server."""
    if not words or words[0] not in _SERVING:
        return ""
    rest = [word for word in words[1:] if not word.startswith("-")]
    return PurePosixPath(rest[0]).stem if rest else program


def _named(word: str) -> str:
    """The server's name in a word that is a package, a program, a module or a path to one."""
    if "://" in word or len(word) > 1024:
        return ""
    if "@modelcontextprotocol/server-" in word:
        return _clean(word[word.index("@modelcontextprotocol/server-") :])
    tail = word.split("/")[-_PATH_TAIL:] if word.startswith((".", "/", "~")) else [word]
    for part in reversed(tail):
        lower = part.lower()
        if _NAME.search(lower) and not _NO_SERVER.search(lower):
            return _clean(part)
    return ""


def image_server(image: str) -> str:
    """The server in a container image of this name; empty when it does not look like one."""
    repository = image.partition("@")[0]
    head, _, last = repository.rpartition("/")
    name = f"{head}/{last.partition(':')[0]}" if head else last.partition(":")[0]
    parts = name.lower().split("/")
    if "mcp" in parts[:-1] or any(_NAME.search(part) for part in parts[-2:]):
        return parts[-1]
    return ""


def _clean(word: str) -> str:
    """Without path, version and the ending of a script."""
    scope, slash, name = word.rpartition("/") if word.startswith("@") else ("", "", _base(word))
    name = re.split(r"[@=<>~!\[]", name, maxsplit=1)[0]
    return f"{scope}{slash}{name.removesuffix('.js').removesuffix('.py').removesuffix('.mjs')}"


def _base(word: str) -> str:
    return word.rpartition("/")[2]
