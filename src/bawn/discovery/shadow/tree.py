"""A directory tree: the client files of every project in it, and its git repositories."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from bawn.discovery.clients import CLIENTS, Client, Location, Roots
from bawn.discovery.inventory import paths_of, read_file
from bawn.discovery.shadow.homes import of_files
from bawn.discovery.shadow.sighting import Look, Unseen, joined

MAX_DEPTH: Final = 24
MAX_ENTRIES: Final = 500_000
MAX_PROJECTS: Final = 5_000
BUDGET: Final = 60.0
"""Seconds after which no further directory is begun."""

_PASSED: Final = frozenset(
    ["node_modules", "__pycache__", ".venv", "venv", ".tox", ".cache", "proc", "sys", "dev"]
)


@dataclass(slots=True)
class Walked:
    """What a walk came upon."""

    projects: list[Path] = field(default_factory=list)
    repositories: list[Path] = field(default_factory=list)
    unseen: list[Unseen] = field(default_factory=list)


def look(root: Path, roots: Roots) -> tuple[Look, tuple[Path, ...]]:
    """The servers of all projects below a directory, and the git directories there (for `git.py`)."""
    walked = walk(root)
    looks = [_project(path, roots) for path in walked.projects]
    return joined([*looks, Look((), tuple(walked.unseen))]), tuple(walked.repositories)


def walk(root: Path) -> Walked:
    """Find projects and git directories, level by level. Links are not followed."""
    found = Walked()
    deadline = time.monotonic() + BUDGET
    waiting: deque[tuple[Path, int]] = deque([(root, 0)])
    count = 0
    while waiting:
        directory, depth = waiting.popleft()
        if count > MAX_ENTRIES or time.monotonic() > deadline:
            why = "the walk was given up: too many files, or too slow; look at parts of the tree"
            found.unseen.append(Unseen("client", str(root), why, len(waiting) + 1))
            break
        try:
            with os.scandir(directory) as scan:
                names = {entry.name: entry.is_dir(follow_symlinks=False) for entry in scan}
        except OSError as problem:
            why = f"the directory cannot be read ({problem.strerror})"
            found.unseen.append(Unseen("client", str(directory), why))
            continue
        count += len(names)
        _note(found, directory, names)
        if depth < MAX_DEPTH:
            waiting += ((directory / name, depth + 1) for name in sorted(_below(directory, names)))
        elif any(names.values()):
            found.unseen.append(Unseen("client", str(directory), f"deeper than {MAX_DEPTH} levels"))
    return found


def project_locations(clients: Iterable[Client] = CLIENTS) -> Iterator[tuple[Client, Location]]:
    """Every location that is a project's own."""
    for client in clients:
        for location in client.locations:
            if location.root == "project":
                yield client, location


_SIGNS: Final = frozenset(Path(location.path).parts[0] for _, location in project_locations())


def _note(found: Walked, directory: Path, names: dict[str, bool]) -> None:
    if not _SIGNS.isdisjoint(names):
        if len(found.projects) < MAX_PROJECTS:
            found.projects.append(directory)
        else:
            why = f"more than {MAX_PROJECTS} projects"
            found.unseen.append(Unseen("client", str(directory), why))
    if _is_bare(names):
        found.repositories.append(directory)
    elif ".git" in names:  # a directory, or a file in a worktree
        found.repositories.append(directory / ".git")


def _is_bare(names: dict[str, bool]) -> bool:
    return bool(names.get("objects")) and bool(names.get("refs")) and names.get("HEAD") is False


def _below(directory: Path, names: dict[str, bool]) -> Iterator[str]:
    if _is_bare(names):
        return
    at_root = directory == Path(directory.anchor)
    for name, is_directory in names.items():
        passed = name in _PASSED and (at_root or name not in {"proc", "sys", "dev"})
        if is_directory and not passed and name != ".git":
            yield name


def _project(directory: Path, roots: Roots) -> Look:
    found = []
    unseen = []
    seen: set[tuple[str, Path]] = set()
    real = Path(os.path.realpath(directory))
    for client, location in project_locations():
        for path in paths_of(location, roots, directory):
            if (client.id, path) in seen:
                continue
            seen.add((client.id, path))
            target = Path(os.path.realpath(path))
            if not target.is_relative_to(real):
                if path.is_symlink() or target.exists():
                    why = "a link that leads out of the project: it is not followed"
                    unseen.append(Unseen("client", str(path), why))
                continue
            file = read_file(client, path, location.places)
            if file is not None:
                found.append(file)
    return joined([*of_files(found), Look((), tuple(unseen))])
