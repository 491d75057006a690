"""A dump of OSV records: read through once, at the first question, then asked by package."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from bawn.model import Json
from bawn.vulnerabilities import osv
from bawn.vulnerabilities.archive import UnreadableError, members
from bawn.vulnerabilities.component import Component
from bawn.vulnerabilities.database import Answer

_Key = tuple[str, str]
_MOST_KEPT: Final = 512 << 20
"""Bytes of records that are held; those of npm and PyPI come to less."""


class _Package(msgspec.Struct):
    ecosystem: str = ""
    name: str = ""


class _Affected(msgspec.Struct):
    package: _Package | None = None


class _Head(msgspec.Struct):
    """As much of a record as tells what it is about; the rest is skipped."""

    id: str
    affected: list[_Affected] | None = None


class _Kept(msgspec.Struct, omit_defaults=True):
    """What is judged and told of a record; texts and references, which are most of it, are not."""

    id: str
    aliases: msgspec.Raw = msgspec.Raw()
    summary: msgspec.Raw = msgspec.Raw()
    withdrawn: msgspec.Raw = msgspec.Raw()
    severity: msgspec.Raw = msgspec.Raw()
    affected: msgspec.Raw = msgspec.Raw()
    database_specific: msgspec.Raw = msgspec.Raw()


_head: Final = msgspec.json.Decoder(_Head).decode
_kept: Final = msgspec.json.Decoder(_Kept).decode


class Dump:
    """Records of a directory or .zip, by package. Only npm and PyPI are kept.

    One file that cannot be read may be about anything: then silence on a package means nothing.
    """

    def __init__(self, path: Path) -> None:
        self.title = str(path)
        self._path = path
        self._lock = asyncio.Lock()
        self._records: dict[_Key, list[bytes]] | None = None
        self._ecosystems: set[str] = set()
        self._problem = ""

    async def answers(self, components: Sequence[Component]) -> list[Answer]:
        """One answer for each component."""
        async with self._lock:
            if self._records is None:
                await asyncio.to_thread(self._read)
        return await asyncio.to_thread(lambda: [self._answer(each) for each in components])

    async def aclose(self) -> None:
        """Forget what was read."""
        self._records = None

    def _read(self) -> None:
        found: dict[_Key, list[bytes]] = {}
        broken: list[str] = []
        kept = 0
        try:
            for name, content, problem in members(self._path):
                keys = None if problem else _packages(content)
                if keys is None:
                    broken.append(name)
                elif keys:
                    record = msgspec.json.encode(_kept(content))
                    kept += len(record)
                    for key in keys:
                        found.setdefault(key, []).append(record)
                if kept > _MOST_KEPT:
                    raise UnreadableError(f"{self._path}: more than {_MOST_KEPT} bytes of records")
            self._problem = self._verdict(broken)
        except UnreadableError as error:
            self._problem = str(error)
        self._records = found
        self._ecosystems = {ecosystem for ecosystem, _ in found}

    def _verdict(self, broken: list[str]) -> str:
        if not broken:
            return ""
        more = f" and {len(broken) - 1} more" if len(broken) > 1 else ""
        return f"{self.title}: {broken[0]!r}{more} cannot be read, and may be about anything"

    def _answer(self, component: Component) -> Answer:
        key = osv.key_of(component)
        if key is None:
            return Answer(problem=f"no database has packages of {component.ecosystem}")
        if key[0] not in self._ecosystems:
            why = self._problem or f"{self.title} has no records of {key[0]} at all"
            return Answer(problem=why)
        found = (self._records or {}).get(key, ())
        try:
            records: list[Json] = [msgspec.json.decode(each) for each in found]
        except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
            return Answer(
                problem=f"{self.title}: a record of {component.name} cannot be read: {error}"
            )
        return Answer(tuple(records), problem=self._problem)


def _packages(content: bytes) -> set[_Key] | None:
    """The packages that a record is about; None for what is no record."""
    try:
        head = _head(content)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None
    named = [each.package for each in head.affected or () if each.package is not None]
    keys = {osv.package_key(each.ecosystem, each.name) for each in named}
    return {key for key in keys if key is not None}
