"""A launch command on its way through the grammar, and what was read of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

import msgspec

from bawn.launching.package import Package
from bawn.launching.problem import Problem, problem

MAX_DEPTH: Final = 8
"""How many commands may stand in one another, such as `env … nice … npx …`."""

_SUFFIXES: Final = (".exe", ".cmd", ".bat", ".com", ".ps1")
_WRITABLE: Final = re.compile(r"(?:/private)?/(?:tmp|var/tmp|dev/shm|run/shm)(?:/|$)")


class Launching(msgspec.Struct, frozen=True):
    """What a command would do. `program` is the script, module or executable, `arguments` are its own.

    `runner` is the name of the grammar that read it (`npx`, `docker`, …), empty for a plain program.
    `package` is None where none is named, or where it is not of a registry.
    """

    runner: str
    package: Package | None = None
    program: str = ""
    arguments: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()

    def beside(self, problems: Iterable[Problem]) -> Launching:
        """The same with further problems, which come first."""
        return msgspec.structs.replace(self, problems=(*problems, *self.problems))

    @property
    def errors(self) -> tuple[Problem, ...]:
        """What keeps it from being started."""
        return tuple(each for each in self.problems if each.level == "error")


@dataclass(frozen=True, slots=True)
class Command:
    """Words of which the first is the program; `at` is its index in the whole command."""

    words: tuple[str, ...]
    read: Reader
    at: int = 0
    depth: int = 0

    @property
    def runner(self) -> str:
        """The program's name: without directory, suffix and capitals."""
        return name_of(self.words[0])

    def inner(self, start: int) -> Launching:
        """What the command that begins at the word of this index would do."""
        return self.nested(self.words[start:], start)

    def nested(self, words: tuple[str, ...], start: int) -> Launching:
        """What a command that this one would start does; it is told of as at `start`."""
        if not words:
            return Launching("", problems=(problem("empty", self.at + start),))
        if self.depth >= MAX_DEPTH:
            return Launching("", problems=(problem("bounds", self.at + start),))
        return self.read(replace(self, words=words, at=self.at + start, depth=self.depth + 1))


Reader: TypeAlias = Callable[[Command], Launching]


def name_of(program: str) -> str:
    """A program's name as its grammar is known by: `/usr/bin/NPX.cmd` is `npx`."""
    name = re.split(r"[/\\]", program)[-1].lower().rstrip(". ")  # as Windows reads it
    for suffix in _SUFFIXES:
        name = name.removesuffix(suffix)
    return name


def is_stream(path: str) -> bool:
    """Whether a script of this path is whatever somebody sends."""
    return path.startswith(("/dev/stdin", "/dev/fd/", "/dev/tty", "/proc/"))


def is_writable(path: str) -> bool:
    """Whether every user may write where this path leads, by its text alone."""
    parts: list[str] = []
    for part in path.replace("\\", "/").split("/"):
        if part == ".." and parts:
            parts.pop()
        elif part not in {"", ".", ".."}:
            parts.append(part)
    return path.startswith("/") and _WRITABLE.match("/" + "/".join(parts)) is not None
