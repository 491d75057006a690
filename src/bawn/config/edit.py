"""Adding, changing and removing a server in the file, with every other line left byte for byte as it was.

The text is changed where the server's block stands or will stand; then the result is read again and
must equal what was meant, else nothing is written.
"""

from __future__ import annotations

import copy
import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bawn.config import trust
from bawn.config.amend import Changes, changed
from bawn.config.atomic import replace
from bawn.config.document import Document, Span, read
from bawn.config.layout import Lines, indentation, is_server, reads_as, servers_of
from bawn.config.load import Loaded, check, parse, read_file
from bawn.config.render import rendered
from bawn.errors import Misconfigured

_EMPTY_SECTION = re.compile(r"([^#{}]*:) \{\}((?:[ \t]+#.*|[ \t]*)\s)", re.DOTALL)
_BARE_SECTION = re.compile(r"([^#{}]*?:)((?:[ \t]+#.*|[ \t]*)\s)", re.DOTALL)


def add(path: Path, name: str, settings: Mapping[str, Any], environ: Mapping[str, str]) -> Loaded:
    """Write a server into the file at `path`; `settings` are the keys of its section.

    Raises:
        Misconfigured: the file was not changed; says why.
    """
    check({"servers": {name: dict(settings)}})
    raw = read_file(path)
    return _commit(path, raw, added(raw, path.name, name, settings), environ)


def change(path: Path, name: str, changes: Changes, environ: Mapping[str, str]) -> Loaded:
    """Change settings of a server in the file at `path`, all of them or none; None takes a key out.

    Raises:
        Misconfigured: the file was not changed; says why.
    """
    raw = read_file(path)
    return _commit(path, raw, changed(raw, path.name, name, changes), environ)


def remove(path: Path, name: str, environ: Mapping[str, str]) -> Loaded:
    """Take a server out of the file at `path`. Comments above its block stay.

    Raises:
        Misconfigured: the file was not changed; says why.
    """
    raw = read_file(path)
    return _commit(path, raw, removed(raw, path.name, name), environ)


def added(raw: bytes, label: str, name: str, settings: Mapping[str, Any]) -> bytes:
    """The content with a server more; `label` is what problems call the file.

    Raises:
        Misconfigured: the server is there already, or the file is not laid out in blocks.
    """
    document = read(raw, label)
    servers = servers_of(document)
    if name in servers:
        raise Misconfigured(
            f"{label}:{document.line(('servers', name))}: server `{name}` is here already; "
            "choose another name, or remove it first"
        )
    wanted = {**document.tree, "servers": {**servers, name: dict(settings)}}
    lines = Lines(raw)
    block = _insert(lines, document, name, settings)
    result = lines.joined()
    if not reads_as(result, wanted):
        raise Misconfigured(
            f"{label}: `servers` is not laid out in lines that can be added to; "
            f"add this by hand below it:\n{block.rstrip()}"
        )
    return result


def removed(raw: bytes, label: str, name: str) -> bytes:
    """The content with a server less.

    Raises:
        Misconfigured: there is no such server, or its block cannot be told from the rest.
    """
    document = read(raw, label)
    servers = servers_of(document)
    if name not in servers:
        known = ", ".join(servers) or "none"
        raise Misconfigured(f"{label}: no server `{name}`; it has {known}")
    wanted = copy.deepcopy(document.tree)
    del wanted["servers"][name]
    lines = Lines(raw)
    span = document.spans.get(("servers", name))
    if span is not None:
        _cut(lines, document.spans[("servers",)], span, alone=len(servers) == 1)
    result = lines.joined()
    if not reads_as(result, wanted):
        raise Misconfigured(
            f"{label}:{document.line(('servers', name))}: the lines of `{name}` cannot be told from "
            "the rest; remove them by hand"
        )
    return result


def _insert(lines: Lines, document: Document, name: str, settings: Mapping[str, Any]) -> str:
    """Put the block of a server where it belongs; returns the block."""
    below = [span for path, span in document.spans.items() if path[:1] == ("servers",)]
    section = document.spans.get(("servers",))
    siblings = [document.spans[path] for path in document.spans if is_server(path)]
    column, step = indentation(document)
    block = [f"{' ' * column}{line}{lines.ending}" for line in rendered({name: settings}, step)]
    if section is None:
        lines.all += [f"servers:{lines.ending}", *block]
    elif siblings:
        at = lines.end(max(siblings, key=lambda span: span.first))
        lines.all[at:at] = block
    elif len(below) == 1:
        line = lines.all[section.first]
        if empty := _EMPTY_SECTION.fullmatch(line):
            lines.all[section.first] = empty[1] + empty[2]
        at = lines.end(section)
        lines.all[at:at] = block
    return "".join(block)


def _cut(lines: Lines, section: Span, span: Span, *, alone: bool) -> None:
    """Take a block out; with the last one an appended `servers:` goes, any other becomes empty."""
    end = lines.end(span)
    appended = span.first == section.first + 1 and end == len(lines.all)
    bare = _BARE_SECTION.fullmatch(lines.all[section.first])
    if alone and appended and bare and not bare[2].strip():
        del lines.all[section.first :]
        return
    del lines.all[span.first : end]
    if alone and bare:
        lines.all[section.first] = f"{bare[1]} {{}}{bare[2]}"


def _commit(path: Path, old: bytes, new: bytes, environ: Mapping[str, str]) -> Loaded:
    """Check the new content, put it in place, and carry consent over if there was consent."""
    loaded = parse(new, path, environ)
    consented = _is_consented(path, old, environ)
    try:
        _write(loaded.path, old, new)
    except OSError as problem:
        raise Misconfigured(
            f"{path}: cannot be written ({problem.strerror}); nothing was changed"
        ) from None
    if consented:
        trust.record(loaded.path, loaded.digest)
    return loaded


def _is_consented(path: Path, raw: bytes, environ: Mapping[str, str]) -> bool:
    try:
        before = parse(raw, path, environ)
        return trust.is_trusted(before.path, before.digest)
    except Misconfigured:
        return False  # what could not be started had no consent to carry over


def _write(path: Path, old: bytes, new: bytes) -> None:
    status = path.stat()
    if status.st_uid != os.geteuid():
        raise Misconfigured(f"{path}: belongs to another user; expected a file of your own")
    if read_file(path) != old:
        raise Misconfigured(f"{path}: was changed meanwhile by somebody else; try again")
    replace(path, new, stat.S_IMODE(status.st_mode))
