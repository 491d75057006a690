"""What one server sees of the file system, as the arguments of bubblewrap (bwrap(1)).

It sees everything as the user has it, except that: bawn's own directories are empty, guarded files
and all program files are read-only, /tmp and /var/tmp are its own, devices and processes are new, and
so is the directory of the user's own services, which would start programs outside for it.

A mount alone does not protect a path: whoever may rename a directory above it can put another in its
place. So every directory above a protected path is mounted over itself, which makes it busy (EBUSY)
to rename(2) and rmdir(2), and links across mounts impossible (EXDEV).
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import bawn
from bawn.runner.launch import Launch

_BASE: Final = (
    *("--die-with-parent", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--cap-drop", "ALL"),
    *("--bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "--ro-bind-try", "/sys", "/sys"),
)
_ROOT: Final = ("--ro-bind", "/proc/sys", "/proc/sys")
"""What root may write there without any capability, and so make the kernel start programs outside."""
LAYERS: Final = 2
"""bubblewrap outside, and the first process of the new PID namespace."""
TMPFS: Final = 256 << 20
"""Bytes that fit in each of the temporary directories; TMPDIR has the disk's room."""
_TEMPORARY: Final = ("/tmp", "/var/tmp")  # noqa: S108 - they are hidden, not used
_SCRIPT: Final = re.compile(r".+\.(py|pyz|js|mjs|cjs|ts|mts|sh|rb|pl|jar)")


@dataclass(frozen=True, slots=True)
class View:
    """What holds for all servers: directories to hide, files to guard, program files to keep."""

    hide: tuple[Path, ...]
    guard: tuple[Path, ...]
    code: tuple[Path, ...]


@dataclass(slots=True)
class _Mounts:
    """One mount for each path; the shallow come first, so that the deep are seen."""

    kept: list[Path]
    by_path: dict[Path, tuple[str, ...]] = field(default_factory=dict)
    sealed: list[Path] = field(default_factory=list)

    def visible(self, path: Path) -> bool:
        """Whether the server would see this path, had it no mount of its own."""
        return not _within(path, private_places()) or _within(path, self.kept)

    def put(self, path: Path, *arguments: str) -> None:
        self.by_path.setdefault(path, arguments)

    def seal(self, path: Path, *arguments: str) -> None:
        """Mount something over a path for good."""
        self.put(path, *arguments)
        self.sealed.append(path)

    def pin(self) -> None:
        """Keep everything above the sealed paths in its place."""
        for path in self.sealed:
            for above in path.parents:
                loose = _may_be_renamed(above) and self.visible(above)
                if loose and not _within(above, self.sealed):
                    self.put(above, "--bind", str(above), str(above))

    def arguments(self) -> Iterator[str]:
        for path in sorted(self.by_path, key=lambda path: len(path.parts)):
            yield from self.by_path[path]


def arguments(launch: Launch, view: View) -> tuple[str, ...]:
    """What bwrap is given ahead of the server's own program and arguments; may block."""
    named = [path for path in _named(launch) if not _within(path, view.hide)]
    data = [] if launch.data is None else [launch.data]
    installed = [] if launch.installed is None else [launch.installed]
    kept = (launch.cwd, *data, *installed, *named)
    mounts = _Mounts([path for path in kept if _within(path, private_places())])
    hidden = _hide(mounts, view)
    for root in installed:  # within what is hidden: it alone is seen there, and cannot be changed
        mounts.seal(root, "--ro-bind", str(root), str(root))
    for path in (*view.guard, *view.code):
        if mounts.visible(path) and not _within(path, hidden):
            mounts.seal(path, "--ro-bind", str(path), str(path))
    for file in (Path(launch.argv[0]), *named):
        for root in program_files(file):
            mounts.seal(root, "--ro-bind", str(root), str(root))
    writable = [one for one in mounts.kept if not _within(one, mounts.sealed)]
    for one in (*writable, *data):
        mounts.put(one, "--bind", str(one), str(one))
    mounts.pin()
    for place in private_places():
        mounts.put(place, *_empty(place, "1777"))
    closing = [argument for path in hidden for argument in ("--remount-ro", str(path))]
    return (*base(), *mounts.arguments(), *closing, "--chdir", str(launch.cwd), "--")


def base() -> tuple[str, ...]:
    """The arguments that come first for every server."""
    return (*_BASE, *_ROOT) if os.geteuid() == 0 else _BASE


def _hide(mounts: _Mounts, view: View) -> tuple[Path, ...]:
    for path in sorted(view.hide, key=lambda path: len(path.parts)):
        if mounts.visible(path) and not _within(path, mounts.sealed):
            mounts.seal(path, *_empty(path, "0755"))
    return tuple(mounts.sealed)


def private_places() -> tuple[Path, ...]:
    """The directories that every server has empty and for itself."""
    user = f"/run/user/{os.geteuid()}"
    found = (Path(os.path.realpath(place)) for place in (*_TEMPORARY, user))
    return tuple(dict.fromkeys(path for path in found if path.is_dir()))


def program_files(program: str | Path) -> Iterator[Path]:
    """What a program consists of, as far as its path tells: itself, its packages, its environment."""
    literal = Path(os.path.abspath(program))  # noqa: PTH100 - a link's own directory counts, too
    real = Path(os.path.realpath(program))
    for path in dict.fromkeys((literal, real)):
        if path.is_file() and (_SCRIPT.fullmatch(path.name) or os.access(path, os.X_OK)):
            yield real
        for above in reversed(path.parents):
            packages = above.name in {"node_modules", "site-packages"}
            if packages or (above / "pyvenv.cfg").is_file():
                yield Path(os.path.realpath(above))
                break


def own_code() -> tuple[Path, ...]:
    """bawn's own program files, and those of its interpreter."""
    roots = (str(Path(bawn.__file__).parent), sys.prefix, sys.base_prefix)
    return tuple(dict.fromkeys(Path(os.path.realpath(root)) for root in roots))


def _named(launch: Launch) -> Iterator[Path]:
    """The paths among program, arguments and variables that exist: the owner gave them."""
    for text in (*launch.argv, *launch.env.values()):
        for value in (text, text.partition("=")[2]):
            if value and not value.startswith("-") and len(value) < 4096:
                path = Path(os.path.realpath(launch.cwd / value))
                if path.exists() and path not in private_places():
                    yield path


def _within(path: Path, places: Iterable[Path]) -> bool:
    return any(path.is_relative_to(place) for place in places)


def _empty(path: Path, mode: str) -> tuple[str, ...]:
    return ("--perms", mode, "--size", str(TMPFS), "--tmpfs", str(path))


def _may_be_renamed(directory: Path) -> bool:
    above = directory.parent
    return above != directory and os.access(above, os.W_OK)
