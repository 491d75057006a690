"""The ways in which a text can be read as a path, by Linux, macOS, Windows, and programs in between.

Each reading is the components of the path: folded (NFKC, no case, none of the characters that HFS+ does not
see), `.` and `..` worked off, the home directory as `~`. Sources: RFC 8089 (file URLs), Microsoft's "Naming
Files, Paths, and Namespaces", Apple TN1150 (ignorable characters), proc(5).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Final
from urllib.parse import unquote_to_bytes

from bawn.inspection.guard.globs import expand
from bawn.inspection.guard.matching import Path

LONGEST: Final = 4096
"""PATH_MAX of Linux: a longer text is no path."""

_DECODED: Final = 3
_REMOTE: Final = ("http:", "https:", "ssh:", "git:", "git+", "ftp:", "s3:", "gs:", "mailto:", "ws:")
_ESCAPES: Final = {"n": "\n", "t": "\t", "r": "\r", "0": "\0", "a": "\a", "b": "\b", "e": "\x1b"}
_WIDTHS: Final = {"x": 2, "u": 4, "U": 8}

VARIABLES: Final[Mapping[str, str]] = {
    "home": "~",
    "userprofile": "~",
    "homepath": "~",
    "zdotdir": "~",
    "home_dir": "~",
    "appdata": "~/appdata/roaming",
    "localappdata": "~/appdata/local",
    "xdg_config_home": "~/.config",
    "xdg_data_home": "~/.local/share",
    "claude_config_dir": "~/.claude",
    "codex_home": "~/.codex",
    "gemini_dir": "~/.gemini",
    "programdata": "c:/programdata",
    "allusersprofile": "c:/programdata",
    "programfiles": "c:/program files",
    "pwd": ".",
    "cd": ".",
    "workspacefolder": ".",
    "userhome": "~",
    "systemdrive": "c:",
}
"""Variables of environments and editors that name well-known directories, by their lower-case name."""


def readings(text: str) -> Iterator[Path]:
    """All that a text may name as a path; nothing for a text that is none."""
    if not text or len(text) > LONGEST:
        return
    seen: set[str] = set()
    for form in _forms(text):
        for one in expand(form):
            for whole in dict.fromkeys((one.replace("\\", "/"), unescaped(one))):
                if whole not in seen:
                    seen.add(whole)
                    yield from _components(whole)


def is_remote(text: str) -> bool:
    """Whether it is an address on another machine, and no file."""
    return text.strip().casefold().startswith(_REMOTE)


def _forms(text: str) -> Iterator[str]:
    """As it stands, and percent-decoded as often as it was encoded; `%u002e` is IIS's, `\\u002e` JSON's."""
    form = text.strip().strip("\"'`<>").strip()
    for _ in range(_DECODED + 1):
        yield form
        decoded = _percent_decoded(form) if "%" in form else form
        decoded = unescaped(decoded) if any(f"\\{kind}" in decoded for kind in "xuU0") else decoded
        if decoded == form:
            return
        form = decoded


def _percent_decoded(text: str) -> str:
    """Overlong UTF-8 (`%c0%ae`) is read as lax decoders read it."""
    for mark in ("%u", "%U"):
        text = text.replace(mark, "\\u")
    raw = unquote_to_bytes(text)
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return _overlong(raw)


def _overlong(raw: bytes) -> str:
    text: list[str] = []
    index = 0
    while index < len(raw):
        if raw[index] in (0xC0, 0xC1) and index + 1 < len(raw):
            text.append(chr((raw[index] & 0x1F) << 6 | raw[index + 1] & 0x3F))
            index += 2
        elif raw[index : index + 2] == b"\xe0\x80" and index + 2 < len(raw):
            text.append(chr(raw[index + 2] & 0x3F))
            index += 3
        else:
            text.append(chr(raw[index]))
            index += 1
    return "".join(text)


def unescaped(text: str) -> str:
    r"""What a shell's `$'…'`, or a string of a programming language, makes of `\x2e`, `\056` and `\.`."""
    if "\\" not in text:
        return text
    done: list[str] = []
    index = 0
    while index < len(text):
        if text[index] != "\\" or index + 1 == len(text):
            done.append(text[index])
            index += 1
            continue
        character, index = _escape(text, index + 1)
        done.append(character)
    return "".join(done)


def _escape(text: str, index: int) -> tuple[str, int]:
    """One escape, whose letter is at `index`, and where the text goes on."""
    letter = text[index]
    if letter in "01234567":
        digits = _run(text, index, "01234567", 4 if letter == "0" else 3)
        return chr(int(digits, 8) & 0xFF), index + len(digits)
    if letter in _WIDTHS:
        digits = _run(text, index + 1, "0123456789abcdefABCDEF", _WIDTHS[letter])
        if digits and int(digits, 16) < 0x110000:
            return chr(int(digits, 16)), index + 1 + len(digits)
    return _ESCAPES.get(letter, letter) if letter in "ntr" else letter, index + 1


def _run(text: str, start: int, alphabet: str, most: int) -> str:
    end = start
    while end < min(len(text), start + most) and text[end] in alphabet:
        end += 1
    return text[start:end]


@lru_cache(maxsize=4096)
def fold(text: str) -> str:
    """As file systems that see neither case nor ignorable characters see it."""
    if text.isascii():
        return text.casefold()
    kept = (
        character
        for character in unicodedata.normalize("NFKC", text)
        if unicodedata.category(character) != "Cf" and not _is_ignorable(character)
    )
    return unicodedata.normalize("NFKC", "".join(kept).casefold())


def _is_ignorable(character: str) -> bool:
    code = ord(character)
    return (
        0xFE00 <= code <= 0xFE0F
        or 0xE0000 <= code <= 0xE0FFF
        or 0x180B <= code <= 0x180F
        or code in {0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x3164, 0xFFA0, 0x2065}
    )


def _components(text: str) -> Iterator[Path]:
    """The components of a folded path, and those before a zero byte, where C's strings end."""
    folded = fold(text).strip()
    for whole in dict.fromkeys((folded, folded.partition("\0")[0].strip())):
        located = _substituted(_without_scheme(whole).replace("\\", "/"))
        path = _resolved([_plain(part) for part in located.split("/")])
        if path:
            yield _unwrapped(_at_home(path))


def _without_scheme(text: str) -> str:
    """The path of a `file:` URL or the like (`vscode-remote:`), without query; as it stands, if it is none."""
    scheme, colon, rest = text.partition(":")
    if not colon or len(scheme) < 2 or not scheme.replace("-", "").replace("+", "").isalnum():
        return text
    if not rest.startswith("/"):
        return text
    rest = rest.partition("#")[0].partition("?")[0] if rest.startswith("//") else rest
    if rest.startswith("//"):
        host, _, path = rest[2:].partition("/")
        return f"/{path}" if host in {"", "localhost", "file"} else f"/{host}/{path}"
    return rest


def _substituted(text: str) -> str:
    """With the variables that name well-known directories filled in, however they are written."""
    if "$" not in text and "%" not in text:
        return text
    for name, value in VARIABLES.items():
        for written in (
            f"${{{name}}}",
            f"$env:{name}",
            f"${{env:{name}}}",
            f"%{name}%",
            f"$({name})",
        ):
            text = text.replace(written, value)
        if text.startswith(f"${name}") and text[len(name) + 1 : len(name) + 2] in {"", "/"}:
            text = value + text[len(name) + 1 :]
    return text


def _plain(component: str) -> str:
    """Without what Windows does not see: dots and blanks at the end, and the name of a stream."""
    if component in {"", ".", ".."}:
        return component
    name, colon, _ = component.partition(":")
    if colon and len(name) > 1:
        component = name
    return component.rstrip(". ") or component.strip()


def _resolved(parts: Sequence[str]) -> Path:
    """Without `.`, `..` and empty components; what goes up past the beginning is dropped."""
    path: list[str] = []
    for part in parts:
        if part == "..":
            if path:
                path.pop()
        elif part not in {"", "."}:
            path.append(part)
    return tuple(path)


def _at_home(path: Path) -> Path:
    """With every home directory as `~`, and without the detours of proc(5) and of Windows' namespaces."""
    if path[0] == "proc" and len(path) > 2:
        if path[2] in {"root", "cwd"}:
            path = path[3:] or path
        elif path[2] == "task" and len(path) > 5:
            path = path[5:]
    while path and path[0] in {"?", "localhost", "private", "system", "c:", "c$"} and len(path) > 1:
        path = path[1:]
    if path[0] in {"home", "users"} and len(path) > 1:
        return ("~", *path[2:])
    if path[0] == "root" or (
        path[0].startswith("~") and len(path[0]) > 1 and path[0][1:].isalnum()
    ):
        return ("~", *path[1:])
    return path


def _unwrapped(path: Path) -> Path:
    """A worktree that an agent works in lies in its directory, and is a project of its own."""
    for index, part in enumerate(path[:-1]):
        if part == "worktrees" and index and path[index - 1] in {".claude", ".cursor", ".codex"}:
            skipped = 3 if path[index - 1] == ".cursor" else 2
            return path[index + skipped :] or path[:1]
    return path
