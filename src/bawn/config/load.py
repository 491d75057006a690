"""Reading the configuration: a file and the environment become one frozen Config, or every problem."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from pydantic import ValidationError

from bawn.config import document, environment, files, problems, rules
from bawn.config import shape as shapes
from bawn.config.document import Document
from bawn.config.environment import Override
from bawn.config.model import Config
from bawn.config.problems import Problem
from bawn.config.shape import Shape
from bawn.errors import Misconfigured


@dataclass(frozen=True, slots=True)
class Loaded:
    """A configuration, where it came from, and the digest that consent is bound to.

    `digest` is the SHA-256, in hex, of the file's bytes and of every override below `servers`: what
    decides which programs are started.
    """

    config: Config
    path: Path
    digest: str

    @property
    def base(self) -> Path:
        """The directory that relative paths of the file start from."""
        return self.path.parent

    @property
    def state(self) -> Path:
        """The directory of keys, audit and sockets."""
        return self.base / Path(self.config.state).expanduser()


def load(path: Path, environ: Mapping[str, str]) -> Loaded:
    """Read and check a configuration file, with the overrides of the environment.

    Raises:
        Misconfigured: every problem with its place, what was expected, and what to do.
    """
    return parse(read_file(path), path, environ)


def parse(raw: bytes, path: Path, environ: Mapping[str, str]) -> Loaded:
    """The same for content that is, or is about to be, that of the file at `path`.

    Raises:
        Misconfigured: every problem with its place, what was expected, and what to do.
    """
    found = document.read(raw, path.name)
    tree = _without_empty_sections(found.tree, shapes.root())
    overrides, told = environment.apply(tree, environ)
    place = _Places(path.name, found, overrides)
    config, wrong = _validate(tree)
    told = place.tell(wrong) + told
    if config is None or told:
        raise Misconfigured(*told)
    return Loaded(config, Path(os.path.realpath(path)), _digest(raw, overrides))


def check(tree: dict[str, Any]) -> None:
    """Check settings that stand in no file yet.

    Raises:
        Misconfigured: every problem, by its key.
    """
    try:
        _, wrong = _validate(tree)
    except UnicodeEncodeError:  # arguments of a command line can hold any bytes
        raise Misconfigured("not UTF-8; expected plain text") from None
    if wrong:
        raise Misconfigured(*map(str, wrong))


def read_file(path: Path) -> bytes:
    """The bytes of a configuration file.

    Raises:
        Misconfigured: it cannot be read, or is no plain file of a sensible size.
    """
    try:
        return files.read(path, document.MAX_BYTES)[0]
    except FileNotFoundError:
        raise Misconfigured(f"{path}: no such file; write one with `bawn init`") from None
    except (OSError, ValueError) as problem:
        why = getattr(problem, "strerror", None) or "not a usable path"
        raise Misconfigured(f"{path}: cannot be read ({why})") from None


def _validate(tree: dict[str, Any]) -> tuple[Config | None, list[Problem]]:
    wrong = list(rules.check(tree))
    ids_told = any(len(problem.path) == 2 for problem in wrong)
    try:
        # Through JSON, because pydantic's strict mode takes a list for a tuple there, and only there.
        return Config.model_validate_json(msgspec.json.encode(tree)), wrong
    except ValidationError as error:
        found = problems.of(error, tree)
        return None, wrong + [p for p in found if p.path or not ids_told]


def _without_empty_sections(tree: dict[str, Any], shape: Shape) -> dict[str, Any]:
    """A section whose entries are all commented out reads as null; it means an empty one."""
    found = dict(tree)
    for key, value in tree.items():
        inner = shape.child(key)
        if inner is None or inner.kind not in {"section", "map", "list"}:
            continue
        if value is None and not inner.nullable:
            found[key] = [] if inner.kind == "list" else {}
        elif isinstance(value, dict) and inner.kind != "list":
            found[key] = _without_empty_sections(value, inner)
    return found


def _digest(raw: bytes, overrides: Iterable[Override]) -> str:
    digest = hashlib.sha256(raw)
    for override in overrides:
        if override.path[0] == "servers":
            # Neither the file nor a variable can hold a NUL, so the parts cannot run into each other.
            digest.update(f"\0{override.name}=".encode() + msgspec.json.encode(override.value))
    return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class _Places:
    """Where a setting was given: a line of the file, or an environment variable."""

    name: str
    document: Document
    overrides: tuple[Override, ...]

    def tell(self, wrong: Iterable[Problem]) -> list[str]:
        """The problems as lines, in the order of the file."""
        ordered = sorted(wrong, key=lambda problem: self.document.line(problem.path) or 0)
        return [f"{self._place(problem)}: {problem}" for problem in ordered]

    def _place(self, problem: Problem) -> str:
        for override in reversed(self.overrides):
            if problem.path[: len(override.path)] == override.path:
                return f"environment variable {override.name}"
        line = self.document.line(problem.path)
        return f"{self.name}:{line}" if line else self.name
