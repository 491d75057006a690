"""The files of a policy directory, read within bounds: at one moment, in one order, as plain text."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from importlib import resources
from pathlib import Path, PurePosixPath
from typing import Final

from bawn.config import files
from bawn.errors import Misconfigured
from bawn.policy.rules import Source

MAX_BYTES: Final = 1 << 20
MAX_TOTAL: Final = 16 << 20
MAX_FILES: Final = 1_000
_MAX_ENTRIES: Final = 20_000

BUILTIN: Final = ("roles", "safe")
ENTITIES: Final = "entities.json"
LABELS: Final = "labels.yaml"
TENANTS: Final = "tenants"
TESTS: Final = "tests"

_TENANT: Final = re.compile(r"[a-z0-9-]{1,32}")
_NEAR: Final = {
    "entities.yaml": ENTITIES,
    "entities.yml": ENTITIES,
    "labels.yml": LABELS,
    "labels.json": LABELS,
}
# What does not print can make a file read otherwise than it decides ("Trojan Source", CVE-2021-42574).
_HIDDEN: Final = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069]"
)


def read(directory: Path) -> Source:
    """The files that count, by path below the directory; others are left alone, as are hidden ones.

    Raises:
        Misconfigured: every problem, and what to do.
    """
    try:
        root = Path(os.path.realpath(directory, strict=True))
        found = sorted(_walk(root)) if root.is_dir() else None
    except (OSError, ValueError) as problem:
        why = getattr(problem, "strerror", None) or "not a usable path"
        raise Misconfigured(
            f"{directory}: cannot be read ({why}); create the directory, or correct `policy`"
        ) from None
    if found is None:
        raise Misconfigured(f"{directory}: expected a directory of policies, and it is a file")
    if len(found) > MAX_FILES:
        raise Misconfigured(
            f"{directory}: {len(found)} files; expected at most {MAX_FILES}, so join some"
        )
    return Source(str(directory), _contents(root, found))


def builtin(name: str) -> Source:
    """A set of rules that comes with bawn: `roles` or `safe`."""
    file = f"{name}.cedar"
    text = resources.files("bawn.policy").joinpath("builtin", file).read_text("utf-8")
    return Source("", ((file, text),))


def tenant_of(file: str) -> str:
    """The tenant whose callers a file's rules are for; empty for rules of everybody."""
    first, *more = PurePosixPath(file).parts
    return more[0] if first == TENANTS and more else ""


def _walk(root: Path) -> Iterator[str]:
    seen = 0
    for place, directories, names in os.walk(root, onerror=_raise):
        below = Path(place).relative_to(root)
        seen += len(directories) + len(names)
        if seen > _MAX_ENTRIES:
            raise Misconfigured(
                f"{root}: more than {_MAX_ENTRIES} entries; expected a directory of policies alone"
            )
        # A directory that is a link is looked at as well: it may stand for one of policies.
        linked = [name for name in directories if (Path(place) / name).is_symlink()]
        directories[:] = [each for each in directories if not each.startswith(".")]
        yield from (
            (below / name).as_posix()
            for name in (*names, *linked)
            if not name.startswith(".") and (name in linked or _counts(below / name))
        )


def _raise(problem: OSError) -> None:
    raise problem


def _counts(path: Path) -> bool:
    if path.suffix.lower() == ".cedar":
        return True
    if path.parts[0] == TESTS:
        return path.suffix in {".yaml", ".yml"}
    return path.name in {ENTITIES, LABELS} or path.name in _NEAR


def _contents(root: Path, names: list[str]) -> tuple[tuple[str, str], ...]:
    problems: list[str] = []
    contents: list[tuple[str, str]] = []
    total = 0
    for name in names:
        try:
            _refuse_place(name)
            text = _text(root, name)
        except Misconfigured as problem:
            problems += problem.problems
            continue
        contents.append((name, text))
        total += len(text)
        if total > MAX_TOTAL:
            problems.append(f"{name}: more than {MAX_TOTAL} bytes up to here, all files together")
            break
    if problems:
        raise Misconfigured(*problems)
    return tuple(contents)


def _refuse_place(name: str) -> None:
    path = PurePosixPath(name)
    if not name.isprintable() or "`" in name:
        raise Misconfigured(f"{name!a}: expected a name of printing characters; rename it")
    if path.name in _NEAR and path.parts[0] != TESTS:
        raise Misconfigured(f"{name}: not read under this name; rename it to {_NEAR[path.name]}")
    if path.suffix.lower() == ".cedar" != path.suffix:
        raise Misconfigured(f"{name}: not read under this name; expected the ending .cedar")
    if path.suffix == ".yml":
        raise Misconfigured(f"{name}: not read under this name; expected the ending .yaml")
    if path.name in {ENTITIES, LABELS} and len(path.parts) > 1 and path.parts[0] != TESTS:
        raise Misconfigured(f"{name}: expected at the top of the directory; move it there")
    if path.suffix != ".cedar":
        return
    if path.parts[0] == TESTS:
        raise Misconfigured(f"{name}: rules do not belong into {TESTS}/; move it out of there")
    if any(part.lower() == TENANTS for part in path.parts[:-1]) and path.parts[0] != TENANTS:
        raise Misconfigured(
            f"{name}: would count for callers of all tenants; expected {TENANTS}/NAME/… at the top"
        )
    if path.parts[0] == TENANTS and (len(path.parts) < 3 or not _TENANT.fullmatch(path.parts[1])):
        raise Misconfigured(
            f"{name}: expected {TENANTS}/NAME/…, the name being 1 to 32 of a-z, 0-9 and hyphen"
        )


def _text(root: Path, name: str) -> str:
    try:
        path = Path(os.path.realpath(root / name, strict=True))
        if not path.is_relative_to(root):
            raise Misconfigured(f"{name}: a link out of the directory; put the file itself there")
        if path.is_dir():
            raise Misconfigured(f"{name}: a link to a directory; put the files themselves there")
        raw = files.read(path, MAX_BYTES, follow=False)[0]
    except OSError as problem:
        raise Misconfigured(
            f"{name}: cannot be read ({problem.strerror or problem}); expected a plain file"
        ) from None
    if len(raw) > MAX_BYTES:
        raise Misconfigured(f"{name}: larger than {MAX_BYTES} bytes; divide it")
    return _decoded(raw, name)


def _decoded(raw: bytes, name: str) -> str:
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        line = raw.count(b"\n", 0, problem.start) + 1
        raise Misconfigured(f"{name}:{line}: not UTF-8; save the file in that encoding") from None
    if hidden := _HIDDEN.search(text):
        line = text.count("\n", 0, hidden.start()) + 1
        raise Misconfigured(
            f"{name}:{line}: the character U+{ord(hidden[0]):04X} does not show, and can make the text "
            "read otherwise than it counts; remove it, or write it as an escape"
        )
    return text
