"""Changing settings of one server in the text of the file, with its comments and every other line kept.

Lines are replaced, put in or taken out where the settings stand; then the result is read again and must
equal what was meant.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from typing import Any, TypeAlias

from bawn.config.document import Document, Span, read
from bawn.config.layout import Lines, indentation, reads_as, servers_of
from bawn.config.render import rendered
from bawn.errors import Misconfigured

Changes: TypeAlias = Mapping[str, Any]
"""New values by key; None takes the key out, so that its default holds again."""


class _ByHand(Exception):
    """The lines cannot be changed without losing something of them."""


def changed(raw: bytes, label: str, name: str, changes: Changes) -> bytes:
    """The content with other settings for a server; `label` is what problems call the file.

    Raises:
        Misconfigured: there is no such server, or its lines cannot be told from the rest.
    """
    document = read(raw, label)
    servers = servers_of(document)
    if name not in servers or not isinstance(servers[name], dict):
        known = ", ".join(servers) or "none"
        raise Misconfigured(f"{label}: no server `{name}`; it has {known}")
    wanted = copy.deepcopy(document.tree)
    _apply(wanted["servers"][name], changes)
    lines = Lines(raw)
    try:
        _amend(lines, document, name, changes)
        result = lines.joined()
    except _ByHand:
        result = b""
    if not reads_as(result, wanted):
        place = f"{label}:{document.line(('servers', name))}"
        told = "; ".join(_told(key, value) for key, value in changes.items())
        raise Misconfigured(
            f"{place}: the lines of `{name}` cannot be changed without losing some of what stands "
            f"there; do it by hand: {told}"
        )
    return result


def _apply(server: dict[str, Any], changes: Changes) -> None:
    for key, value in changes.items():
        if value is None:
            server.pop(key, None)
        else:
            server[key] = value


def _told(key: str, value: Any) -> str:
    return f"remove `{key}`" if value is None else f"`{rendered({key: value})[0]}`"


def _amend(lines: Lines, document: Document, name: str, changes: Changes) -> None:
    span = document.spans.get(("servers", name))
    old = document.tree["servers"][name]
    real = {key: value for key, value in changes.items() if old.get(key) != value}
    if not real:
        return
    if span is None:
        raise _ByHand
    if span.flow:
        _in_flow(lines, span, name, old, real)
        return
    keys = [path for path in document.spans if path[:2] == ("servers", name) and len(path) == 3]
    if not keys:
        raise _ByHand  # an alias: its lines are another server's, too
    column = document.spans[keys[0]].column
    _put_in(lines, document, span, column, {k: v for k, v in real.items() if k not in old})
    there = [(document.spans[("servers", name, key)], key) for key in real if key in old]
    for found, key in sorted(there, key=lambda each: -each[0].first):
        _replace(lines, document, found, ("servers", name, key), old[key], real[key])


def _put_in(lines: Lines, document: Document, span: Span, column: int, new: Changes) -> None:
    _, step = indentation(document)
    at = lines.end(span)
    texts = [line for key, value in new.items() for line in rendered({key: value}, step)]
    lines.all[at:at] = [f"{' ' * column}{text}{lines.ending}" for text in texts]


def _replace(
    lines: Lines, document: Document, span: Span, path: tuple[str, ...], old: Any, new: Any
) -> None:
    """Put a new value in the place of one that stands in lines of its own."""
    if new is None:
        del lines.all[span.first : lines.end(span)]
        return
    key = path[-1]
    line = lines.all[span.first]
    if span.first == span.last:
        comment = _comment(line[span.column :], {key: old})
        (text,) = rendered({key: new})
        lines.all[span.first] = f"{line[: span.column]}{text}{comment}"
    elif isinstance(old, list) and isinstance(new, list) and not span.flow:
        _replace_items(lines, [document.spans[(*path, at)] for at in range(len(old))], old, new)
    elif isinstance(old, str) or not any("#" in each for each in _of(lines, span)):
        (text,) = rendered({key: new})
        lines.all[span.first : span.last + 1] = [f"{line[: span.column]}{text}{lines.ending}"]
    else:
        raise _ByHand


def _of(lines: Lines, span: Span) -> list[str]:
    return lines.all[span.first : span.last + 1]


def _replace_items(lines: Lines, spans: list[Span], old: list[Any], new: list[Any]) -> None:
    """Take items of a list out and put others behind them; each stands on lines of its own."""
    kept = [item for item in old if item in new]
    added = [item for item in new if item not in old]
    if [*kept, *added] != new:
        raise _ByHand
    last = spans[-1]
    dash = lines.all[last.first].partition("-")[0] + "- "
    texts = [rendered({"_": item})[0].removeprefix("_: ") for item in added]
    lines.all[last.last + 1 : last.last + 1] = [f"{dash}{text}{lines.ending}" for text in texts]
    for span, item in reversed(list(zip(spans, old, strict=True))):
        if item not in new:
            del lines.all[span.first : span.last + 1]


def _in_flow(lines: Lines, span: Span, name: str, old: Changes, changes: Changes) -> None:
    """The same for a server that stands on one line, in braces."""
    line = lines.all[span.first]
    if span.first != span.last or line[: span.column].strip():
        raise _ByHand
    text = line[span.column :]
    comment = _comment(text, {name: old})
    told = text.removesuffix(comment)
    inner = {key: value for key, value in changes.items() if value is not None}
    if inner.keys().isdisjoint(old) and len(inner) == len(changes) and told.endswith("}"):
        parts = [rendered({key: value})[0] for key, value in inner.items()]
        told = f"{told[:-1].rstrip()}, {', '.join(parts)}}}"
    else:
        whole = dict(old)
        _apply(whole, changes)
        (item,) = rendered({"_": [whole]})
        told = f"{rendered({name: 0})[0].removesuffix('0')}{item[4:-1]}"
    lines.all[span.first] = f"{line[: span.column]}{told}{comment}"


def _comment(text: str, meant: Mapping[str, Any]) -> str:
    """What stands behind the value on its line: blanks, a comment, the ending."""
    body = text.rstrip("\r\n")
    ends = [at for at, char in enumerate(body) if char == "#" and body[at - 1 : at] in {" ", "\t"}]
    for end in [*ends, len(body)]:
        told = body[:end].rstrip()
        try:
            found = read(told.encode(), "").tree
        except Misconfigured:
            continue
        if json.dumps(found) == json.dumps(meant):
            return text[len(told) :]
    raise _ByHand
