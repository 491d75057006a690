"""What documents show: their fences, the commands in them, and whether the program would take these."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from typing import Any

import typer.main
from typer.exceptions import TyperException

from bawn.cli import app

_FENCE = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"(?<!`)`(bawn [^`\n]+)`")
_STEP = re.compile(r"^\s*(?:- )?run: (bawn .+)$", re.MULTILINE)
_ENDS = frozenset(("&&", "||", ";", "|"))
_INCOMPLETE = "MissingParameter"


def fenced(language: str, *pages: str) -> list[str]:
    """The fences of this language."""
    return [text for page in pages for kind, text in _FENCE.findall(page) if kind == language]


def whole_commands(page: str) -> Iterator[list[str]]:
    """The command lines of bawn that stand there to be typed: of shells, consoles and pipelines."""
    lines = [line for text in fenced("sh", page) for line in text.splitlines()]
    console = "".join(fenced("console", page))
    lines += [line[2:] for line in console.splitlines() if line.startswith("$ ")]
    lines += _STEP.findall(page)
    for line in lines:
        yield from _commands(line)


def named_commands(page: str) -> Iterator[list[str]]:
    """The commands that running text names, with or without what they need."""
    for text in _INLINE.findall(re.sub(_FENCE, "", page)):
        yield from _commands(text.rstrip("…"))


def _commands(line: str) -> Iterator[list[str]]:
    words: list[str] = []
    for word in [*shlex.split(line, comments=True), ";"]:
        if word not in _ENDS:
            words.append(word)
            continue
        if words[:1] == ["bawn"]:
            yield words
        words = []


def problem(words: list[str], *, whole: bool) -> str:
    """Why the program would not take a command line; only a `whole` one has to have all that it needs."""
    command: Any = typer.main.get_command(app)
    rest = words[1:]
    while hasattr(command, "commands") and rest:
        if rest[0] not in command.commands:
            return f"`{' '.join(words)}`: no command `{rest[0]}`"
        command, rest = command.commands[rest[0]], rest[1:]
    if hasattr(command, "commands"):
        return f"`{' '.join(words)}`: is no command by itself" if whole else ""
    try:
        command.make_context(words[-1], list(rest))
    except TyperException as error:
        if not whole and type(error).__name__ == _INCOMPLETE:
            return ""
        return f"`{' '.join(words)}`: {error}"
    return ""
