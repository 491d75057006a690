"""The rows of a track: JSON Lines with `id`, `label`, `kind`, `surface`, `style` and a payload."""

from __future__ import annotations

import gzip
import hashlib
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

import msgspec

from bawn.errors import Misconfigured
from bawn.model import Json

Label: TypeAlias = Literal["attack", "benign"]

_TOLD: Final = 20  # malformed lines that are told


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One row of any track; the payload of the others is absent. Unknown members are ignored."""

    id: str
    label: Label
    kind: str | None = ""
    surface: str | None = ""
    style: str | None = ""
    tool: Json | str | None = None
    server: Any = None
    text: str | None = None
    mime: str | None = None
    schema: Json | bool | None = None
    arguments: Json | None = None
    config: Json | None = None
    before: Any = msgspec.UNSET
    after: Any = msgspec.UNSET

    def lacks(self, members: tuple[str, ...]) -> str:
        """The first of these members that it has not; empty when all are there."""
        for name in members:
            if getattr(self, name) in (None, msgspec.UNSET):
                return name
        return ""


class Rows(msgspec.Struct, frozen=True):
    """The rows of one file, and the SHA-256 of what it says (uncompressed)."""

    found: tuple[Row, ...]
    digest: str


def find(directory: Path, track: str) -> Path | None:
    """The file of a track, compressed or not; None when it has none."""
    for name in (f"{track}.jsonl", f"{track}.jsonl.gz"):
        if (directory / name).is_file():
            return directory / name
    return None


def read(path: Path, payload: tuple[str, ...]) -> Rows:
    """The rows of a file, each with the members that `payload` names.

    Raises:
        Misconfigured: a line is not such a row; each is told with its number.
    """
    try:
        data = path.read_bytes()
        data = gzip.decompress(data) if path.suffix == ".gz" else data
    except (OSError, EOFError, zlib.error) as error:
        raise Misconfigured(f"{path}: cannot be read: {error}; expected JSON Lines") from None
    problems: list[str] = []
    found = tuple(_rows(path, data, payload, problems))
    if problems:
        more = len(problems) - _TOLD
        raise Misconfigured(*problems[:_TOLD], *([f"{path}: {more} more"] if more > 0 else []))
    return Rows(found, hashlib.sha256(data).hexdigest())


def _rows(path: Path, data: bytes, payload: tuple[str, ...], problems: list[str]) -> Iterator[Row]:
    decoder = msgspec.json.Decoder(Row)
    for number, line in enumerate(data.split(b"\n"), 1):
        if not line.strip():
            continue
        try:
            row = decoder.decode(line)
        except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
            problems.append(f"{path}:{number}: {error}; expected a row with `id` and `label`")
            continue
        if missing := row.lacks(payload):
            problems.append(f"{path}:{number}: expected `{missing}`, which rows of this track have")
            continue
        yield row
