"""Consent: the owner has read which commands a configuration starts, and agreed to them.

Consent is bound to the path of the file and to the digest of its content, so that neither another
file nor the same file after a change is covered. It lies in the user's state directory, away from
the configuration: whoever can write a project's files cannot consent in the owner's place.
"""

from __future__ import annotations

import fcntl
import os
import stat
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from bawn.config import files
from bawn.config.atomic import replace
from bawn.config.load import Loaded
from bawn.config.model import Config
from bawn.errors import Misconfigured

MAX_STORE: Final = 4 << 20


@dataclass(frozen=True, slots=True)
class Launch:
    """What starting one local server would run: exactly this program, with exactly these arguments."""

    server: str
    command: tuple[str, ...]
    cwd: str | None
    env: Mapping[str, str]


class _Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    digest: str
    at: int


class _Store(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    trusted: dict[str, _Entry]
    version: int = 1


def launches(config: Config) -> tuple[Launch, ...]:
    """Every local server of a configuration, for showing before consent."""
    return tuple(
        Launch(name, server.command, server.cwd, server.env)
        for name, server in config.servers.items()
        if server.command is not None
    )


@dataclass(frozen=True, slots=True)
class Sending:
    """Which secret of the owner's a remote server would be sent, by its reference."""

    server: str
    url: str
    token: str


def sendings(config: Config) -> tuple[Sending, ...]:
    """Every remote server that gets a credential: a foreign file could name its own, and your secret."""
    return tuple(
        Sending(name, server.url, server.auth.token)
        for name, server in config.servers.items()
        if server.url is not None and server.auth.token is not None
    )


def needs_consent(config: Config) -> bool:
    """Whether a configuration does anything that its owner has to know: starts, or sends secrets."""
    return bool(launches(config) or sendings(config))


def require(loaded: Loaded) -> None:
    """Let only configurations pass that need no consent, or that were consented to as they are.

    Raises:
        Misconfigured: consent is missing, or the store of consents cannot be relied on.
    """
    if not needs_consent(loaded.config) or is_trusted(loaded.path, loaded.digest):
        return
    config = loaded.config
    servers = [start.server for start in launches(config)]
    servers += [sending.server for sending in sendings(config)]
    names = ", ".join(servers)
    raise Misconfigured(
        f"{loaded.path.name}: it starts programs or sends credentials ({names}), and nobody has "
        f"consented to it as it is; read and consent with `bawn trust --config {loaded.path}`"
    )


def is_trusted(path: Path, digest: str) -> bool:
    """Whether this content at this path was consented to.

    Raises:
        Misconfigured: the store is damaged, or others can write it.
    """
    entry = _read(_store_path()).trusted.get(_key(path))
    return entry is not None and entry.digest == digest


def was_trusted(path: Path) -> bool:
    """Whether any content at this path was consented to.

    Raises:
        Misconfigured: the store is damaged, or others can write it.
    """
    return _key(path) in _read(_store_path()).trusted


def record(path: Path, digest: str) -> None:
    """Remember consent to this content at this path; an earlier one for the path is replaced.

    `digest` is that of the content that was shown (`Loaded.digest`), not of what lies there by now.

    Raises:
        Misconfigured: the store is damaged, cannot be written, or others can write it.
    """
    store = _store_path()
    with _locked(store):
        known = _read(store).trusted
        entries = {**known, _key(path): _Entry(digest, int(time.time()))}
        raw = msgspec.json.format(msgspec.json.encode(_Store(entries)), indent=1)
        try:
            replace(store, raw + b"\n", 0o600)
        except OSError as problem:
            raise _unusable(store, problem.strerror) from None


def store_directory() -> Path:
    """Where consents are kept.

    Raises:
        Misconfigured: this user has no place for them.
    """
    return _store_path().parent


def _store_path() -> Path:
    # The XDG specification has relative values ignored.
    configured = Path(os.environ.get("XDG_STATE_HOME", ""))
    if configured.is_absolute():
        return configured / "bawn" / "trust.json"
    try:
        return Path.home() / ".local" / "state" / "bawn" / "trust.json"
    except RuntimeError:
        raise Misconfigured(
            "this user has no home directory, so consent cannot be kept; set XDG_STATE_HOME"
        ) from None


def _key(path: Path) -> str:
    return os.path.realpath(path)


@contextmanager
def _locked(store: Path) -> Iterator[None]:
    """Hold the store for reading, changing and replacing it."""
    try:
        store.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _insist_on_ownership(store.parent, store.parent.stat())
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(store.with_suffix(".lock"), flags, 0o600)
    except OSError as problem:
        raise _unusable(store, problem.strerror) from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _read(store: Path) -> _Store:
    try:
        _insist_on_ownership(store.parent, store.parent.stat())
        raw, status = files.read(store, MAX_STORE, follow=False)
    except FileNotFoundError:
        return _Store({})
    except OSError as problem:
        raise _unusable(store, problem.strerror) from None
    _insist_on_ownership(store, status)
    try:
        found = msgspec.json.decode(raw[:MAX_STORE], type=_Store)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise _unusable(store, "it is damaged") from None
    if found.version != 1:
        raise _unusable(store, f"its version is {found.version}, expected 1")
    return found


def _insist_on_ownership(path: Path, status: os.stat_result) -> None:
    if status.st_uid != os.geteuid() or status.st_mode & 0o022:
        mode = stat.S_IMODE(status.st_mode)
        raise Misconfigured(
            f"{path}: others can change what you consented to (owner {status.st_uid}, mode {mode:04o}); "
            f"expected your own, writable by you alone: look at what it holds, then "
            f"`chmod go-w {path}` or delete it and run `bawn trust` again"
        )


def _unusable(store: Path, why: str | None) -> Misconfigured:
    return Misconfigured(
        f"{store}: the record of consents cannot be used ({why or 'unknown error'}); "
        "repair or delete it, then run `bawn trust` again"
    )
