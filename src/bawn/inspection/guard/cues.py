"""What opens the gate: the fragments of guarded names, and the signs that a name may be in disguise."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from bawn.inspection.guard.archives import MARKS
from bawn.inspection.guard.globs import expand
from bawn.inspection.guard.places import GIT_FAMILIES, GIT_KEYS, PLACES


def _set(names: str) -> frozenset[str]:
    return frozenset(names.split())


_COMMON: Final = _set("""
    ~ code user machine settings.json tasks.json launch.json config hooks etc application support environment
    codex cursor windsurf claude opencode powershell profiles globalstorage prompts program files openai
    """)
_SPECIAL: Final[tuple[tuple[str, str], ...]] = (
    ("etc/", r"[/\\\"']etc\b"),
    (
        "/user/",
        r"\buser[^a-z0-9]{1,6}(settings|mcp|tasks|keybindings|profiles|prompts|globalstorage)\b",
    ),
    ("programdata/", "programdata"),
    ("program files/", "program files"),
)
"""Places of which no component is rare by itself."""
_LETTERS: Final = "[a-z0-9_.]"

_DISGUISES: Final = (
    # The short names of NTFS, and its streams.
    r"[a-z0-9_-]~\d",
    r":\$DATA",
    # Percent-encoded letters, dots and slashes; overlong and full-width ones; what nobody sees.
    r"%(25|2e|2f|5c|5f|7e|4[1-9a-f]|5[0-9a]|6[1-9a-f]|7[0-9a])",
    r"%(c0|c1|e0%80|u[0f]|ef%b|e2%8|cc|cd)",
    r"\\\\?[xu][0-9{]",
    # Quotes and escapes within a word of a command; in JSON both are escaped themselves.
    rf"{_LETTERS}(''|\\\"\\\"){_LETTERS}",
    r"[a-z0-9_./~-]'[a-z0-9_./-]{1,40}'|'[a-z0-9_./~-]{1,40}'[a-z0-9_./\\]",
    r"[a-z0-9_./~-]\\\"[a-z0-9_./-]{1,40}\\\"|\\\"[a-z0-9_./~-]{1,40}\\\"[a-z0-9_./\\]",
    rf"[. ]{_LETTERS}{{0,16}}\\\\[a-z]",
    r"\$'",
    r"\\\\0?[0-7]{2,3}",
    # Globs and braces at a hidden name.
    r"(^|[ /\"'=,{:\\])\.[a-z]{0,12}[*?\[{@+!$`]",
    r"\[\.\][a-z]",
    r"[a-z0-9_.\]-](\*{1,2}|[?\[])[a-z0-9_.\[]",
    r"(^|[^*a-z])[a-z._-]{1,20}\*([^*a-z]|$)|\.[a-z]{0,6}\?",
    rf"[*?\]]{_LETTERS}{{0,12}}\.(json|md|toml|mdc)\b",
    rf"{_LETTERS}[*?\[{{][^ ]{{0,12}}\.(json|md|toml|mdc|ya?ml)",
    r"[{,](\.[a-z]{2,12}|[a-z]{2,12}\.(md|json))[,}]",
    # Variables and substitutions with which a name is put together.
    rf"\b[a-z_]\w{{0,12}}=\\?['\"]?{_LETTERS}",
    r"\$\(|`[a-z]{3,10} |\$\{[a-z_]\w{0,20}[:/%#^,]",
    r"\b(printf|rev|xxd|tr) |base64|b64|base32|atob|fromhex|fromcharcode|unhexlify|rot_?13|\bchr\(",
    r"encodedcommand| -e(nc?)? [a-z0-9+/]{16}",
    r"('|\\\")\s{0,4}[+.,/]\s{0,4}('|\\\")",
    r"\b(join|path|concat)\(",
    r"\d{2,3},\s?\d{2,3},\s?\d{2,3},\s?\d{2,3},\s?\d{2,3},\s?\d{2,3}",
    # A name without its ending, which stands beside it.
    r"[\"/\\](agents?|claude|gemini|qwen|warp|crush|iflow|codebuddy|codex|copilot|hermes|soul|heartbeat)\"",
    r"[\"/\\](skill|bawn|opencode|openclaw|mcp|mcp[_-]config|copilot-instructions|airules|replit)\"",
    # Ways round about.
    r"\.\.[/\\]|\bcd [/~.$]",
    # A home directory whose hidden files are named by parts.
    r"\b(add-mcp|mcp (add|remove|install|enable|disable|set)|install-mcp|skills add)",
    r"\b(plugins?|extensions?|skills?|hooks?|agents|config|settings|mcp|permissions) [a-z-]{2,24}\b.{0,4}",
    # Links and commits in patches.
    r"mode 120000",
)

# Characters that NFKC or HFS+ take for others, or for none: as bytes of UTF-8.
_UNSEEN: Final = (
    r"\xe2\x80[\x8b-\x8f\xaa-\xae\xa4\xa5]",
    r"\xe2\x81[\x84\xa0-\xaf]",
    r"\xef\xbb\xbf|\xc2\xad|\xcd\x8f|\xe1\xa0[\x8b-\x8f]|\xf3\xa0[\x80-\x87]",
    r"[a-z0-9._]\xef\xb8[\x80-\x8f]|\xef\xb8[\x80-\x8f][a-z0-9._]",
    r"\xef\xbc[\x8d-\x99\xa1-\xbf]|\xef\xbd[\x80-\x9e]|\xef\xb9[\x80-\xab]|\xef\xac[\x80-\x86]",
    r"\xf0\x9d[\x90-\x9f]|\xf0\x9f[\x84-\x87]|\xe2\x92[\x90-\xbf]|\xe2\x93[\x80-\xaa]",
    r"\xe2\x84[\x82-\xbf]|\xe2\x85[\x80-\xbf]|\xc5\xbf|\xc2[\xaa\xb9\xb2\xb3\xba]",
    r"\xe1\xb4[\xac-\xbf]|\xe1\xb5[\x80-\xbf]|\xca[\xb0-\xb8]|\xe2\x81[\xb0-\xbf]|\xe2\x82[\x80-\x9c]",
    r"\xe1\x85[\x9f\xa0]|\xe3\x85\xa4|\xef\xbe\xa0|\xe1\x9e[\xb4\xb5]",
)


def _telling(pattern: str) -> str:
    """The component of a guarded path that is rarest in ordinary text, as an expression."""
    parts = [part for part in pattern.casefold().split("/") if part != "**"]
    for part in parts:
        if part.lstrip("*").startswith(".") and len(part) > 2:
            return quoted(part)
    for mark, expression in _SPECIAL:
        if mark in f"{pattern.casefold()}/" or mark in f"/{pattern.casefold()}/":
            return expression
    rare = [part for part in parts if part not in _COMMON]
    return quoted(max(rare or parts, key=len))


def quoted(name: str) -> str:
    """A name as an expression; what its wildcards stand for is left out."""
    return "".join(f"\\{one}" if one in ".+()[]{}$^?|" else one for one in name if one != "*")


def _fragments() -> Iterator[str]:
    for place in PLACES:
        for pattern in expand(place.pattern, 4096):
            yield _telling(pattern)
    yield from (key.replace(".", r"\.") for key in GIT_KEYS)
    for head, tail in GIT_FAMILIES:
        middle = "[^ ]{1,64}" if tail.startswith(".") else ""
        yield rf"\b{quoted(head)}{middle}{quoted(tail.removeprefix('.') if middle else tail)}"


TRIGGERS: Final[tuple[str, ...]] = (
    *sorted({*_fragments()}),
    *_DISGUISES,
    *_UNSEEN,
    *(mark.replace("+", r"\+") for mark in MARKS),
)
"""Patterns (Hyperscan syntax) one of which each message has in which the guard finds something."""
