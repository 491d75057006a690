"""What the words of a shell command come to: quotes, escapes, variables, substitutions (bash(1), EXPANSION).

A word has every value that it may have, at most eight; what is not known of it is `*`.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from itertools import product
from typing import Final, TypeAlias

from tree_sitter import Node

from bawn.inspection.guard.globs import could_be
from bawn.inspection.guard.paths import VARIABLES, unescaped

Word: TypeAlias = tuple[str, ...]
"""The values that a word may have."""

_MOST: Final = 8
_STRIPPED: Final = 128
_UNKNOWN: Final = "*"
_LONGEST: Final = 65536
_PART: Final = re.compile(r"\$\{(\w{1,64}):\s?(-?\d{1,4})(?::(\d{1,4}))?\}")
_SWAP: Final = re.compile(r"\$\{(\w{1,64})//?([^/}]{1,64})/([^}]{0,64})\}")
_STRIP: Final = re.compile(r"\$\{(\w{1,64})(##?|%%?)([^}]{1,200})\}")
_DEFAULT: Final = re.compile(r"\$\{(\w{1,64}):?[-=+]([^}]{0,200})\}")


class Variables:
    """What variables hold, as far as the command itself says."""

    def __init__(self) -> None:
        self._values: dict[str, Word] = {}

    def put(self, name: str, values: Word, *, added: bool = False) -> None:
        """Sets a variable, or adds to it."""
        if added:
            values = joined([self._values.get(name, ("",)), values])
        values = values or ("",)
        # Where branches differ, each value may be the one.
        self._values[name] = tuple(dict.fromkeys((*values, *self._values.get(name, ()))))[:_MOST]

    def get(self, name: str) -> Word:
        """Its values; of one that is well known, its name; else what is not known."""
        known = (f"${name}",) if name.casefold() in VARIABLES else (_UNKNOWN,)
        return self._values.get(name, known)


def joined(parts: Sequence[Word]) -> Word:
    """All that words come to which stand together."""
    values = ("".join(choice) for choice in product(*(part[:4] for part in parts)))
    return tuple(dict.fromkeys(value for value, _ in zip(values, range(_MOST), strict=False)))


def text_of(node: Node) -> str:
    """The source of a node."""
    return (node.text or b"").decode(errors="replace")


def bare(text: str) -> Word:
    """An unquoted word: with its escapes taken, and as Windows reads it."""
    if "\\" not in text:
        return (text,)
    kept: list[str] = []
    escaped = False
    for character in text:
        if character == "\\" and not escaped:
            escaped = True
            continue
        escaped = False
        if character != "\n":
            kept.append(character)
    return ("".join(kept), text.replace("\\", "/"))


def expansion(node: Node, variables: Variables) -> Word:
    """`$D`, `${D}`, `${D:-other}`, `${D:1:3}`, `${D/x/y}`; of other operators, the value as it is, too."""
    text = text_of(node)
    if found := _PART.fullmatch(text):
        start = int(found[2])
        end = None if found[3] is None else start + int(found[3])
        return tuple(value[start:end] for value in variables.get(found[1]))
    if found := _SWAP.fullmatch(text):
        old, new = found[2].strip("\"'"), found[3].strip("\"'")
        return tuple(value.replace(old, new) for value in variables.get(found[1]))
    if found := _STRIP.fullmatch(text):
        end = found[2].startswith("%")
        return tuple(
            left
            for value in variables.get(found[1])
            for left in _stripped(value[:_STRIPPED], found[3].strip("\"'"), end=end)
        )
    if found := _DEFAULT.fullmatch(text):
        return (*variables.get(found[1]), *bare(found[2].strip("\"'")))
    names = [child for child in node.named_children if child.type == "variable_name"]
    if not names:
        return (_UNKNOWN,)
    values = variables.get(text_of(names[0]))
    plain = text in {f"${text_of(names[0])}", f"${{{text_of(names[0])}}}"}
    return values if plain else (*values, _UNKNOWN)


def _stripped(value: str, pattern: str, *, end: bool) -> list[str]:
    """What may be left when a pattern is taken off one end: longest or shortest, each is one."""
    kept = [value]
    for index in range(len(value) + 1):
        taken, left = (value[index:], value[:index]) if end else (value[:index], value[index:])
        if taken == pattern or could_be(taken, pattern):
            kept.append(left)
    return [kept[0], *kept[1:2], *kept[-1:]]


def output(argv: Sequence[Word], fed: str) -> str | None:
    """What a command prints, for those whose output follows from what they are given; None for others."""
    words = [word[0] for word in argv]
    name, rest = words[0].rpartition("/")[2], words[1:]
    plain = [word for word in rest if not word.startswith("-")]
    if name == "echo":
        return unescaped(" ".join(plain))
    if name == "printf":
        return _printed(rest)
    if name == "cat" and not plain:
        return fed
    if name == "rev":
        return fed.strip()[::-1]
    if name == "tr" and len(plain) == 2:
        return fed.translate(_translation(*plain))
    if name in {"base64", "base32", "openssl", "xxd", "basenc"}:
        return decoded(fed, name)
    return None


def decoded(text: str, how: str = "base64") -> str | None:
    """What an encoded text says; None when it is not encoded so."""
    packed = "".join(text.split())[:_LONGEST]
    try:
        if how == "xxd":
            return bytes.fromhex(packed).decode(errors="replace")
        if how == "base32":
            return base64.b32decode(packed).decode(errors="replace")
        if "-" in packed or "_" in packed:
            packed = packed.replace("-", "+").replace("_", "/")
        raw = base64.b64decode(packed + "=" * (-len(packed) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None
    said = raw.decode("utf-16-le" if raw[1:2] == b"\0" else "utf-8", errors="replace")
    # What no text encoded is no text: any long word decodes to something.
    return (
        said
        if said.replace("\n", "").replace("\t", "").replace("\r", "").isprintable()
        and "\ufffd" not in said
        else None
    )


def _printed(rest: Sequence[str]) -> str:
    if not rest:
        return ""
    text, values = unescaped(rest[0]), list(rest[1:])
    while "%s" in text or "%b" in text:
        mark = "%s" if "%s" in text else "%b"
        text = text.replace(mark, unescaped(values.pop(0)) if values else "", 1)
    return text + "".join(values)


def _translation(before: str, after: str) -> dict[int, str]:
    old, new = _ranges(before), _ranges(after)
    new = new + new[-1:] * (len(old) - len(new))
    return {ord(character): new[index] for index, character in enumerate(old) if new}


def _ranges(text: str) -> str:
    done = ""
    index = 0
    while index < len(text):
        if text[index + 1 : index + 2] == "-" and index + 2 < len(text):
            last = min(ord(text[index + 2]), ord(text[index]) + 128)
            done += "".join(map(chr, range(ord(text[index]), last + 1)))
            index += 3
        else:
            done += text[index]
            index += 1
    return done
