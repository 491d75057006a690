"""Client files in git repositories: read from the objects, nothing checked out, nothing of theirs run.

A repository's own configuration can name programs (hooks, file system monitors, text conversion, transports).
Only plumbing that runs none of them is used (`for-each-ref`, `ls-tree`, `cat-file --batch`), every transport
is forbidden so that missing objects are not fetched, and what could be configured is set on the command line.
"""

from __future__ import annotations

import fnmatch
import os
import select
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from bawn.discovery.clients import Client, Place
from bawn.discovery.inventory import understood
from bawn.discovery.shadow.sighting import Look, Sighting, Unseen, clipped, joined, of_entry
from bawn.discovery.shadow.tree import project_locations

MAX_REFS: Final = 256
MAX_FILES: Final = 2_000
MAX_BYTES: Final = 4 << 20
"""Largest client file that is read from a repository."""

MAX_LISTING: Final = 64 << 20
TOO_LARGE: Final = (
    f"missing, larger than {MAX_BYTES >> 20} MiB, or beyond what is read of a repository"
)
TIMEOUT: Final = 30.0

_SAFE: Final = [
    "-c",
    "core.fsmonitor=false",
    "-c",
    "core.hooksPath=/dev/null",
    "-c",
    "core.pager=cat",
    "-c",
    "core.sshCommand=false",
    "-c",
    "core.askPass=false",
    "-c",
    "credential.helper=",
    "-c",
    "protocol.allow=never",
    "-c",
    "safe.directory=*",
    "-c",
    "core.attributesFile=/dev/null",
    "-c",
    "core.untrackedCache=false",
]
_ENVIRONMENT: Final = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_SYSTEM": "/dev/null",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_ALLOW_PROTOCOL": "none",
    "GIT_ATTR_NOSYSTEM": "1",
    "HOME": "/nonexistent",
    "LC_ALL": "C",
}


class _File(NamedTuple):
    path: str
    object: str
    ref: str


class _Failed(Exception):
    """git did not do as it was asked; the text says why."""


def look(directories: Iterable[Path], *, branches: bool = False) -> Look:
    """The servers in the client files of repositories: at HEAD, or with `branches` of every branch.

    A directory is a git directory: `.git`, or a bare repository.
    """
    return joined(_of(directory, branches=branches) for directory in directories)


def _of(directory: Path, *, branches: bool) -> Look:
    deadline = time.monotonic() + TIMEOUT
    try:
        refs, more = _refs(directory, deadline) if branches else (("HEAD",), False)
        files = {
            (file.object, file.path): file
            for ref in reversed(refs)
            for file in _listed(directory, ref, deadline)
        }
        chosen = tuple(files.values())[:MAX_FILES]
        contents = _contents(directory, [file.object for file in chosen], deadline)
    except _Failed as problem:
        return Look((), (Unseen("git", str(directory), str(problem)),))
    looks = [_read(directory, file, contents.get(file.object)) for file in chosen]
    left = len(files) - len(chosen)
    unseen = [Unseen("git", str(directory), f"more than {MAX_FILES} files", left)] if left else []
    unseen += [Unseen("git", str(directory), f"more than {MAX_REFS} branches")] if more else []
    return joined([*looks, Look((), tuple(unseen))])


def _refs(directory: Path, deadline: float) -> tuple[tuple[str, ...], bool]:
    count = f"--count={MAX_REFS + 1}"
    raw = _git(directory, ["for-each-ref", count, "--format=%(refname)"], deadline)
    names = [name for name in raw.decode("utf-8", "replace").splitlines() if name]
    return ("HEAD", *names[:MAX_REFS]), len(names) > MAX_REFS


def _listed(directory: Path, ref: str, deadline: float) -> Iterator[_File]:
    """The client files in one tree; links and submodules left out."""
    arguments = ["ls-tree", "-r", "-z", "--full-tree", "--end-of-options", ref]
    try:
        raw = _git(directory, arguments, deadline)
    except _Failed:
        if ref == "HEAD" and _is_empty(directory, deadline):
            return
        raise
    for line in raw.split(b"\0"):
        about, _, name = line.partition(b"\t")
        mode, _, rest = about.partition(b" ")
        path = name.decode("utf-8", "replace")
        if mode in {b"100644", b"100755"} and client_of(path) is not None:
            yield _File(path, rest.partition(b" ")[2].decode("ascii", "replace"), ref)


def _is_empty(directory: Path, deadline: float) -> bool:
    return not _git(directory, ["for-each-ref", "--count=1"], deadline).strip()


def _places() -> tuple[tuple[str, Client, tuple[Place, ...]], ...]:
    return tuple((found.path, client, found.places) for client, found in project_locations())


_KNOWN: Final = _places()
_ENDINGS: Final = tuple(sorted({path.rpartition("/")[2].rpartition("*")[2] for path, *_ in _KNOWN}))


def client_of(path: str) -> tuple[tuple[Client, tuple[Place, ...]], ...] | None:
    """Whose client files a path may be, as a project's at any depth; None when nobody's."""
    if not path.endswith(_ENDINGS):
        return None
    parts = path.split("/")
    found: dict[tuple[str, tuple[Place, ...]], tuple[Client, tuple[Place, ...]]] = {}
    for pattern, client, places in _KNOWN:
        wanted = pattern.split("/")
        tail = parts[-len(wanted) :]
        if len(tail) == len(wanted) and all(map(fnmatch.fnmatchcase, tail, wanted)):
            found[client.id, places] = (client, places)
    return tuple(found.values()) or None


def _contents(directory: Path, objects: Sequence[str], deadline: float) -> dict[str, bytes]:
    """The contents of blobs up to MAX_BYTES each; larger ones, and too many, are missing from the answer."""
    wanted = tuple(dict.fromkeys(objects))
    asked = "".join(f"{name}\n" for name in wanted).encode()
    sizes = _git(directory, ["cat-file", "--batch-check"], deadline, asked)
    fit = []
    room = MAX_LISTING // 2
    for line in sizes.decode("ascii", "replace").splitlines():
        name, _, rest = line.partition(" ")
        kind, _, size = rest.partition(" ")
        if kind == "blob" and size.isdigit() and int(size) <= min(MAX_BYTES, room):
            fit.append(name)
            room -= int(size)
    asked = "".join(f"{name}\n" for name in fit).encode()
    raw = _git(directory, ["cat-file", "--batch"], deadline, asked) if fit else b""
    found: dict[str, bytes] = {}
    at = 0
    while (end := raw.find(b"\n", at)) >= 0:
        name, _, size = raw[at:end].decode("ascii", "replace").split(" ")
        found[name] = raw[end + 1 : end + 1 + int(size)]
        at = end + 1 + int(size) + 1
    return found


def _read(directory: Path, file: _File, raw: bytes | None) -> Look:
    where = clipped(f"{directory}@{file.ref}:{file.path}")
    if raw is None:
        return Look((), (Unseen("git", where, TOO_LARGE),))
    sightings: list[Sighting] = []
    unseen: list[Unseen] = []
    for client, places in client_of(file.path) or ():
        found = understood(client, Path(file.path), places, raw)
        if found.error:
            unseen.append(Unseen("git", where, found.error))
        for entry in found.entries:
            sighting = of_entry(entry, "git", f"{where}:{entry.line}")
            if sighting is not None:
                sightings.append(sighting)
    return Look(tuple(sightings), tuple(unseen))


def _git(directory: Path, arguments: Sequence[str], deadline: float, given: bytes = b"") -> bytes:
    """Run one of git's plumbing commands; its output.

    Raises:
        _Failed: it is missing, failed, took too long or said too much.
    """
    command = ["git", *_SAFE, f"--git-dir={directory}", "--no-pager", *arguments]
    environment = {"PATH": os.environ.get("PATH", os.defpath), **_ENVIRONMENT}
    # A file in place of a pipe: it is there whole, before the answer is read.
    with tempfile.TemporaryFile() as asked, tempfile.TemporaryFile() as said:
        asked.write(given)
        asked.seek(0)
        try:
            process = subprocess.Popen(
                command, stdin=asked, stdout=subprocess.PIPE, stderr=said, env=environment, cwd="/"
            )
        except FileNotFoundError:
            raise _Failed("git is not installed, so repositories cannot be read") from None
        except OSError as problem:
            raise _Failed(f"git cannot be started ({problem.strerror})") from None
        with process:
            try:
                answer = _answer(process, deadline)
            finally:
                process.kill()
        if process.returncode:
            said.seek(0)
            text = clipped(said.read(1024).decode("utf-8", "replace").strip().replace("\n", " "))
            raise _Failed(f"git refused: {text[:200] or 'no reason given'}")
        return answer


def _answer(process: subprocess.Popen[bytes], deadline: float) -> bytes:
    """All that git writes, as it comes: a small repository can say more than fits on a disk."""
    pipe = process.stdout
    taken = bytearray()
    while pipe is not None:
        ready, _, _ = select.select([pipe], [], [], max(0.1, deadline - time.monotonic()))
        if not ready or time.monotonic() > deadline:
            raise _Failed(f"git took longer than {TIMEOUT:.0f} seconds")
        chunk = os.read(pipe.fileno(), 1 << 16)
        if not chunk:
            break
        taken += chunk
        if len(taken) > MAX_LISTING:
            raise _Failed(f"more than {MAX_LISTING >> 20} MiB of answer")
    try:
        process.wait(max(0.1, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        raise _Failed(f"git took longer than {TIMEOUT:.0f} seconds") from None
    return bytes(taken)
