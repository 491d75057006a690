"""Reading bawn.lock. A file that cannot be read as a whole is refused as a whole: nothing serves by it.

Where one server's entry is damaged (of another shape, or its pins are not those of its Merkle root), that
server is refused and the others are not hurt. Where one definition is not that of its digest, that item is.
A signature covers the whole file, so where signatures are required any of these refuses all of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

import msgspec

from bawn.assurance.lock.contents import FORMAT, LARGEST, LockedPin, LockedServer
from bawn.config import files
from bawn.config.server import SERVER_ID
from bawn.errors import Misconfigured, Refused
from bawn.model import Json
from bawn.pins.canonical import Uncanonical
from bawn.pins.digest import digest
from bawn.pins.listed import name_of
from bawn.protocol.strict import JsonLimits, careful
from bawn.signing import lock as signing
from bawn.signing.unverified import Unverified

_LIMITS: Final = JsonLimits(depth=256, nodes=10_000_000)
_MEMBERS: Final = frozenset(("format", "servers", signing.SIGNATURES))
_AGAIN: Final = "restore it, or write it anew with `bawn lock`"


@dataclass(frozen=True, slots=True)
class Lock:
    """A lockfile: its servers, those that are damaged and why, the file as JSON, and its digest.

    The digest is that of everything but the signatures, in canonical form: it is what is signed.
    """

    servers: Mapping[str, LockedServer]
    damaged: Mapping[str, str]
    tree: Json
    digest: str


def read(path: Path) -> Lock:
    """The lockfile at this path, of which no signature is verified.

    Raises:
        FileNotFoundError: there is none.
        Misconfigured: it cannot be used, with the place and what to do.
    """
    return parse(read_bytes(path), str(path))


def read_bytes(path: Path) -> bytes:
    """The content of a lockfile.

    Raises:
        FileNotFoundError: there is none.
        Misconfigured: it cannot be read, or is too large.
    """
    try:
        content, _ = files.read(path, LARGEST)
    except FileNotFoundError:
        raise
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "not a usable path"
        raise Misconfigured(f"{path}: cannot be read ({why}); {_AGAIN}") from None
    if len(content) > LARGEST:
        raise Misconfigured(f"{path}: larger than {LARGEST} bytes; {_AGAIN}")
    return content


def parse(content: bytes, name: str) -> Lock:
    """A lockfile from its content; `name` is what problems call it.

    Raises:
        Misconfigured: it cannot be used, with the place and what to do.
    """
    tree = _tree(content, name)
    servers: dict[str, LockedServer] = {}
    damaged: dict[str, str] = {}
    for server, entry in tree["servers"].items():
        try:
            servers[server] = _server(server, entry)
        except ValueError as error:
            damaged[server] = f"its entry in {name} is damaged: {error}"
    try:
        found = sha256(signing.content(tree)).hexdigest()
    except Unverified as error:
        raise Misconfigured(f"{name}: {error.detail}; {_AGAIN}") from None
    return Lock(servers, damaged, tree, found)


def is_sound(pin: LockedPin) -> bool:
    """Whether a definition is that of its digest, and of its name."""
    if name_of(pin.aspect, pin.definition) != pin.name:
        return False
    try:
        return digest(pin.aspect, pin.definition) == pin.digest
    except Uncanonical:
        return False


def _tree(content: bytes, name: str) -> Json:
    try:
        tree = careful(content, _LIMITS)
    except Refused as refused:
        why = refused.public or refused.message
        raise Misconfigured(f"{name}: not acceptable JSON: {why}; {_AGAIN}") from None
    if not isinstance(tree, dict) or type(tree.get("format")) is not int:
        raise Misconfigured(f"{name}: expected a lockfile, an object with a `format`; {_AGAIN}")
    if tree["format"] > FORMAT:
        raise Misconfigured(
            f"{name}: `format` is {tree['format']}, and this bawn reads {FORMAT}: it was written by a "
            "newer one; install that"
        )
    if tree["format"] != FORMAT:
        raise Misconfigured(f"{name}: `format` is {tree['format']}, expected {FORMAT}; {_AGAIN}")
    if unknown := tree.keys() - _MEMBERS:
        raise Misconfigured(f"{name}: `{min(unknown)[:64]}` is no member of a lockfile; {_AGAIN}")
    if not isinstance(tree.get("servers"), dict):
        raise Misconfigured(f"{name}: expected `servers` to be an object, by id; {_AGAIN}")
    return tree


def _server(server: str, entry: object) -> LockedServer:
    if not SERVER_ID.fullmatch(server):
        raise ValueError("its id is none")
    try:
        found = msgspec.convert(entry, LockedServer)
    except msgspec.ValidationError as error:
        raise ValueError(str(error)) from None
    if not found.whole:
        raise ValueError("its pins are not those of its `root`")
    return found
