"""References to secrets: where a credential lies, never the credential itself.

A text may hold `${env:NAME}`, `${file:PATH}` and `${keyring:NAME}`; `$${` stands for `${`. What
belongs to a local server may also hold `${data}`: no secret, but the directory that is private to the
server's isolation key, known only once it is started.
"""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bawn.config import files
from bawn.errors import Misconfigured

KEYRING_SERVICE: Final = "bawn"
MAX_FILE: Final = 64 << 10
KINDS: Final = ("env", "file", "keyring")
DATA: Final = "${data}"
_PIECE = re.compile(r"\$\$\{|\$\{([^{}]*)\}|\$\{")


class Data:
    """The one `${data}`."""

    def __str__(self) -> str:
        return DATA


@dataclass(frozen=True, slots=True)
class Reference:
    """One `${kind:name}`."""

    kind: str
    name: str

    def __str__(self) -> str:
        return f"${{{self.kind}:{self.name}}}"


def parse(text: str) -> tuple[str | Reference | Data, ...]:
    """The literal pieces and the references of a text, in order.

    Raises:
        Misconfigured: a `${` that begins no reference.
    """
    pieces: list[str | Reference | Data] = []
    end = 0
    for match in _PIECE.finditer(text):
        pieces.append(text[end : match.start()])
        pieces.append("${" if match[0] == "$${" else _reference(match[1]))
        end = match.end()
    pieces.append(text[end:])
    return tuple(piece for piece in pieces if piece != "")


def references(text: str) -> tuple[Reference, ...]:
    """The references to secrets within a text.

    Raises:
        Misconfigured: a `${` that begins no reference.
    """
    return tuple(piece for piece in parse(text) if isinstance(piece, Reference))


def is_reference(text: str) -> bool:
    """Whether the whole text is one reference."""
    try:
        pieces = parse(text)
    except Misconfigured:
        return False
    return len(pieces) == 1 and isinstance(pieces[0], Reference)


def resolve(text: str, base: Path, data: Path | None = None) -> str:
    """The text with every reference replaced by what it refers to; `base` anchors relative files.

    Without `data` the text keeps its `${data}`.

    Raises:
        Misconfigured: names the reference and what is wrong with it, never what it holds.
    """
    return "".join(_resolved(piece, base, data) for piece in parse(text))


def _resolved(piece: str | Reference | Data, base: Path, data: Path | None) -> str:
    match piece:
        case str():
            return piece
        case Data():
            return DATA if data is None else str(data)
        case Reference():
            return _look_up(piece, base)


def _reference(inner: str | None) -> Reference | Data:
    if inner == "data":
        return Data()
    # What stands between the braces is not repeated: somebody may have put the secret itself there.
    kind, colon, name = (inner or "").partition(":")
    if kind not in KINDS or not colon or not name.strip() or "\0" in name:
        raise Misconfigured(
            "expected a reference such as ${env:NAME}, ${file:PATH} or ${keyring:NAME}, or ${data}; "
            "write $${ for the characters ${ themselves"
        )
    return Reference(kind, name.strip())


def _look_up(reference: Reference, base: Path) -> str:
    match reference.kind:
        case "env":
            value = os.environ.get(reference.name, "")
            absent = "this environment variable is not set, or empty; set it where bawn is started"
        case "file":
            value = _read(reference, base)
            absent = "the file is empty; write the secret into it"
        case _:
            value = _from_keyring(reference)
            absent = f"not in the keyring; store it with `keyring set {KEYRING_SERVICE} {reference.name}`"
    if not value:
        raise Misconfigured(f"{reference}: {absent}")
    if "\0" in value:
        raise Misconfigured(f"{reference}: the value holds a NUL character; expected plain text")
    return value


def _read(reference: Reference, base: Path) -> str:
    try:
        path = base / Path(reference.name).expanduser()
        raw, status = files.read(path, MAX_FILE)
    except (OSError, RuntimeError) as problem:  # RuntimeError: `~` without a home
        why = getattr(problem, "strerror", None) or "there is no such home directory"
        raise Misconfigured(
            f"{reference}: cannot be read ({why}); expected a file of your own, with mode 0600"
        ) from None
    _insist_on_privacy(reference, path, status)
    if len(raw) > MAX_FILE:
        raise Misconfigured(f"{reference}: larger than {MAX_FILE} bytes; expected a single secret")
    try:
        return raw.decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise Misconfigured(f"{reference}: not UTF-8; expected plain text") from None


def _insist_on_privacy(reference: Reference, path: Path, status: os.stat_result) -> None:
    if status.st_uid not in {0, os.geteuid()}:
        raise Misconfigured(
            f"{reference}: belongs to another user; expected a file of your own, with mode 0600"
        )
    if status.st_mode & 0o077:
        mode = stat.S_IMODE(status.st_mode)
        raise Misconfigured(
            f"{reference}: others can reach it (mode {mode:04o}); run `chmod 600 {path}`"
        )


def _from_keyring(reference: Reference) -> str:
    import keyring
    from keyring.errors import NoKeyringError

    try:
        return keyring.get_password(KEYRING_SERVICE, reference.name) or ""
    except NoKeyringError:
        raise Misconfigured(
            f"{reference}: this machine has no keyring that can be used; "
            "use ${file:PATH} with a file of mode 0600, or ${env:NAME}"
        ) from None
    except Exception as problem:  # noqa: BLE001 - backends raise errors of their own libraries
        raise Misconfigured(
            f"{reference}: the keyring did not answer ({type(problem).__name__}); unlock it and try again"
        ) from None
